"""Forms 01, 02 and 03 of Decision 26/2026/QĐ-TTg, filled with what a dossier holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from data import codes
from data.programme.criteria import ProductSet
from data.programme.forms import FormField, forms
from data.programme.scoring import Ballot, mark
from data.programme.tables import CommuneCheck, Dossier, Receipt
from services.documents.model import Block, Facts, Grid, Heading, Letterhead, Line, Paper, Signatures

SIGNED = "(ký, ghi rõ họ tên, đóng dấu nếu có)"
TICK, BLANK = "☒", "☐"


def long_date(day: dt.date | None) -> str:
    """A date as official papers write it."""
    return f"ngày {day.day:02d} tháng {day.month:02d} năm {day.year}" if day else "ngày …… tháng …… năm ……"


def short_date(day: dt.date | None) -> str:
    """A date in figures."""
    return day.strftime("%d/%m/%Y") if day else ""


def registration(dossier: Dossier, product_set: ProductSet, *, demo: bool) -> Paper:
    """Form 01, the registration, with the blocks of the two offices that receive it."""
    values = dossier.forms
    rows = tuple((f.title["vi"], _value(f, values.get(f.name))) for f in forms().form01 if f.name != "pledge")
    kinds = [(k, c.vi) for k, c in codes.code_list("dossier_kind").items()]
    ticks = "   ".join(f"{TICK if key == dossier.kind else BLANK} {title}" for key, title in kinds)
    blocks: list[Block] = [
        Facts(rows),
        Facts(
            (
                ("Bộ sản phẩm", f"{product_set.number}. {product_set.name}"),
                ("Ngành, nhóm", product_set.classification),
            )
        ),
        Line(f"Lần đăng ký: {ticks}", align="left"),
        Line(forms().form01[-1].title["vi"] + "."),
        Signatures((("", "", ""), ("Chủ thể đăng ký", SIGNED, str(values.get("representative", ""))))),
    ]
    for level, title in (
        ("commune", "ỦY BAN NHÂN DÂN XÃ TIẾP NHẬN"),
        ("province", "CƠ QUAN CẤP TỈNH TIẾP NHẬN"),
    ):
        blocks += [Heading(title, 2), _office(next((r for r in dossier.receipts if r.level == level), None))]
    return Paper(
        title="Phiếu đăng ký",
        subtitle="Đánh giá, phân hạng sản phẩm OCOP",
        form="Mẫu 01",
        blocks=blocks,
        demo=demo,
    )


def self_assessment(dossier: Dossier, product_set: ProductSet, *, demo: bool) -> Paper:
    """Form 02, the report on the producer's own assessment, with every criterion and its evidence."""
    values = dossier.forms
    blocks: list[Block] = []
    for section in forms().form02:
        if section.section == "IV":
            blocks += _own_scores(dossier, product_set)
        blocks += [
            Heading(f"{section.section}. {section.title['vi']}"),
            Facts(_facts(section.fields, values)),
        ]
    more = forms().more.get(dossier.kind, ())
    if more:
        blocks += [Heading("V. Thay đổi, cập nhật"), Facts(_facts(more, values))]
    blocks += [Heading("Danh mục minh chứng"), _evidence(dossier)]
    blocks.append(Signatures((("", "", ""), ("Chủ thể", SIGNED, str(values.get("representative", ""))))))
    return Paper(
        title="Báo cáo tự đánh giá", subtitle=dossier.product.name, form="Mẫu 02", blocks=blocks, demo=demo
    )


