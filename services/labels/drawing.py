"""Labels drawn by typst as SVG, PNG or PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import orjson
import typst

from services.labels.layout import DOTS_PER_MM, QUIET_ZONE, Size, code_of, fit, grid

PIXELS_PER_INCH = 600
MARK = "DỮ LIỆU MINH HOẠ"

#: A number and the unit after it stay on one row.
_NUMBER_WITH_UNIT = re.compile(r"(\d) (\w)")

Paper = Literal["label", "a4"]


@dataclass(frozen=True)
class Label:
    """What one label says: the link in its code, the product's name, and rows of text beneath."""

    link: str
    name: str
    rows: tuple[str, ...]


def draw(
    labels: Sequence[tuple[Label, int]],
    size: Size,
    form: Literal["svg", "png", "pdf"],
    *,
    paper: Paper = "label",
    mark: str = "",
    font: Path | None = None,
) -> bytes:
    """Return labels, each so many times, as one picture or as a PDF.

    On paper `label` every label is a page of its own size; `a4` sets them in rows with lines to cut along. `mark`
    stands upright beside the code. Raises LabelError for a code that does not fit.
    """
    columns, rows = grid(size) if paper == "a4" else (1, 1)
    sheet: dict[str, Any] = {
        "paper": paper,
        "width": size.width,
        "height": size.height,
        "columns": columns,
        "rows": rows,
        "mark": mark,
        "labels": [_design(label, size) | {"copies": copies} for label, copies in labels],
    }
    inputs: dict[str, str] = {"sheet": orjson.dumps(sheet).decode()}
    made = typst.compile(  # type: ignore[misc]  # its stub wants source and paths of one type
        _source(),
        format=form,
        ppi=PIXELS_PER_INCH if form == "png" else None,
        font_paths=[font.parent] if font else [],
        sys_inputs=inputs,
    )
    assert isinstance(made, bytes)
    return made


def _design(label: Label, size: Size) -> dict[str, Any]:
    code = code_of(label.link)
    modules = int(code.symbol_size(border=0)[0])
    placed = fit(modules, size, len(label.rows))
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=0, xmldecl=False, nl=False)
    return {
        "qr": picture.getvalue().decode(),
        "symbol": placed.symbol_mm,
        "quiet": QUIET_ZONE * placed.module_mm,
        "left": _left(size, placed.symbol_mm),
        "points": placed.points,
        "name": _NUMBER_WITH_UNIT.sub("\\1\u00a0\\2", label.name),
        "name_rows": placed.name_rows,
        "rows": label.rows,
    }


def _left(size: Size, symbol: float) -> float:
    """Return where a symbol begins so that it stands in the middle, on a whole dot."""
    return round((size.width - symbol) / 2 * DOTS_PER_MM) / DOTS_PER_MM


@cache
def _source() -> bytes:
    return resources.files("services.labels").joinpath("labels.typ").read_bytes()
