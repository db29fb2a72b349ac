"""The rules of values: what an actor may write into the fields of a layer, and as what it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, visible
from data.text import normal
from layers import catalogue
from layers.fields import Field, FieldType, Layer
from layers.filters import FilterError, cast
from layers.refusals import Invalid


class Rules:
    """The rules of one layer for one actor; a value that was judged once is remembered with its judgement.

    Rows that values refer to must not change while an object of this class is used.
    """

    def __init__(self, session: Session, actor: Actor, layer: Layer) -> None:
        self.session = session
        self.actor = actor
        self.layer = layer
        self._fields = {f.name: f for f in layer.fields}
        self._required = [f for f in layer.fields if f.required]
        self._known: dict[tuple[str, type, Any], Any] = {}

    def fill(self, row: Any, properties: Mapping[str, Any], *, creating: bool) -> None:
        """Set a row's columns from properties by field name; raises Invalid and may leave the row half filled."""
        for name, value in properties.items():
            field = self._fields.get(name)
            if field is None or not field.readable(self.actor):
                raise Invalid("Lớp không có trường “%(field)s”.", field=name)
            if not field.writable:
                continue
            typed = self.value(field, value)
            if not creating and field.while_ is not None:
                self._must_be_open(field, row, typed)
            if typed is not None or not must_hold(self.layer, field):
                setattr(row, name, typed)
        missing = [f for f in self._required if getattr(row, f.name) in (None, "")]
        if missing and (creating or any(f.name in properties for f in missing)):
            raise Invalid(
                "Trường “%(title)s” không được để trống.", field=missing[0].name, title=missing[0].title
            )

    def _must_be_open(self, field: Field, row: Any, typed: Any) -> None:
        """What was settled by an act is not typed over; the value that stands may be sent again."""
        assert field.while_ is not None
        column, state = field.while_
        if getattr(row, column) != state and typed != getattr(row, field.name):
            raise Invalid(
                "“%(title)s” đã được chốt nên không sửa ở đây; hãy ghi đính chính có lý do.",
                field=field.name,
                title=field.title,
            )

    def value(self, field: Field, value: Any) -> Any:
        """Return a value as the field keeps it; raises Invalid."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            key = (field.name, type(value), value)
            known = self._known.get(key)
        except TypeError:
            return self._judged(field, value)
        if known is None:
            try:
                known = self._judged(field, value)
            except Invalid as error:
                known = error
            self._known[key] = known
        if isinstance(known, Invalid):
            raise Invalid(known.message, **known.facts)  # type: ignore[arg-type]
        return known

    def _judged(self, field: Field, value: Any) -> Any:
        try:
            typed = cast(field, value)
        except FilterError as error:
            raise Invalid(error.message, **error.facts) from error  # type: ignore[arg-type]
        if field.type == FieldType.STRING:
            typed = str(value).strip() if field.multiline else normal(str(value))
        if field.code_list is not None and str(typed) not in field.code_list:
            raise Invalid(
                "“%(value)s” không có trong danh mục của trường “%(title)s”.",
                field=field.name,
                value=value,
                title=field.title,
            )
        if isinstance(typed, int | float) and not _within(field, typed):
            raise Invalid(
                "Giá trị %(value)s của “%(title)s” nằm ngoài giới hạn cho phép.",
                field=field.name,
                value=value,
                title=field.title,
            )
        self._check_reference(field, typed)
        return typed

    def _check_reference(self, field: Field, value: Any) -> None:
        """A number that points to another row must point to one that the actor sees."""
        for key in self.layer.model.__table__.c[field.name].foreign_keys:
            target = catalogue.layer_of_table(key.column.table.name)
            model = target.model if target else None
            if model is not None and not self.session.scalar(
                sa.select(model.id).where(model.id == value, visible(self.actor, model))
            ):
                raise Invalid(
                    "Không có bản ghi %(value)s cho trường “%(title)s”.",
                    field=field.name,
                    value=value,
                    title=field.title,
                )


def must_hold(layer: Layer, field: Field) -> bool:
    """Tell whether a field is never empty though nobody need fill it: it keeps what it holds, or its default."""
    return not field.required and not layer.model.__table__.c[field.name].nullable


def _within(field: Field, value: float) -> bool:
    low = field.minimum is None or value >= field.minimum
    return low and (field.maximum is None or value <= field.maximum)
