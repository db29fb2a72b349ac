"""The units of the demonstration province, and the places in them that other rows stand on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from data.admin_units import EDITION_IN_USE, FIRST_EDITION, Commune, District, Edition, Province
from data.demo import landscape, names
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, Ledger
from data.demo.territory import Territory, Unit
from data.tables import RecordFact
from gis.geometry import area_ha

VALID_FROM, VALID_TO = dt.date(2020, 2, 10), dt.date(2025, 6, 30)
EDITIONS = (
    {
        "code": FIRST_EDITION,
        "title": "Địa giới 9 huyện, thành phố và 101 xã, phường, thị trấn",
        "valid_from": VALID_FROM,
        "valid_to": VALID_TO,
    },
    {
        "code": "2025",
        "title": "Địa giới từ ngày 01/7/2025, không còn cấp huyện",
        "valid_from": dt.date(2025, 7, 1),
        "valid_to": None,
    },
)
#: Anyone may use the demonstration for anything.
LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"
_METRES_PER_DEGREE = 110_000.0
_TRIES = 12


@dataclass(frozen=True)
class Place:
    """A commune as ground for other rows: its ids, names, geometry and the shapes that stand on it."""

    id: int
    code: str
    name: str
    kind: str
    district_code: str
    district_name: str
    geometry: shapely.MultiPolygon
    centre: shapely.Point
    seaward: tuple[float, float]
    area_ha: float
    taken: list[Any] = field(default_factory=list)

    @property
    def short_name(self) -> str:
        """The name without its kind, except where it is a number."""
        bare = self.name[len(self.kind) :].strip()
        return self.name if bare.isdigit() else bare

    @property
    def district_short_name(self) -> str:
        """The name of the district without its kind."""
        return self.district_name.removeprefix("Huyện ").removeprefix("Thành phố ")

    @property
    def mainland(self) -> shapely.Polygon:
        """The largest part of the commune: where people farm when there are islands."""
        return max(shapely.get_parts(self.geometry), key=shapely.area)

    @property
    def is_rural(self) -> bool:
        """Tell whether the unit is a commune rather than a ward or township."""
        return self.kind == "xã"

    def hamlet(self, dice: Dice) -> str:
        """Give the name of a hamlet or quarter."""
        return names.hamlet(dice, self.kind)

    def spot(self, dice: Dice, spread_m: float, around: shapely.Point | None = None) -> shapely.Point:
        """Give a point of the commune within a spread of its centre, or of another point of it."""
        start = around or self.centre
        for _ in range(_TRIES):
            east, north = (dice.between(-spread_m, spread_m) / _METRES_PER_DEGREE for _ in "xy")
            if shapely.contains_xy(self.geometry, start.x + east, start.y + north):
                return shapely.Point(round(start.x + east, 6), round(start.y + north, 6))
        return start if around else landscape.point_in(self.geometry, dice.rng)


def write_units(ledger: Ledger, territory: Territory) -> list[Place]:
    """Write editions, facts, province, districts and communes; return the communes as places."""
    ledger.write(Edition, EDITIONS)
    (province_id,) = _write(ledger, Province, [territory.province])
    districts = territory.districts
    district_ids = _write(ledger, District, districts, province_id=[province_id] * len(districts))
    district_id = {unit.code: key for unit, key in zip(districts, district_ids, strict=True)}
    communes = territory.communes
    commune_ids = _write(
        ledger,
        Commune,
        communes,
        province_id=[province_id] * len(communes),
        district_id=[district_id[unit.parent or ""] for unit in communes],
    )
    _write_facts(ledger, territory.province)
    return _places(territory, commune_ids)


def _write(ledger: Ledger, model: Any, units: Any, **parents: list[int]) -> list[int]:
    shapes = [unit.geometry for unit in units]
    rows = [
        {
            "code": unit.code,
            "name": unit.name,
            "kind": unit.type,
            "edition": FIRST_EDITION,
            "valid_from": VALID_FROM,
            "valid_to": VALID_TO,
            "area_ha": round(float(area), 2),
            **{name: values[k] for name, values in parents.items()},
        }
        for k, (unit, area) in enumerate(zip(units, area_ha(shapes), strict=True))
    ]
    return ledger.write(model, rows, shapes)


def _write_facts(ledger: Ledger, province: Unit) -> None:
    facts = {
        "demo": "1",
        "demo_as_of": AS_OF.isoformat(),
        "province_code": province.code,
        "province_name": province.name,
        EDITION_IN_USE: FIRST_EDITION,
        "data_licence_url": LICENCE,
    }
    ledger.write(RecordFact, [{"key": key, "value": value} for key, value in facts.items()])


def _places(territory: Territory, ids: list[int]) -> list[Place]:
    middle = territory.province.geometry.centroid
    districts = {unit.code: unit for unit in territory.districts}
    areas = area_ha([unit.geometry for unit in territory.communes])
    places = []
    for unit, key, area in zip(territory.communes, ids, areas, strict=True):
        shapely.prepare(unit.geometry)
        away = np.array([unit.point.x - middle.x, unit.point.y - middle.y])
        east, north = away / max(float(np.sqrt((away**2).sum())), 1e-9)
        district = districts[unit.parent or ""]
        places.append(
            Place(
                id=key,
                code=unit.code,
                name=unit.name,
                kind=unit.type,
                district_code=district.code,
                district_name=district.name,
                geometry=unit.geometry,
                centre=unit.point,
                seaward=(float(east), float(north)),
                area_ha=float(area),
            )
        )
    return places
