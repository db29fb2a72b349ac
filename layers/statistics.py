"""Indicators by commune and district for maps and tables, counted over the rows that the caller sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.admin_units import Commune, District, edition_in_use
from layers import catalogue, read
from layers.fields import Label, Layer
from layers.filters import Comparison, Filter

LEVELS = ("communes", "districts")
COLORS = ("#e3f1ea", "#b9dcc9", "#85c0a4", "#4a9c7d", "#1f7660", "#0b4f43")

METHOD = Label(
    "Đếm theo xã ghi trong hồ sơ (theo danh sách), cộng lên huyện.",
    "Counted by the commune on record (list-based), summed to districts.",
)


def _count(model: Any) -> Any:
    return sa.func.count(model.id)


def _area(model: Any) -> Any:
    return sa.func.sum(model.area_ha)


def _stars(star: int) -> Callable[[Any], Any]:
    return lambda model: sa.func.sum(sa.case((model.stars == star, 1), else_=0))


@dataclass(frozen=True)
class Indicator:
    """A number per unit: an aggregate over the rows of a layer, with details that go along."""

    id: str
    title: Label
    unit: Label
    layer: str
    measure: Callable[[Any], Any]
    where: Filter | None = None
    details: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    zero_when_absent: bool = True


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "products_by_star",
        Label("Sản phẩm OCOP từ 3 sao", "OCOP products of 3 stars and more"),
        Label("sản phẩm", "products"),
        "products",
        _count,
        where=Comparison("stars", ">=", 3),
        details={"stars_3": _stars(3), "stars_4": _stars(4), "stars_5": _stars(5)},
    ),
    Indicator(
        "growing_area_ha",
        Label("Diện tích vùng trồng, vùng nuôi", "Growing area"),
        Label("ha", "ha"),
        "growing_areas",
        _area,
        details={"areas": _count},
        zero_when_absent=False,
    ),
    Indicator(
        "craft_villages",
        Label("Số làng nghề", "Craft villages"),
        Label("làng nghề", "villages"),
        "craft_villages",
        _count,
    ),
    Indicator(
        "producers",
        Label("Số chủ thể OCOP", "OCOP producers"),
        Label("chủ thể", "producers"),
        "producers",
        _count,
    ),
    Indicator(
        "coded_share",
        Label("Tỷ lệ diện tích có mã số vùng", "Share of area with a code"),
        Label("%", "%"),
        "growing_areas",
        lambda model: sa.func.sum(
            sa.case((model.coding_status.in_(("active", "restored")), model.area_ha), else_=0.0)
        ),
        details={"total_ha": _area},
        zero_when_absent=False,
    ),
)

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}


def indicator(indicator_id: str) -> Indicator:
    """Return an indicator by its id; KeyError when there is none."""
    return _BY_ID[indicator_id]


def table(session: Session, chosen: Indicator, level: str, actor: Actor) -> list[dict[str, Any]]:
    """Return one entry per unit in use: id, code, name, district, value (None without data) and details."""
    layer = catalogue.layer(chosen.layer)
    measures = {"value": chosen.measure, **chosen.details}
    by_commune = read.group_by(session, read.Query(layer, actor, where=chosen.where), "commune_id", measures)
    units = _units(session, level)
    sums = _sums(session, level, by_commune, measures)
    empty = {name: 0 if chosen.zero_when_absent else None for name in measures}
    entries = []
    for unit_id, code, name, district in units:
        values = dict(sums.get(unit_id, empty))
        if chosen.id == "coded_share":
            total = values["total_ha"]
            values["value"] = round(100 * values["value"] / total, 1) if total else None
        if isinstance(values["value"], float):
            values["value"] = round(values["value"], 1)
        entries.append({"id": unit_id, "code": code, "name": name, "district": district, **values})
    return entries


def rows_by_commune(session: Session, layer: Layer, actor: Actor) -> dict[int, int]:
    """Count a layer's rows that the caller sees: {commune id: number}, communes without any left out."""
    found = read.group_by(session, read.Query(layer, actor), "commune_id", {"rows": _count})
    return {key: values["rows"] for key, values in found.items() if key is not None}


def total_area_ha(session: Session, layer: Layer, actor: Actor) -> float:
    """Return the measured area in hectares of all rows of a layer of areas that the caller sees."""
    sums = read.group_by(session, read.Query(layer, actor), "status", {"area": _area})
    return float(sum(values["area"] or 0 for values in sums.values()))


def classes(values: list[float | None]) -> list[dict[str, Any]]:
    """Sort values into at most six classes by quantile, each with its bounds, colour and number of units.

    A class holds min ≤ value ≤ max; every value is in exactly one class.
    """
    known = np.sort(np.array([v for v in values if v is not None], dtype=float))
    if not len(known):
        return []
    distinct = np.unique(known)
    if len(distinct) <= len(COLORS):
        edges = distinct[1:]
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, len(COLORS) + 1)[1:-1], method="nearest"))
        edges = edges[edges > distinct[0]]
    groups = np.searchsorted(edges, known, side="right")
    found = []
    for group in range(len(edges) + 1):
        members = known[groups == group]
        if len(members):
            found.append({"min": float(members[0]), "max": float(members[-1]), "count": len(members)})
    step = (len(COLORS) - 1) / max(1, len(found) - 1)
    return [{**entry, "color": COLORS[round(i * step)]} for i, entry in enumerate(found)]


def _units(session: Session, level: str) -> list[Any]:
    edition = edition_in_use(session)
    if level == "districts":
        query: Any = sa.select(District.id, District.code, District.name, sa.null()).where(
            District.edition == edition
        )
        return list(session.execute(query.order_by(District.code)))
    query = (
        sa.select(Commune.id, Commune.code, Commune.name, District.name)
        .outerjoin(District, Commune.district_id == District.id)
        .where(Commune.edition == edition)
    )
    return list(session.execute(query.order_by(Commune.code)))


def _sums(
    session: Session, level: str, by_commune: dict[Any, dict[str, Any]], measures: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    if level == "communes":
        return by_commune
    parents = dict(session.execute(sa.select(Commune.id, Commune.district_id)).all())
    sums: dict[int, dict[str, Any]] = {}
    for commune_id, values in by_commune.items():
        district = parents.get(commune_id)
        if district is None:
            continue
        total = sums.setdefault(district, dict.fromkeys(measures, 0))
        for name in measures:
            total[name] += values[name] or 0
    return sums
