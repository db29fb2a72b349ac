"""How a layer's declaration becomes SQL for one caller: expressions, guarded joins, permission, box, order.

A joined row that the caller may not see gives NULL, and a field that is not theirs on some rows is NULL on those,
in results and in filters alike.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from data import spatial
from data.accounts import Actor, own_rows, scope, visible
from data.admin_units import EDITION_IN_USE, FIRST_EDITION
from data.tables import RecordFact
from layers.fields import Field, FieldType, Layer
from layers.filters import FilterError

SQL_TYPES: dict[FieldType, Any] = {
    FieldType.STRING: sa.Text(),
    FieldType.INTEGER: sa.BigInteger(),
    FieldType.NUMBER: sa.Double(),
    FieldType.BOOLEAN: sa.Boolean(),
    FieldType.DATE: sa.Date(),
}


class Plan:
    """The SQL of one layer for one caller on one kind of database."""

    def __init__(self, layer: Layer, actor: Actor, dialect: str) -> None:
        self.layer = layer
        self.actor = actor
        self.embedded = dialect == "geopackage"
        self.model = layer.model
        self._aliases: dict[str, Any] = {}
        self._joins: list[tuple[Any, sa.ColumnElement[bool]]] = []

    # ---- fields

    def expression(self, field: Field) -> sa.ColumnElement[Any]:
        """Return the SQL of a field: NULL on rows where the caller may not read it."""
        column = field.path(self.model) if callable(field.path) else self._column(field.path)
        reach = scope(self.actor, field.audience)
        if reach == "all":
            return column
        own = own_rows(self.actor, self.model) if reach == "own" else None
        if own is None:
            return sa.null()
        return sa.case((own, column), else_=sa.null())

    def _column(self, path: str) -> sa.ColumnElement[Any]:
        *relations, name = path.split(".")
        entity: Any = self.model
        for depth in range(len(relations)):
            entity = self._join(entity, ".".join(relations[: depth + 1]), relations[depth])
        return getattr(entity, name)  # type: ignore[no-any-return]

    def _join(self, parent: Any, path: str, relation: str) -> Any:
        if path not in self._aliases:
            attribute = getattr(parent, relation)
            target = aliased(attribute.property.mapper.class_)
            local, _ = attribute.property.local_remote_pairs[0]
            on = getattr(parent, local.key) == target.id
            self._aliases[path] = target
            self._joins.append((target, sa.and_(on, visible(self.actor, target))))
        return self._aliases[path]

    def lookup(self, name: str) -> tuple[Field, sa.ColumnElement[Any]]:
        """Return the field and SQL of a queryable; refuses names the caller may not read as unknown."""
        try:
            field = self.layer.field(name)
        except KeyError:
            field = None
        if field is None or not field.queryable or not field.readable(self.actor):
            raise FilterError("Lớp “%(layer)s” không có trường “%(field)s”.", layer=self.layer.id, field=name)
        return field, self.expression(field)

    # ---- geometry

    @property
    def geometry(self) -> sa.ColumnElement[Any]:
        """The stored bytes of the geometry: a GeoPackage blob, or WKB from PostGIS."""
        raw = spatial.raw_geometry(self.model)
        return raw if self.embedded else sa.func.ST_AsBinary(raw, type_=sa.LargeBinary)

    def in_box(self, *, exact: bool) -> sa.ColumnElement[bool]:
        """Say that a row meets `spatial.BOX`: by its own box, or exactly by its geometry."""
        if exact:
            return spatial.intersects_box(self.model, embedded=self.embedded)
        return spatial.meets_box(self.model, spatial.BOX, embedded=self.embedded)

    # ---- rows

    def condition(self, *, edition_given: bool) -> sa.ColumnElement[bool]:
        """Say which rows the caller sees, in the edition in use unless one was asked for."""
        rule = visible(self.actor, self.model)
        if not self.layer.by_edition or edition_given:
            return rule
        chosen = sa.select(RecordFact.value).where(RecordFact.key == EDITION_IN_USE).scalar_subquery()
        return sa.and_(rule, self.model.edition == sa.func.coalesce(chosen, FIRST_EDITION))

    def joined(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """Add the joins that the expressions so far need."""
        statement = statement.select_from(self.model)
        for target, on in self._joins:
            statement = statement.outerjoin(target, on)
        return statement