def commune_report(
    dossier: Dossier, check: CommuneCheck | None, *, province: str, commune: str, demo: bool
) -> Paper:
    """Form 03, the commune's report on the four contents."""
    values, judged = dossier.forms, check.contents if check else {}
    rows = tuple(
        (
            str(number),
            title["vi"],
            {True: "Đạt", False: "Không đạt"}.get(judged.get(content, {}).get("met"), ""),
            str(judged.get(content, {}).get("remark", "")),
        )
        for number, (content, title) in enumerate(forms().contents.items(), start=1)
    )
    day = check.checked_on if check else None
    return Paper(
        title="Báo cáo",
        subtitle="Kết quả kiểm tra, đánh giá hồ sơ sản phẩm OCOP",
        form="Mẫu 03",
        head=Letterhead(
            (province, f"UBND {commune}"),
            check.letter_number or "" if check else "",
            f"{commune}, {long_date(day)}",
        ),
        blocks=[
            Heading("I. Thông tin chủ thể"),
            Facts(
                (
                    ("Chủ thể", str(values.get("organisation", ""))),
                    ("Địa chỉ", str(values.get("address", ""))),
                    ("Sản phẩm", dossier.product.name),
                    ("Mã số sản phẩm", str(judged.get("product_number", ""))),
                )
            ),
            Heading("II. Nhận xét bốn nội dung"),
            Grid(("TT", "Nội dung", "Kết quả", "Nhận xét"), rows, (1, 6, 2, 7)),
            Heading("III. Đề nghị"),
            Line(
                (check.proposal if check else None)
                or "Đề nghị Ủy ban nhân dân tỉnh xem xét, đánh giá sản phẩm."
            ),
            Signatures((("Nơi nhận", "", ""), ("TM. Ủy ban nhân dân", "(ký, đóng dấu)", ""))),
        ],
        demo=demo,
    )


def _office(receipt: Receipt | None) -> Facts:
    return Facts(
        (
            ("Phiếu số", receipt.number if receipt else ""),
            ("Ngày nhận", short_date(receipt.received_on) if receipt else ""),
            ("Số mẫu", str(receipt.samples or "") if receipt else ""),
            ("Người tiếp nhận", receipt.actor or "" if receipt else ""),
        )
    )


def _own_scores(dossier: Dossier, product_set: ProductSet) -> list[Block]:
    marks = mark(product_set, Ballot(dossier.choices))
    rows: list[tuple[str, ...]] = []
    bold = []
    for part in product_set.parts:
        bold.append(len(rows))
        rows.append((part.code, part.name, str(part.max), str(marks.parts[part.code])))
        for section in part.sections:
            for criterion in section.judged:
                index = dossier.choices.get(criterion.code)
                chosen = "" if index is None else f": {criterion.options[index].label}"
                points = marks.points.get(criterion.code)
                rows.append(
                    (
                        criterion.code,
                        criterion.name + chosen,
                        str(criterion.max),
                        "" if points is None else str(points),
                    )
                )
    bold.append(len(rows))
    rows.append(("", "Tổng điểm", "100", str(marks.total)))
    return [
        Heading("III. Kết quả tự đánh giá theo từng tiêu chí"),
        Grid(
            ("Mã", "Tiêu chí và mức tự chấm", "Tối đa", "Điểm"),
            tuple(rows),
            (2, 12, 2, 2),
            (2, 3),
            tuple(bold),
        ),
    ]


def _evidence(dossier: Dossier) -> Grid:
    titles = {r.row: r.title["vi"] for r in forms().evidence}
    rows = tuple(
        (
            str(number),
            titles.get(e.kind, e.kind),
            e.title + (f" ({e.file_name})" if e.file_name else ""),
            e.criterion or "",
            short_date(e.expires_on),
        )
        for number, e in enumerate((e for e in dossier.evidence if e.withdrawn_at is None), start=1)
    )
    return Grid(("TT", "Loại", "Minh chứng", "Tiêu chí", "Hết hạn"), rows, (1, 5, 7, 2, 2.5))


def _facts(fields: Sequence[FormField], values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((f.title["vi"], _value(f, values.get(f.name))) for f in fields)


def _value(field: FormField, value: Any) -> str:
    if field.type == "tick":
        return TICK if value else BLANK
    if value in (None, "", []):
        return ""
    if field.codes:
        return codes.label(field.codes, value, "vi")
    named = {key: vi for key, vi, _en in field.options}
    if isinstance(value, list):
        return ", ".join(named.get(v, str(v)) for v in value)
    if field.type == "date":
        return short_date(dt.date.fromisoformat(str(value)))
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", " ").replace(".", ",").replace(" ", ".")
    return named.get(str(value), str(value))


__all__ = ["commune_report", "long_date", "registration", "self_assessment", "short_date"]
