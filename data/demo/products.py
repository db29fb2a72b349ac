"""Products of the demonstration province: stars, certificates, stories and origins of the material."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.base import DRAFT
from data.demo import names, vocabulary
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, Ledger, add_months, publication
from data.demo.producers import Maker
from data.demo.production import Field
from data.demo.stories import tell
from data.demo.villages import Village
from data.demo.vocabulary import Item
from data.products import Product, ProductGrowingArea

COUNT = 276
VALID_MONTHS = 36
_MOST_PER_MAKER = 4
_JITTER_M = 35.0
_NEAREST = 12

#: Stars → share; one and two stars get no decision and no certificate (QĐ 26/2026/QĐ-TTg, article 4).
_STARS: dict[int | None, float] = {None: 0.1, 1: 0.01, 2: 0.04, 3: 0.62, 4: 0.2, 5: 0.03}
_LOWEST_CERTIFIED, _NATIONAL = 3, 5
_MINISTRY_RENAMED = dt.date(2025, 3, 1)

#: Months in which the province's and the ministry's rounds are decided (article 5).
_PROVINCIAL_MONTHS, _NATIONAL_MONTHS = (6, 12), (3, 9)
_ROUND_YEARS = (2022, 2023, 2024, 2025, 2026)
_ROUND_WEIGHTS = (0.5, 2, 3, 3.5, 1.6)


@dataclass(frozen=True)
class Good:
    """A product as later rows need it."""

    id: int
    name: str
    name_en: str
    item: Item
    maker: Maker
    point: shapely.Point
    origins: tuple[int, ...]
    is_draft: bool
    facts: Mapping[str, Any]


def write_products(
    ledger: Ledger, makers: Sequence[Maker], villages: Sequence[Village], fields: Sequence[Field]
) -> list[Good]:
    """Write products at their producers, each linked to growing areas and perhaps to a craft village."""
    dice = Dice("products")
    pairs = _assign(dice, makers)
    origins = _Origins(fields)
    rows = [_row(dice, number, item, maker, villages) for number, (item, maker) in enumerate(pairs, 1)]
    points = [maker.place.spot(dice, _JITTER_M, maker.point) for _, maker in pairs]
    ids = ledger.write(Product, rows, points)
    goods = [
        Good(
            key,
            row["name"],
            row["name_en"],
            item,
            maker,
            point,
            tuple(origins.near(dice, item, point)),
            row["status"] == DRAFT,
            row,
        )
        for key, row, (item, maker), point in zip(ids, rows, pairs, points, strict=True)
    ]
    links = [{"product_id": good.id, "growing_area_id": area} for good in goods for area in good.origins]
    ledger.write(ProductGrowingArea, links)
    return goods


def _assign(dice: Dice, makers: Sequence[Maker]) -> list[tuple[Item, Maker]]:
    """Give every producer something of its district to make, and the larger ones more."""
    pairs: list[tuple[Item, Maker]] = []
    made: dict[int, list[Item]] = {maker.id: [] for maker in makers}
    busy = [maker for maker in makers if maker.workers >= 8]
    turns = [*makers, *(dice.pick(busy) for _ in range(COUNT * 3))]
    for maker in turns:
        if len(pairs) >= COUNT:
            break
        taken = {item.name for item in made[maker.id]}
        local = [item for item in vocabulary.items() if maker.place.district_code in item.districts]
        fitting = [item for item in local if item.name not in taken]
        if fitting and len(taken) < _MOST_PER_MAKER:
            item = dice.weighted(fitting, [i.weight for i in fitting])
            made[maker.id].append(item)
            pairs.append((item, maker))
    return pairs


def _row(dice: Dice, number: int, item: Item, maker: Maker, villages: Sequence[Village]) -> dict[str, Any]:
    name, name_en = f"{item.name} {maker.brand}", f"{item.name_en} “{maker.brand}”"
    village = _village(item, maker, villages)
    stars = dice.weighted(list(_STARS), list(_STARS.values()))
    story, story_en = tell(dice, item, maker, name, name_en)
    price = round(dice.between(*item.prices) / 1000) * 1000
    return {
        "name": name,
        "name_en": name_en,
        "product_set": item.product_set,
        "producer_id": maker.id,
        "commune_id": maker.place.id,
        "craft_village_id": village.id if village else None,
        "stars": stars,
        **_certificate(dice, number, stars),
        "packaging": item.packaging,
        "price_vnd": price,
        "gtin": None if item.is_service else names.gtin(number),
        "story": story,
        "story_en": story_en,
        "description": item.fact,
        "annual_revenue_million": round(dice.between(120, 900) * (1 + maker.workers / 20)),
        "status": publication(dice, withheld=maker.is_draft or (stars is None and dice.chance(0.15))),
    }


def _village(item: Item, maker: Maker, villages: Sequence[Village]) -> Village | None:
    """The nearest published village of the item's craft in the producer's district."""
    fitting = [
        village
        for village in villages
        if village.craft.key in item.crafts
        and village.place.district_code == maker.place.district_code
        and not village.is_draft
    ]
    return min(fitting, key=lambda village: village.point.distance(maker.point), default=None)


def _certificate(dice: Dice, number: int, stars: int | None) -> dict[str, Any]:
    if stars is None or stars < _LOWEST_CERTIFIED:
        empty = ("certificate_number", "decision_number", "certified_on", "expires_on", "certified_by")
        return dict.fromkeys(empty)
    months = _NATIONAL_MONTHS if stars == _NATIONAL else _PROVINCIAL_MONTHS
    decided = AS_OF
    while decided >= AS_OF:
        year = dice.weighted(_ROUND_YEARS, _ROUND_WEIGHTS)
        decided = dt.date(year, dice.pick(months), dice.whole(12, 28))
    return {
        "certificate_number": f"MH-96-{decided.year}-{number:04d}",
        "decision_number": f"{dice.whole(100, 2900)}/QĐ-MH-{decided.year}",
        "certified_on": decided,
        "expires_on": add_months(decided, VALID_MONTHS),
        "certified_by": f"{_authority(stars, decided)} (minh hoạ)",
    }


def _authority(stars: int, day: dt.date) -> str:
    if stars < _NATIONAL:
        return "UBND tỉnh"
    renamed = day >= _MINISTRY_RENAMED
    return "Bộ Nông nghiệp và Môi trường" if renamed else "Bộ Nông nghiệp và Phát triển nông thôn"


class _Origins:
    """Published growing areas by crop, so that a product finds those near it."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.ids: dict[str, list[int]] = {}
        self.points: dict[str, Any] = {}
        for field in fields:
            if field.is_public:
                self.ids.setdefault(field.crop, []).append(field.id)
                self.points.setdefault(field.crop, []).append((field.point.x, field.point.y))
        self.points = {crop: np.array(xy) for crop, xy in self.points.items()}

    def near(self, dice: Dice, item: Item, point: shapely.Point) -> list[int]:
        """Take one to four growing areas per material from those nearest to a point."""
        found = []
        for crop in item.crops:
            if crop in self.ids:
                squared = ((self.points[crop] - (point.x, point.y)) ** 2).sum(axis=1)
                nearest = [self.ids[crop][k] for k in np.argsort(squared, kind="stable")[:_NEAREST]]
                found += dice.some(nearest, dice.whole(1, 4))
        return found
