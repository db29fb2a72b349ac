"""Producers of the demonstration province, with the steps up in form that some of them took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from data.base import DRAFT
from data.demo import names
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, Ledger, publication
from data.demo.units import Place
from data.producers import Producer, ProducerUpgrade

COUNT = 168
_SPREAD_M = 1800.0

#: Kind → title before the made-up name, share, fewest and most workers.
_KINDS: dict[str, tuple[str, float, int, int]] = {
    "household": ("Hộ kinh doanh", 0.36, 2, 9),
    "cooperative": ("HTX", 0.27, 12, 68),
    "cooperative_group": ("Tổ hợp tác", 0.11, 8, 26),
    "sme": ("Công ty TNHH", 0.15, 8, 54),
    "joint_stock": ("Công ty CP", 0.04, 20, 120),
    "farm": ("Trang trại", 0.05, 3, 14),
    "association": ("Hội làm vườn", 0.02, 10, 40),
}
_FORMER_KIND = {"sme": "household", "cooperative": "cooperative_group", "joint_stock": "cooperative"}
_UPGRADED_SHARE = 0.45


@dataclass(frozen=True)
class Maker:
    """A producer as later rows need it."""

    id: int
    name: str
    brand: str
    kind: str
    workers: int
    place: Place
    point: shapely.Point
    is_draft: bool
    facts: Mapping[str, Any]


def write_producers(ledger: Ledger, places: Sequence[Place]) -> list[Maker]:
    """Write producers in communes of every district, larger communes with more of them."""
    dice = Dice("producers")
    homes = _homes(dice, places)
    rows: list[dict[str, Any]] = []
    brands = []
    for number, place in enumerate(homes, 1):
        kind = dice.weighted(list(_KINDS), [share for _, share, _, _ in _KINDS.values()])
        brand = _brand(dice, place, number)
        brands.append(brand)
        rows.append(_row(dice, place, number, kind, brand))
    points = [place.spot(dice, _SPREAD_M) for place in homes]
    ids = ledger.write(Producer, rows, points)
    ledger.write(ProducerUpgrade, _upgrades(dice, ids, rows))
    return [
        Maker(key, row["name"], brand, row["kind"], row["workers"], place, point, row["status"] == DRAFT, row)
        for key, row, brand, place, point in zip(ids, rows, brands, homes, points, strict=True)
    ]


def _homes(dice: Dice, places: Sequence[Place]) -> list[Place]:
    """Every commune once, then the rest by chance, towns being busier than their area tells."""
    weights = [place.area_ha if place.is_rural else place.area_ha + 3000.0 for place in places]
    extra = [dice.weighted(places, weights) for _ in range(COUNT - len(places))]
    return [*places, *extra]


def _brand(dice: Dice, place: Place, number: int) -> str:
    return names.numbered(place.short_name, number) if dice.chance(0.6) else f"Ví Dụ {number}"


def _row(dice: Dice, place: Place, number: int, kind: str, brand: str) -> dict[str, Any]:
    title, _, fewest, most = _KINDS[kind]
    registered = dice.day(dt.date(2006, 1, 1), dt.date(2024, 12, 31))
    online = kind in ("sme", "joint_stock", "cooperative") and dice.chance(0.6)
    return {
        "name": f"{title} {brand}",
        "kind": kind,
        "commune_id": place.id,
        "address": names.address(place.hamlet(dice), place.name, place.district_name),
        "registration_number": f"MH-{registered.year}-{number:04d}",
        "registered_on": registered,
        "founded_year": registered.year - dice.whole(0, 3),
        "workers": dice.whole(fewest, most),
        "women_led": dice.chance(0.38),
        "website": f"https://chu-the-{number:03d}.example" if online else None,
        "representative": names.person(dice, number),
        "phone": names.phone(number),
        "email": f"lien-he-{number:03d}@chu-the.example" if online or dice.chance(0.3) else None,
        "id_number": names.identity_number(number),
        "description": f"Chủ thể minh hoạ ở {names.small(place.name)}; tên và số liệu là giả định.",
        "status": publication(dice),
    }


def _upgrades(dice: Dice, ids: Sequence[int], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The present form as a step up from a smaller one, taken some time after the registration."""
    found = []
    for key, row in zip(ids, rows, strict=True):
        former = _FORMER_KIND.get(row["kind"])
        if former and dice.chance(_UPGRADED_SHARE):
            day = dice.day(max(row["registered_on"], dt.date(2018, 6, 1)), AS_OF - dt.timedelta(days=60))
            document = f"{dice.whole(100, 999)}/MH-{day.year} (minh hoạ)"
            found.append(
                {
                    "producer_id": key,
                    "from_kind": former,
                    "to_kind": row["kind"],
                    "upgraded_on": day,
                    "document": document,
                }
            )
    return found
