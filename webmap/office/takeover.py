"""What happens to neighbours in the same save as a record: merged ones go, overlapping ones are trimmed."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import shapely

from layers import read
from layers.edit import Edits, Invalid, NotFound
from layers.fields import Layer
from webmap.office.conflicts import polygons_of

ACTIONS = ("delete", "trim")


@dataclass(frozen=True)
class Plan:
    """One neighbour, the version that was read of it, and whether it goes or is trimmed."""

    row_id: int
    version: int
    action: str


def plans_of(text: str) -> list[Plan]:
    """Read the plans that the form brings. Raises Invalid."""
    if not text.strip():
        return []
    try:
        plans = [Plan(int(p["id"]), int(p["version"]), p["action"]) for p in orjson.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable() from error
    if any(plan.action not in ACTIONS for plan in plans):
        raise _unreadable()
    return plans


def carry_out(edits: Edits, layer: Layer, row_id: int, plans: list[Plan]) -> None:
    """Change the neighbours of a row whose outline was just kept. Raises what an edit of each may raise."""
    if not plans:
        return
    own = read.one(edits.session, layer, row_id, edits.actor)
    ground = own["geometry"] if own else None
    for plan in plans:
        if plan.row_id == row_id:
            raise _unreadable()
        if plan.action == "delete":
            edits.delete(layer, plan.row_id, version=plan.version)
            continue
        other = read.one(edits.session, layer, plan.row_id, edits.actor)
        if other is None:
            raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=plan.row_id, layer=layer.title)
        if ground is None or other["geometry"] is None:
            continue
        rest = polygons_of(shapely.difference(other["geometry"], ground))
        if rest.is_empty:
            raise Invalid(
                "Cắt phần chồng thì hồ sơ “%(name)s” không còn đất; hãy gộp cả hồ sơ thay vì cắt.",
                field="geometry",
                name=other.get(layer.name_field) or plan.row_id,
            )
        edits.update(layer, plan.row_id, {}, rest, version=plan.version)


def _unreadable() -> Invalid:
    return Invalid("Không đọc được việc định làm với hồ sơ lân cận; hãy chọn lại.", field="geometry")
