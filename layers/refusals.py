"""Why an edit is refused: the errors of the edit path, each with the facts that the caller needs."""

from __future__ import annotations

from gis.errors import Refusal
from layers.fields import Layer


class EditError(Refusal):
    """An edit was refused; nothing was changed."""


class NotAllowed(EditError):
    """The actor may not make this change."""


class NotFound(EditError):
    """There is no such row for the actor."""


class Invalid(EditError):
    """A value or the geometry cannot be kept; `field` says which."""

    def __init__(self, message: str, *, field: str = "", **facts: object) -> None:
        super().__init__(message, field=field, **facts)
        self.field = field


class Conflict(EditError):
    """Somebody else changed the row since the actor read it; `current` is the version that is kept now."""

    def __init__(self, layer: Layer, row_id: int, current: int) -> None:
        super().__init__(
            "Hồ sơ số %(id)s của lớp “%(layer)s” đã được người khác sửa (phiên bản hiện tại %(current)s); "
            "chưa có gì bị ghi đè. Hãy xem lại rồi lưu lần nữa.",
            layer=layer.title,
            id=row_id,
            current=current,
        )
        self.layer = layer
        self.row_id = row_id
        self.current = current
