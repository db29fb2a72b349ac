"""Craft villages of the demonstration province: years, artisans and the points that receive visitors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from data.base import DRAFT
from data.craft_villages import Artisan, CraftVillage, CraftVillagePoint, CraftVillageYear
from data.demo import landscape, names, vocabulary
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, LABEL, Ledger, publication
from data.demo.units import Place
from data.demo.vocabulary import Craft
from gis.geometry import area_ha

YEARS = range(2021, 2026)
_TITLES = ("Nghệ nhân ưu tú", "Nghệ nhân nhân dân", "thợ giỏi cấp tỉnh", "người giữ nghề")
_POINT_KINDS = {
    "workshop": ("Xưởng", "Workshop"),
    "visitor_house": ("Nhà đón khách", "Visitor house"),
    "shop": ("Cửa hàng", "Shop"),
    "homestay": ("Homestay", "Homestay"),
}
_HOURS = ("07:00–17:00", "08:00–16:30", "07:30–11:00, 13:30–17:00", "06:30–18:00 (thứ Hai nghỉ)")
_OLDEST_DECREE = dt.date(2018, 6, 1)
_NUMBER_BASE = 500

#: A traditional trade is fifty years old when it is recognised (NĐ 52/2018/NĐ-CP, article 5).
_TRADITION_YEARS, _SETTLED_YEARS = 50, 10


@dataclass(frozen=True)
class Village:
    """A village as later rows need it."""

    id: int
    name: str
    name_en: str
    craft: Craft
    place: Place
    point: shapely.Point
    is_draft: bool


def write_villages(ledger: Ledger, places: Sequence[Place]) -> list[Village]:
    """Write a village for every craft and commune of the vocabulary, and mark its ground as taken."""
    dice = Dice("villages")
    by_code = {place.code: place for place in places}
    settled = [(craft, by_code[code]) for craft in vocabulary.crafts() for code in craft.places]
    shapes = [_shape(dice, place) for _, place in settled]
    rows = [
        _row(dice, number, craft, place, round(float(area), 2))
        for number, ((craft, place), area) in enumerate(zip(settled, area_ha(shapes), strict=True), 1)
    ]
    ids = ledger.write(CraftVillage, rows, shapes)
    villages = [
        Village(
            key,
            row["name"],
            row["name_en"],
            craft,
            place,
            landscape.point_in(shape, dice.rng),
            row["status"] == DRAFT,
        )
        for key, row, (craft, place), shape in zip(ids, rows, settled, shapes, strict=True)
    ]
    histories = [_years(dice, key, row) for key, row in zip(ids, rows, strict=True)]
    ledger.write(CraftVillageYear, [year for history in histories for year in history])
    ledger.write(Artisan, _artisans(dice, ids, rows))
    _write_points(ledger, dice, villages, shapes)
    return villages


def _shape(dice: Dice, place: Place) -> Any:
    """A settlement that leaves the ground of other villages alone."""
    for _ in range(20):
        shape = landscape.village_shape(place.geometry, place.spot(dice, 2500.0), dice.rng)
        if not shape.is_empty and not any(shape.intersects(other) for other in place.taken):
            break
    place.taken.append(shape)
    return shape


def _row(dice: Dice, number: int, craft: Craft, place: Place, area: float) -> dict[str, Any]:
    kind = dice.pick(craft.kinds)
    households = dice.whole(90, 420)
    low, high = (0.08, 0.3) if kind == "traditional_trade" else (0.22, 0.64)
    in_trade = max(12, round(households * dice.between(low, high)))
    decided = dice.day(_OLDEST_DECREE, dt.date(2025, 12, 20))
    latest = decided.year - (_TRADITION_YEARS if kind.startswith("traditional") else _SETTLED_YEARS)
    founded = min(dice.whole(*craft.founded), latest)
    word = "Nghề" if kind == "traditional_trade" else "Làng nghề"
    return {
        "code": f"LN-96-{number:03d}",
        "name": f"{word} {craft.title} {place.short_name} – minh hoạ",
        "name_en": f"{craft.title_en}, {place.short_name} (illustrative)",
        "kind": kind,
        "trade_group": craft.trade_group,
        "craft": craft.craft,
        "commune_id": place.id,
        "hamlet": place.hamlet(dice),
        "founded_year": founded,
        "founder": craft.founder,
        "decision_number": f"{dice.whole(100, 2400)}/QĐ-MH-{decided.year}",
        "decision_date": decided,
        "decision_by": "UBND tỉnh (minh hoạ)",
        "households": households,
        "trade_households": in_trade,
        "workers": round(in_trade * dice.between(1.8, 3.4)),
        "income_million": round(dice.between(48, 96), 1),
        "environment": craft.environment,
        "story": f"Nghề {craft.craft} ở {place.short_name} có từ khoảng năm {founded}. {craft.story}",
        "story_en": f"Practised in {place.short_name} since about {founded}. {craft.story_en}",
        "contact_name": names.person(dice, _NUMBER_BASE + number),
        "contact_phone": names.phone(_NUMBER_BASE + number),
        "area_ha": area,
        "status": publication(dice),
    }


def _years(dice: Dice, key: int, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Five years that lead up to the village's present figures."""
    found = []
    trend = dice.between(-0.015, 0.05)
    for year in YEARS:
        size = (1 + trend) ** (year - YEARS[-1])
        workers = round(row["workers"] * size)
        income = round(row["income_million"] * 1.07 ** (year - YEARS[-1]), 1)
        found.append(
            {
                "village_id": key,
                "year": year,
                "households": round(row["households"] * 1.008 ** (year - YEARS[-1])),
                "trade_households": round(row["trade_households"] * size),
                "workers": workers,
                "women": round(workers * dice.between(0.42, 0.71)),
                "income_million": income,
                "revenue_million": round(workers * income * dice.between(1.3, 1.9), 0),
            }
        )
    return found


