"""Places within places: which names an event may carry when it happened somewhere inside a named place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from data.admin_units import Commune, District
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import SalePoint
from data.traceability.identifiers import OWN, canonical, own_parts


def within(column: Any, uris: Sequence[str]) -> sa.ColumnElement[bool]:
    """Say in SQL that a column names one of the places or what lies in it.

    In a commune lie its producers, growing areas and shops; in a district its communes with theirs; at a producer
    its growing areas; at a place with a GLN the parts of it that have an extension.
    """
    rules: list[sa.ColumnElement[bool]] = []
    for uri in dict.fromkeys((*uris, *map(canonical, uris))):
        rules.append(column == uri)
        rules.extend(_inside(column, uri))
    return sa.or_(*rules)


def _inside(column: Any, uri: str) -> Iterable[sa.ColumnElement[bool]]:
    if "/414/" in uri and "/254/" not in uri:
        yield column.startswith(f"{uri}/254/", autoescape=True)
    kind, _, value = uri.removeprefix(OWN).partition(":")
    own = own_parts(uri) or (kind, value)
    if uri.startswith(OWN) and own[0] in ("commune", "district", "province"):
        communes = _communes(own[0], own[1])
        if own[0] != "commune":
            yield column.in_(_named("commune", sa.select(Commune.code).where(Commune.id.in_(communes))))
        for name, model in (("producer", Producer), ("area", GrowingArea), ("salepoint", SalePoint)):
            rows = sa.select(model.id).where(model.commune_id.in_(communes))
            yield column.in_(_named(name, rows))
    if own[0] == "producer" and own[1].isdigit() and len(own[1]) <= 18:
        areas = sa.select(GrowingArea.id).where(GrowingArea.producer_id == int(own[1]))
        yield column.in_(_named("area", areas))


def _communes(kind: str, code: str) -> sa.Select[Any]:
    if kind == "commune":
        return sa.select(Commune.id).where(Commune.code == code)
    if kind == "district":
        districts = sa.select(District.id).where(District.code == code)
        return sa.select(Commune.id).where(Commune.district_id.in_(districts))
    return sa.select(Commune.id)


def _named(kind: str, rows: sa.Select[Any]) -> sa.Select[tuple[str]]:
    """Select the names of rows: `urn:ocop:{kind}:{value}`."""
    inner = rows.subquery()
    return sa.select(sa.literal(f"{OWN}{kind}:").concat(sa.cast(inner.c[0], sa.Text)))
