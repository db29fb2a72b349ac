"""Indicators by commune and district for maps and tables, counted over the rows that the caller sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import SYSTEM, Actor
from data.admin_units import Commune, District, edition_in_use
from layers import catalogue, progress, read
from layers.fields import Label, Layer
from layers.filters import Comparison, Filter
from layers.progress import Asked
from layers.redistribution import LIST, known_edition, method_label
from layers.redistribution import on_edition as redistributed

LEVELS = ("communes", "districts")
DIGITS = 6
COLORS = ("#e3f1ea", "#b9dcc9", "#85c0a4", "#4a9c7d", "#1f7660", "#0b4f43")


def _count(model: Any) -> Any:
    return sa.func.count(model.id)


def _area(model: Any) -> Any:
    return sa.func.sum(model.area_ha)


def _stars(star: int) -> Callable[[Any], Any]:
    return lambda model: sa.func.sum(sa.case((model.stars == star, 1), else_=0))


@dataclass(frozen=True)
class Indicator:
    """A number per unit: an aggregate over the rows of a layer, with details that go along.

    With `share_of` the value is shown in percent of that detail. Measures that are `asked` also take who asks and
    the day; one `for_officers` counts what is not public.
    """

    id: str
    title: Label
    unit: Label
    layer: str
    measure: Callable[..., Any]
    where: Filter | None = None
    details: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    zero_when_absent: bool = True
    share_of: str | None = None
    asked: bool = False
    for_officers: bool = False

    def measures(self, actor: Actor, day: dt.date) -> dict[str, Callable[[Any], Any]]:
        """Return value and details as functions that make an SQL aggregate from a model."""
        every = {"value": self.measure, **self.details}
        if not self.asked:
            return every
        return {name: partial(measure, asked=Asked(actor, day)) for name, measure in every.items()}

    def readable(self, actor: Actor) -> bool:
        """Tell whether the indicator is meant for a caller."""
        return not self.for_officers or actor.role in progress.OFFICERS


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
        share_of="total_ha",
    ),
    Indicator(
        "certificates_ending",
        Label("Giấy chứng nhận sắp hết hạn", "Certificates near their end"),
        Label("sản phẩm", "products"),
        "products",
        progress.ending,
        details={"ended": progress.ended},
        asked=True,
    ),
    Indicator(
        "cycle_products",
        Label("Sản phẩm trong chu trình năm nay", "Products in this year's cycle"),
        Label("sản phẩm", "products"),
        "products",
        progress.in_cycle,
        details={"recognised": progress.recognised, "late": progress.late},
        asked=True,
        for_officers=True,
    ),
    Indicator(
        "cycle_recognised_share",
        Label("Tỷ lệ được công nhận trong chu trình năm nay", "Share recognised in this year's cycle"),
        Label("%", "%"),
        "products",
        progress.recognised,
        details={"in_cycle": progress.in_cycle},
        zero_when_absent=False,
        share_of="in_cycle",
        asked=True,
        for_officers=True,
    ),
    Indicator(
        "cycle_late",
        Label("Sản phẩm chậm tiến độ", "Products that are late"),
        Label("sản phẩm", "products"),
        "products",
        progress.late,
        details={"in_cycle": progress.in_cycle},
        asked=True,
        for_officers=True,
    ),
)

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}


def indicator(indicator_id: str, actor: Actor = SYSTEM) -> Indicator:
    """Return an indicator by its id; KeyError when there is none, or none for the caller."""
    found = _BY_ID[indicator_id]
    if not found.readable(actor):
        raise KeyError(indicator_id)
    return found


def indicators(actor: Actor) -> list[Indicator]:
    """List the indicators that are meant for a caller."""
    return [i for i in INDICATORS if i.readable(actor)]


def stamp(session: Session, chosen: Indicator, day: dt.date) -> str:
    """Return what an indicator rests on besides the revisions of its layers."""
    return progress.stamp(session, day) if chosen.asked else ""


@dataclass(frozen=True)
class Table:
    """An indicator per unit: entries with id, code, name, district, value (None without data) and details.

    `unplaced` is what belongs to no unit; with it the values add up to the same total on every edition.
    """

    entries: list[dict[str, Any]]
    edition: str
    method_id: str
    method: Label
    unplaced: dict[str, Any]


def table(session: Session, chosen: Indicator, level: str, actor: Actor) -> list[dict[str, Any]]:
    """Return one entry per unit in use: id, code, name, district, value (None without data) and details."""
    return on_edition(session, chosen, level, actor).entries


def on_edition(
    session: Session,
    chosen: Indicator,
    level: str,
    actor: Actor,
    *,
    edition: str | None = None,
    method: str = LIST,
    day: dt.date | None = None,
) -> Table:
    """Return an indicator on the units of an edition, by default the one in use, with the method named.

    `day` is what indicators with deadlines call today. Raises Refusal for an edition without communes, or one that
    no crosswalk leads to.
    """
    asked = known_edition(session, edition)
    in_use = edition_in_use(session)
    query = read.Query(catalogue.layer(chosen.layer), actor, where=chosen.where)
    measures = chosen.measures(actor, day or dt.date.today())
    by_commune = redistributed(session, query, measures, asked, method)
    units = _units(session, level, asked)
    sums = _sums(session, level, by_commune, measures)
    empty = {name: 0 if chosen.zero_when_absent else None for name in measures}
    entries = []
    for unit_id, code, name, district in units:
        values = _finished(chosen, sums.get(unit_id, empty))
        entries.append({"id": unit_id, "code": code, "name": name, "district": district, **values})
    known = {unit[0] for unit in units}
    lost = [values for unit, values in sums.items() if unit not in known]
    unplaced = {name: round(sum(values[name] or 0 for values in lost), DIGITS) for name in measures}
    used = LIST if asked == in_use else method
    return Table(entries, asked, used, method_label(used, asked, in_use), unplaced)


def _finished(chosen: Indicator, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a unit as they are shown."""
    values = {n: round(v, DIGITS) if isinstance(v, float) else v for n, v in measured.items()}
    if chosen.share_of is not None:
        total = measured[chosen.share_of]
        values["value"] = round(100 * measured["value"] / total, 1) if total else None
    if isinstance(values["value"], float):
        values["value"] = round(values["value"], 1)
    return values


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


def _units(session: Session, level: str, edition: str) -> list[Any]:
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
) -> dict[Any, dict[str, Any]]:
    if level == "communes":
        return by_commune
    parents = dict(session.execute(sa.select(Commune.id, Commune.district_id)).all())
    sums: dict[Any, dict[str, Any]] = {}
    for commune_id, values in by_commune.items():
        district = parents.get(commune_id)
        total = sums.setdefault(district, dict.fromkeys(measures, 0))
        for name in measures:
            total[name] += values[name] or 0
    return sums