def _artisans(dice: Dice, ids: Sequence[int], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One artisan at least where the law asks for one: in a traditional trade."""
    found: list[dict[str, Any]] = []
    for key, row in zip(ids, rows, strict=True):
        fewest = 0 if row["kind"] == "craft_village" else 1
        for _ in range(dice.whole(fewest, 3)):
            title = dice.weighted(_TITLES, (2, 0.5, 3, 4))
            found.append(
                {
                    "village_id": key,
                    "name": names.person(dice, _NUMBER_BASE + 100 + len(found)),
                    "title": title,
                    "awarded_year": None if title == _TITLES[-1] else dice.whole(2010, 2025),
                }
            )
    return found


def _write_points(ledger: Ledger, dice: Dice, villages: Sequence[Village], shapes: Sequence[Any]) -> None:
    rows: list[dict[str, Any]] = []
    points = []
    for village, shape in zip(villages, shapes, strict=True):
        for kind in dice.some(list(_POINT_KINDS), dice.whole(1, 3)):
            rows.append(_point_row(dice, village, kind, len(rows) + 1))
            points.append(landscape.point_in(shape, dice.rng))
    ledger.write(CraftVillagePoint, rows, points)


def _stay(dice: Dice) -> dict[str, Any]:
    return {
        "opening_hours": "đón khách cả ngày, nhận phòng từ 14:00",
        "visit_minutes": None,
        "capacity": dice.pick((6, 8, 12)),
        "price_vnd": dice.pick((250_000, 320_000, 400_000)),
    }


def _visit(dice: Dice) -> dict[str, Any]:
    return {
        "opening_hours": dice.pick(_HOURS),
        "visit_minutes": dice.pick((30, 45, 60, 90, 120)),
        "capacity": dice.pick((15, 20, 30, 40, 60)),
        "price_vnd": dice.pick((0, 20_000, 50_000)),
    }


def _point_row(dice: Dice, village: Village, kind: str, number: int) -> dict[str, Any]:
    title, title_en = _POINT_KINDS[kind]
    return {
        "village_id": village.id,
        "commune_id": village.place.id,
        "name": f"{title} {village.craft.title} {village.place.short_name} (minh hoạ)",
        "name_en": f"{title_en}: {village.craft.title_en}, {village.place.short_name} (illustrative)",
        "kind": kind,
        **(_stay(dice) if kind == "homestay" else _visit(dice)),
        "hands_on": kind != "shop" and dice.chance(0.7),
        "homestay": kind == "homestay",
        "step_free": dice.chance(0.35),
        "toilet": dice.chance(0.85),
        "coach_parking": dice.chance(0.3),
        "languages": dice.pick(("Việt", "Việt, Anh", "Việt, Khmer", "Việt, Anh, Khmer")),
        "visitor_phone": names.phone(700 + number),
        "checked_on": dice.day(dt.date(2025, 7, 1), AS_OF),
        "checked_by": f"Cán bộ xã ({LABEL})",
        "status": publication(dice, withheld=village.is_draft),
    }
