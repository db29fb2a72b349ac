"""Papers as Word documents that an officer may go on editing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import segno
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from services.documents.model import (
    Block,
    Codes,
    Facts,
    Grid,
    Heading,
    Letterhead,
    Line,
    NewPage,
    Paper,
    Signatures,
)

FONT = "Times New Roman"
STATE = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
MARK = {"vi": "DỮ LIỆU MINH HOẠ", "en": "DEMONSTRATION DATA"}
DOTS = "." * 60
ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}


def to_docx(paper: Paper) -> bytes:
    """Return a paper as a Word document."""
    document = Document()
    _page(document, paper)
    _style(document, paper.size)
    if paper.form:
        _write(document, paper.form, bold=True, align="right")
    if paper.head is not None:
        _letterhead(document, paper.head)
    _write(
        document,
        paper.title.upper(),
        bold=True,
        align="center",
        size=paper.size * (2 if paper.framed else 1.15),
    )
    if paper.subtitle:
        _write(document, paper.subtitle, bold=True, align="center")
    for block in paper.blocks:
        _block(document, block)
    document.core_properties.title = paper.title
    document.core_properties.language = paper.language
    document.core_properties.author = ""
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _page(document: Any, paper: Paper) -> None:
    section = document.sections[0]
    short, long = (Cm(14.8), Cm(21)) if paper.sheet == "a5" else (Cm(21), Cm(29.7))
    width, height = (long, short) if paper.landscape else (short, long)
    section.orientation = WD_ORIENT.LANDSCAPE if paper.landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = width, height
    section.top_margin = section.bottom_margin = Cm(2)
    section.left_margin, section.right_margin = Cm(2.5), Cm(1.8)
    if paper.demo:
        run = section.header.paragraphs[0].add_run(MARK.get(paper.language, MARK["vi"]))
        run.bold, run.font.color.rgb = True, RGBColor(0x99, 0x33, 0x00)
        section.header.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
    if paper.footer:
        section.footer.paragraphs[0].add_run(paper.footer).font.size = Pt(9)


def _style(document: Any, size: float) -> None:
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(size)
    # Word keeps one font name per script; without these Vietnamese capitals may fall back to another face.
    fonts = normal.element.rPr.rFonts
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FONT)
    normal.paragraph_format.space_after = Pt(4)


def _write(
    place: Any,
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    align: str = "justify",
    size: float | None = None,
) -> Any:
    paragraph = place.add_paragraph()
    paragraph.alignment = ALIGN[align]
    run = paragraph.add_run(text)
    run.bold, run.italic = bold, italic
    if size is not None:
        run.font.size = Pt(size)
    return paragraph


def _letterhead(document: Any, head: Letterhead) -> None:
    table = document.add_table(rows=1, cols=2)
    left, right = table.rows[0].cells
    lines = [(text.upper(), n == len(head.authority) - 1) for n, text in enumerate(head.authority)]
    if head.number:
        lines.append((f"Số: {head.number}", False))
    _fill(left, lines)
    state = [(STATE[0], True), (STATE[1], True)]
    if head.place_date:
        state.append((head.place_date, False))
    _fill(right, state)
    document.add_paragraph()


def _fill(cell: Any, lines: Sequence[tuple[str, bool]]) -> None:
    for number, (text, bold) in enumerate(lines):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.add_run(text).bold = bold


def _block(document: Any, block: Block) -> None:
    if isinstance(block, Heading):
        _write(document, block.text, bold=True, align="left")
    elif isinstance(block, Line):
        _write(document, block.text, bold=block.bold, italic=block.italic, align=block.align, size=block.size)
    elif isinstance(block, Facts):
        for label, value in block.rows:
            paragraph = _write(document, f"{label}: ", align="left")
            paragraph.add_run(value or DOTS).bold = bool(value)
    elif isinstance(block, Grid):
        _grid(document, block)
    elif isinstance(block, Signatures):
        _signatures(document, block)
    elif isinstance(block, Codes):
        _codes(document, block)
    elif isinstance(block, NewPage):
        document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)


def _codes(document: Any, block: Codes) -> None:
    table = document.add_table(rows=0, cols=2)
    for says, title, lines in block.rows:
        code, text = table.add_row().cells
        drawn = io.BytesIO()
        segno.make(says, error="m", micro=False).save(drawn, kind="png", border=2, scale=4)
        drawn.seek(0)
        code.paragraphs[0].add_run().add_picture(drawn, width=Cm(2))
        _fill(text, [(title, True), *((f"{line}: {DOTS}", False) for line in lines)])
        code.width = Cm(2.4)


def _grid(document: Any, block: Grid) -> None:
    table = document.add_table(rows=1, cols=len(block.header), style="Table Grid")
    section = document.sections[0]
    usable = section.page_width - section.left_margin - section.right_margin
    widths = [int(usable * w / sum(block.widths)) for w in block.widths]
    for cell, text in zip(table.rows[0].cells, block.header, strict=True):
        _fill(cell, [(text, True)])
    for number, row in enumerate(block.rows):
        cells = table.add_row().cells
        for column, text in enumerate(row):
            paragraph = cells[column].paragraphs[0]
            paragraph.add_run(text).bold = number in block.bold_rows
            if column in block.right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = width
    _repeat_header(table.rows[0])
    document.add_paragraph()


def _repeat_header(row: Any) -> None:
    properties = row._tr.get_or_add_trPr()
    header = properties.makeelement(qn("w:tblHeader"), {qn("w:val"): "true"})
    properties.append(header)


def _signatures(document: Any, block: Signatures) -> None:
    table = document.add_table(rows=1, cols=len(block.people))
    for cell, (role, note, name) in zip(table.rows[0].cells, block.people, strict=True):
        _fill(
            cell, [(role.upper(), True), (note, False), ("", False), ("", False), ("", False), (name, True)]
        )
