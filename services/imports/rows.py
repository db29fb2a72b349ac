"""What is said of each row before anything is kept: added, changed, repeated, refused, and why."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from data.spatial import Box
from gis.errors import Refusal, marked
from layers.fields import Label

Shapes = npt.NDArray[np.object_]


class RowState(enum.StrEnum):
    """What becomes of a row."""

    ADD = "add"
    UPDATE = "update"
    SAME = "same"
    DUPLICATE = "duplicate"
    OUTSIDE = "outside"
    REFUSED = "refused"


STATE_TITLES: dict[RowState, str] = {
    RowState.ADD: marked("thêm mới"),
    RowState.UPDATE: marked("cập nhật"),
    RowState.SAME: marked("không đổi"),
    RowState.DUPLICATE: marked("trùng"),
    RowState.OUTSIDE: marked("ngoài địa bàn"),
    RowState.REFUSED: marked("bị từ chối"),
}
BARRED = frozenset({RowState.OUTSIDE, RowState.REFUSED})


@dataclass
class RowReport:
    """One row: its number in the file, what becomes of it, and what there is to say of it.

    `message` with `facts` is why it is barred, `field` where; areas are in hectares, before and after a
    repair for `reason`; `same_row` and `same_record` name what it repeats; `overlaps` lists (hectares, row
    number, record id); `changes` is {field: [old, new]} of an update of `record`; `box` is lon/lat.
    """

    number: int
    state: RowState
    name: str = ""
    message: str = ""
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    field: str = ""
    repaired: bool = False
    reason: str = ""
    reason_facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    area_before: float | None = None
    area_after: float | None = None
    same_row: int | None = None
    same_record: int | None = None
    overlaps: list[tuple[float, int | None, int | None]] = dataclasses.field(default_factory=list)
    record: int | None = None
    version: int | None = None
    changes: dict[str, list[Any]] = dataclasses.field(default_factory=dict)
    box: Box | None = None

    @property
    def sentence(self) -> str:
        """Why the row is barred, in Vietnamese."""
        return self.message % self.facts if self.facts else self.message

    def bar(self, error: Refusal, state: RowState = RowState.REFUSED) -> None:
        """Say why the row cannot be kept."""
        self.state = state
        self.message = error.message
        self.facts = {n: f.vi if isinstance(f, Label) else _plain(f) for n, f in error.facts.items()}
        self.field = str(error.facts.get("field", ""))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> RowReport:
        """The report that `as_dict` was made of."""
        return cls(**{**kept, "state": RowState(kept["state"])})


def _plain(value: object) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


@dataclass
class Report:
    """The report of a whole file, in the order of its rows."""

    rows: list[RowReport]
    crs: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each state, and how many are repaired or overlap."""
        counted = Counter(str(row.state) for row in self.rows)
        whole = {str(state): counted.get(str(state), 0) for state in RowState}
        whole["repaired"] = sum(row.repaired for row in self.rows)
        whole["overlapping"] = sum(bool(row.overlaps) for row in self.rows)
        return whole

    @property
    def barred(self) -> list[RowReport]:
        """The rows that cannot be kept."""
        return [row for row in self.rows if row.state in BARRED]


def boxes_of(shapes: Shapes) -> Iterable[Box | None]:
    """The box of each shape, or None."""
    for west, south, east, north in shapely.bounds(shapes).tolist():
        yield None if west != west else (west, south, east, north)
