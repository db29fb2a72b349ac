"""Lots and sale points of the demonstration province."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

import shapely

from data.base import PUBLISHED
from data.demo import names
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, Ledger, publication
from data.demo.products import Good
from data.demo.units import Place
from data.products import ProductSalePoint, SalePoint
from data.traceability.lots import Lot, LotGrowingArea

LOTS = 660
SALE_POINTS = 66
_FIRST_LOT = dt.date(2025, 1, 6)
_LAST_LOT = AS_OF - dt.timedelta(days=4)
_LOT_STATUSES = {"released": 0.93, "held": 0.045, "recalled": 0.025}
_NOTES = {
    "released": (None,),
    "held": ("chờ phiếu kiểm nghiệm", "thiếu giấy xác nhận nguồn nguyên liệu", "nhãn in sai ngày"),
    "recalled": ("chỉ tiêu vi sinh vượt mức công bố", "bao bì hở mí hàn", "độ ẩm cao hơn công bố"),
}
_SHOP_KINDS = {
    "ocop_centre": ("Trung tâm OCOP", 0.1),
    "shop": ("Cửa hàng đặc sản", 0.45),
    "market": ("Sạp chợ", 0.2),
    "supermarket": ("Siêu thị", 0.1),
    "rest_stop": ("Trạm dừng chân", 0.15),
}
_HOURS = ("07:00–20:00", "06:00–18:00", "07:30–21:00", "05:00–11:00")
_NUMBER_BASE = 900


def write_sale_points(ledger: Ledger, places: Sequence[Place], goods: Sequence[Good]) -> None:
    """Write sale points, more of them in towns, each with the goods that it offers."""
    dice = Dice("sale points")
    weights = [1.0 if place.is_rural else 4.0 for place in places]
    homes = [dice.weighted(places, weights) for _ in range(SALE_POINTS)]
    rows = [_shop(dice, number, place) for number, place in enumerate(homes, 1)]
    points = [place.spot(dice, 900.0) for place in homes]
    ids = ledger.write(SalePoint, rows, points)
    offered = [good for good in goods if not good.item.is_service and not good.is_draft]
    links = []
    for key, point in zip(ids, points, strict=True):
        nearest = sorted(offered, key=lambda good: good.point.distance(point))[:60]
        links += [
            {"product_id": good.id, "sale_point_id": key} for good in dice.some(nearest, dice.whole(5, 24))
        ]
    ledger.write(ProductSalePoint, links)


def _shop(dice: Dice, number: int, place: Place) -> dict[str, Any]:
    kind = dice.weighted(list(_SHOP_KINDS), [share for _, share in _SHOP_KINDS.values()])
    return {
        "name": f"{_SHOP_KINDS[kind][0]} {names.numbered(place.short_name, number)}",
        "kind": kind,
        "commune_id": place.id,
        "producer_id": None,
        "address": names.address(place.hamlet(dice), place.name, place.district_name),
        "opening_hours": dice.pick(_HOURS),
        "shop_phone": names.phone(_NUMBER_BASE + number),
        "status": publication(dice),
    }


def write_lots(ledger: Ledger, goods: Sequence[Good]) -> dict[int, int]:
    """Write lots of goods that keep, with the growing areas of their material; return one lot for each product."""
    dice = Dice("lots")
    made = [good for good in goods if good.item.shelf_days and good.item.unit and not good.is_draft]
    chosen = [dice.pick(made) for _ in range(LOTS)]
    used: Counter[tuple[int, dt.date]] = Counter()
    rows = [_lot(dice, good, used) for good in chosen]
    points: list[shapely.Point] = [good.point for good in chosen]
    ids = ledger.write(Lot, rows, points)
    sources = [_sources(dice, key, good) for key, good in zip(ids, chosen, strict=True)]
    ledger.write(LotGrowingArea, [row for rows_of_lot in sources for row in rows_of_lot])
    return {
        good.id: key for key, good, row in zip(ids, chosen, rows, strict=True) if row["status"] == PUBLISHED
    }


def _lot(dice: Dice, good: Good, used: Counter[tuple[int, dt.date]]) -> dict[str, Any]:
    day = dice.day(_FIRST_LOT, _LAST_LOT)
    used[good.id, day] += 1
    status = dice.weighted(list(_LOT_STATUSES), list(_LOT_STATUSES.values()))
    whole = dice.whole(4, 120) * 5
    return {
        "product_id": good.id,
        "producer_id": good.maker.id,
        "commune_id": good.maker.place.id,
        "lot_number": f"L{day:%y%m%d}-{used[good.id, day]:02d}",
        "produced_on": day,
        "expires_on": day + dt.timedelta(days=good.item.shelf_days or 0),
        "quantity": float(whole),
        "unit": good.item.unit,
        "lot_status": status,
        "note": dice.pick(_NOTES[status]),
        "status": publication(dice),
    }


def _sources(dice: Dice, key: int, good: Good) -> list[dict[str, Any]]:
    """Up to three of the product's growing areas, with shares that add up to one."""
    areas = dice.some(good.origins, dice.whole(1, 3))
    if not areas:
        return []
    parts = [dice.whole(1, 9) for _ in areas]
    shares = [round(part / sum(parts), 3) for part in parts[:-1]]
    shares.append(round(1.0 - sum(shares), 3))
    pairs = zip(areas, shares, strict=True)
    return [{"lot_id": key, "growing_area_id": area, "share": share} for area, share in pairs]
