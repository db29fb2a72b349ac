"""Reports as workbooks and as papers: the same tables of figures as on the page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from data.programme.reports import DIMENSIONS, Fact, Line, Table
from data.programme.targets import Progress
from gis.errors import marked
from services.documents.council import number_vi
from services.documents.model import Block, Grid, Heading, Letterhead, Paper
from services.documents.model import Line as Sentence
from services.formats.csv import harmless

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The titles of the figures, in the order of `reports.MEASURES`.
TITLES = (
    marked("Sản phẩm"),
    marked("3 sao"),
    marked("4 sao"),
    marked("5 sao"),
    marked("Còn hiệu lực"),
    marked("Chủ thể"),
    marked("Doanh thu (triệu đồng)"),
)
UNITS = {
    "products": marked("sản phẩm"),
    "producers": marked("chủ thể"),
    "percent": "%",
    "billion": marked("tỷ đồng"),
}


def workbook(tables: Sequence[Table], rows: Sequence[Fact], reached: Sequence[Progress] = ()) -> bytes:
    """Return a workbook: one sheet for each table, the targets, and the products that were counted.

    Numbers are numbers; a text that a spreadsheet would take for a formula is marked as text.
    """
    book = Workbook()
    book.remove(book.active)
    for table in tables:
        title = DIMENSIONS[table.dimension]
        lines = [[line.label, *line.numbers()] for line in (*table.lines, table.total)]
        _sheet(book, title, [title, *TITLES], lines)
    if reached:
        _sheet(book, "Mục tiêu", ["Giai đoạn", "Mục tiêu", "Đơn vị", "Kế hoạch", "Thực hiện", "%"],
               [[p.target.period, p.target.vi, UNITS[p.target.unit], p.target.planned, p.actual, p.percent]
                for p in reached])  # fmt: skip
    _sheet(
        book,
        "Sản phẩm",
        ["Số", "Sản phẩm", "Chủ thể", "Xã, phường", "Hạng sao", "Ngày công nhận", "Hết hạn", TITLES[-1]],
        [
            [f.id, f.name, f.producer, f.commune_name, int(f.stars), f.certified_on, f.expires_on, f.revenue]
            for f in rows
        ],
    )
    return save(book)


def paper(
    tables: Sequence[Table], reached: Sequence[Progress], *, province: str, subtitle: str, demo: bool
) -> Paper:
    """Return the report as a paper with one table for each dimension, and the targets."""
    blocks: list[Block] = []
    for table in tables:
        lines = (*table.lines, table.total)
        blocks += [
            Heading(f"Theo {DIMENSIONS[table.dimension].lower()}"),
            Grid(
                (DIMENSIONS[table.dimension], *TITLES),
                tuple((line.label, *cells(line)) for line in lines),
                (6, 1.6, 1.3, 1.3, 1.3, 1.8, 1.6, 2.6),
                tuple(range(1, len(TITLES) + 1)),
                (len(lines) - 1,),
            ),
        ]
    if reached:
        blocks += [Heading("Mục tiêu và kinh phí"), _targets(reached)]
    blocks.append(Sentence("Mỗi chủ thể được đếm một lần trong từng dòng và trong tổng số.", italic=True))
    return Paper(
        title="Báo cáo Chương trình OCOP",
        subtitle=subtitle,
        head=Letterhead((province,)),
        blocks=blocks,
        landscape=True,
        demo=demo,
        size=11,
    )


def cells(line: Line) -> tuple[str, ...]:
    """The figures of a line as papers write them."""
    return tuple(number_vi(value, 2 if isinstance(value, float) else 0) for value in line.numbers())


def save(book: Workbook) -> bytes:
    """Return the bytes of a workbook."""
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def add_sheet(book: Workbook, title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Add a sheet with a bold head; texts that look like formulas are marked as text."""
    _sheet(book, title, head, rows)


def _sheet(book: Workbook, title: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title[:31])
    sheet.append(list(head))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([harmless(value) if isinstance(value, str) else value for value in row])
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 36


def _targets(reached: Sequence[Progress]) -> Grid:
    rows = tuple(
        (
            p.target.period,
            p.target.vi,
            f"{number_vi(p.target.planned, 3)} {UNITS[p.target.unit]}",
            "chưa có số liệu" if p.actual is None else number_vi(p.actual, 3),
            "" if p.percent is None else f"{number_vi(p.percent, 1)} %",
        )
        for p in reached
    )
    return Grid(("Đến năm", "Mục tiêu", "Kế hoạch", "Thực hiện", "Đạt"), rows, (1.5, 6, 3, 3, 2), (2, 3, 4))
