"""Search over all layers: folded text, exact accents first, names that begin with the query before others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.admin_units import edition_in_use
from data.lineage import WHOLE, heirs
from data.spatial import Box
from data.text import accented, fold, has_accents
from gis import geopackage
from layers import catalogue, read
from layers.fields import Label, Layer
from layers.plan import Plan

SEARCHED = (
    "communes",
    "districts",
    "products",
    "craft_villages",
    "growing_areas",
    "producers",
    "sale_points",
)
PER_LAYER = 40
SHORTEST = 2
FORMERLY = Label("trước đây là %(name)s (mã %(code)s)", "formerly %(name)s (code %(code)s)")
PART_OF = Label(
    "%(share)d %% diện tích %(name)s cũ (mã %(code)s)", "%(share)d %% of former %(name)s (code %(code)s)"
)


@dataclass(frozen=True)
class Hit:
    """One thing found. `box` is lon/lat; `point` an inner point of it."""

    layer: Layer
    id: int
    title: str
    subtitle: str
    edition: str | None
    box: Box | None
    point: tuple[float, float] | None
    rank: tuple[int, ...]


def search(session: Session, query: str, actor: Actor, *, limit: int = 20, lang: str = "vi") -> list[Hit]:
    """Return what the caller may see that matches every word of the query, best first."""
    if len(fold(query)) < SHORTEST:
        return []
    hits = [
        hit
        for layer_id in SEARCHED
        for hit in _in_layer(session, catalogue.layer(layer_id), query, actor, lang)
    ]
    return sorted(_of_today(session, hits, actor, lang), key=lambda h: h.rank)[:limit]


def _of_today(session: Session, hits: list[Hit], actor: Actor, lang: str) -> list[Hit]:
    """Put the units of today in the place of units that were merged, split or renamed, and say what they were."""
    edition = edition_in_use(session)
    former = [h for h in hits if h.layer.id == "communes" and h.edition != edition]
    kept = {(h.layer.id, h.id): h for h in hits}
    for hit in former:
        now = heirs(session, hit.id)
        if now:
            kept.pop((hit.layer.id, hit.id), None)
        for heir in now:
            known = kept.get((hit.layer.id, heir.id))
            if known is None or hit.rank < known.rank:
                kept[(hit.layer.id, heir.id)] = _renamed(session, hit, heir.id, heir.share, actor, lang)
    return list(kept.values())


def _renamed(session: Session, hit: Hit, row_id: int, share: float, actor: Actor, lang: str) -> Hit:
    """The hit of a unit of today that was found by what a former unit was called."""
    words = FORMERLY if share >= WHOLE else PART_OF
    unit = session.execute(
        sa.select(hit.layer.model.name, hit.layer.model.code).where(hit.layer.model.id == hit.id)
    ).one()
    facts = {"name": unit.name, "code": unit.code, "share": round(100 * share)}
    current = read.one(session, hit.layer, row_id, actor) or {}
    shape = current.get("geometry")
    point = shapely.point_on_surface(shape) if shape is not None else None
    return replace(
        hit,
        id=row_id,
        title=current.get(hit.layer.search_title) or hit.title,
        subtitle=", ".join(filter(None, (current.get("district_name"), words[lang] % facts))),
        edition=current.get("edition"),
        box=tuple(shape.bounds) if shape is not None else None,
        point=(point.x, point.y) if point is not None else None,
    )


def _in_layer(session: Session, layer: Layer, query: str, actor: Actor, lang: str) -> list[Hit]:
    plan = Plan(layer, actor, session.get_bind().dialect.name)
    model = layer.model
    title = getattr(model, layer.search_title)
    subtitles = [(f, plan.expression(f)) for f in (layer.field(name) for name in layer.subtitle)]
    edition = model.edition if layer.by_edition else sa.null()
    matches = [model.search.like(f"%{_escape(word)}%", escape="\\") for word in fold(query).split()]
    statement = plan.joined(
        sa.select(model.id, title, edition, model.search, plan.geometry, *(c for _, c in subtitles))
    )
    statement = statement.where(*matches, plan.condition(edition_given=True))
    order = sa.case((model.search.like(f"{_escape(accented(query))}%", escape="\\"), 0), else_=1)
    found = session.execute(statement.order_by(order, sa.func.length(title), model.id).limit(PER_LAYER)).all()
    return [_hit(plan, layer, row, query, [f for f, _ in subtitles], lang) for row in found]


def _hit(plan: Plan, layer: Layer, row: Any, query: str, subtitles: list[Any], lang: str) -> Hit:
    row_id, title, edition, text, blob, *parts = row
    shape = None
    if blob is not None:
        shape = shapely.from_wkb(geopackage.wkb_of(blob) if plan.embedded else bytes(blob))
    labels = [_label(f, v, lang) for f, v in zip(subtitles, parts, strict=True) if v is not None]
    point = shapely.point_on_surface(shape) if shape is not None else None
    return Hit(
        layer=layer,
        id=row_id,
        title=title,
        subtitle=", ".join(labels),
        edition=edition,
        box=tuple(shape.bounds) if shape is not None else None,
        point=(point.x, point.y) if point is not None else None,
        rank=_rank(layer, title, text or "", query, row_id),
    )


def _label(field: Any, value: Any, lang: str) -> str:
    codes = field.code_list
    return codes[str(value)].label(lang) if codes and str(value) in codes else str(value)


def _rank(layer: Layer, title: str, text: str, query: str, row_id: int) -> tuple[int, ...]:
    """Rank by: accents as typed, whole name, beginning of the name, in the name at all, kind of thing."""
    typed, bare = accented(query), fold(query)
    wrong_accents = int(has_accents(query) and typed not in text)
    name = fold(title)
    closeness = 0 if name == bare else 1 if name.startswith(bare) else 2 if f" {bare}" in f" {name}" else 3
    without_marks = int(not has_accents(query) and typed != accented(title)[: len(typed)])
    return wrong_accents, closeness, without_marks, SEARCHED.index(layer.id), len(title), row_id


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
