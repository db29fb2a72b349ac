"""The words of the demonstration province: what is grown where, which crafts and products there are."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from data.text import normal

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Activity:
    """A crop or species with its way of farming; yields in tonnes per hectare and year."""

    key: str
    crop: str
    farming_system: str | None
    style: str
    label: str
    seaward: int
    yields: tuple[float, float]
    crops_per_year: int
    ha_per_household: float
    varieties: tuple[str, ...]
    season: tuple[tuple[int, int, str], ...]
    species_code: str
    schemes: tuple[str, ...]
    certifications: tuple[str, ...]


@dataclass(frozen=True)
class Craft:
    """A craft, the communes that it is at home in, and its story."""

    key: str
    craft: str
    title: str
    title_en: str
    trade_group: str
    places: tuple[str, ...]
    kinds: tuple[str, ...]
    founded: tuple[int, int]
    founder: str | None
    environment: str
    story: str
    story_en: str


@dataclass(frozen=True)
class Item:
    """A kind of product: its set, its material, where it is made and what it costs; prices in đồng."""

    key: str
    product_set: int
    name: str
    name_en: str
    crops: tuple[str, ...]
    crafts: tuple[str, ...]
    districts: tuple[str, ...]
    weight: float
    packaging: str
    prices: tuple[int, int]
    unit: str | None
    shelf_days: int | None
    fact: str
    fact_en: str

    @property
    def is_service(self) -> bool:
        """Tell whether guests come for it, so that no lots are made."""
        return self.product_set == TOURISM


@dataclass(frozen=True)
class Phrase:
    """A sentence with places for names, in both languages."""

    vi: str
    en: str


TOURISM = 26


@functools.cache
def activities() -> dict[str, Activity]:
    """Read the activities by their key."""
    return {
        row["key"]: Activity(
            key=row["key"],
            crop=row["crop"],
            farming_system=row["farming_system"] or None,
            style=row["style"],
            label=row["label"],
            seaward=int(row["seaward"]),
            yields=(float(row["yield_low"]), float(row["yield_high"])),
            crops_per_year=int(row["crops_per_year"]),
            ha_per_household=float(row["ha_per_household"]),
            varieties=_several(row["varieties"]),
            season=tuple(_season(part) for part in _several(row["season"])),
            species_code=row["species_code"],
            schemes=_several(row["schemes"]),
            certifications=_several(row["certifications"]),
        )
        for row in _read("activities.csv")
    }


@functools.cache
def activity_places() -> dict[str, tuple[tuple[Activity, float], ...]]:
    """Read what is farmed where, with weights: by district, wards of a district or commune."""
    places: dict[str, list[tuple[Activity, float]]] = {}
    for row in _read("activity_places.csv"):
        places.setdefault(row["scope"], []).append((activities()[row["activity"]], float(row["weight"])))
    return {scope: tuple(found) for scope, found in places.items()}


@functools.cache
def crafts() -> tuple[Craft, ...]:
    """Read the crafts."""
    return tuple(
        Craft(
            key=row["key"],
            craft=row["craft"],
            title=row["title"],
            title_en=row["title_en"],
            trade_group=row["trade_group"],
            places=_several(row["places"]),
            kinds=_several(row["kinds"]),
            founded=(int(row["founded_low"]), int(row["founded_high"])),
            founder=row["founder"] or None,
            environment=row["environment"],
            story=row["story"],
            story_en=row["story_en"],
        )
        for row in _read("crafts.csv")
    )


@functools.cache
def items() -> tuple[Item, ...]:
    """Read the kinds of products."""
    return tuple(
        Item(
            key=row["key"],
            product_set=int(row["product_set"]),
            name=row["name"],
            name_en=row["name_en"],
            crops=_several(row["crops"]),
            crafts=_several(row["crafts"]),
            districts=_several(row["districts"]),
            weight=float(row["weight"]),
            packaging=row["packaging"],
            prices=(int(row["price_low"]), int(row["price_high"])),
            unit=row["unit"] or None,
            shelf_days=int(row["shelf_days"]) if row["shelf_days"] else None,
            fact=row["fact"],
            fact_en=row["fact_en"],
        )
        for row in _read("items.csv")
    )


@functools.cache
def phrases(part: str) -> tuple[Phrase, ...]:
    """Read the sentences for one part of a story."""
    return tuple(Phrase(row["vi"], row["en"]) for row in _read("phrases.csv") if row["part"] == part)


@functools.cache
def scenery() -> dict[str, Phrase]:
    """Read how the land looks, by district code."""
    return {row["district_code"]: Phrase(row["vi"], row["en"]) for row in _read("scenery.csv")}


def _read(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [{key: normal(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def _season(text: str) -> tuple[int, int, str]:
    months, what = text.split(" ", 1)
    first, last = months.split("-")
    return int(first), int(last), what
