"""The minutes of an inspection, to be printed on the spot and signed by both sides."""

from __future__ import annotations

import datetime as dt

from data import codes
from data.programme.inspections import minutes_of, points
from data.programme.tables import Inspection
from services.documents.forms import long_date, short_date
from services.documents.model import Block, Facts, Grid, Heading, Letterhead, Line, Paper, Signatures

SIGNED = "(ký, ghi rõ họ tên)"
TICK, BLANK = "☒", "☐"


def minutes(row: Inspection, *, province: str, place: str, demo: bool) -> Paper:
    """The minutes: who, what was checked, samples, faults with their deadlines, conclusion, two signatures.

    Before they are signed the same sheet has room to write. Dates are day/month/year.
    """
    signed = minutes_of(row)
    product, producer = row.product, row.producer
    blocks: list[Block] = [
        Facts(
            (
                ("Ngày kiểm tra", short_date(row.visited_on or row.planned_on)),
                ("Hình thức", codes.label("inspection_kind", row.kind)),
                ("Đoàn kiểm tra", row.team or ""),
                ("Chủ thể", producer.name if producer else ""),
                ("Địa chỉ", (producer.address or "") if producer else ""),
                ("Sản phẩm", product.name if product else ""),
                ("Hạng, số giấy chứng nhận", _standing(row)),
            )
        ),
        Heading("I. Nội dung kiểm tra"),
        _checklist(row),
        Heading("II. Mẫu đã lấy"),
        _samples(row),
        Heading("III. Điều không phù hợp và biện pháp khắc phục"),
        _faults(row),
        Heading("IV. Kết luận"),
        Line(row.conclusion or "………………………………………………………………"),
        Line(f"Ý kiến của cơ sở: {signed.get('opinion') or '………………………………'}", align="left"),
        Line(
            "Biên bản lập thành 02 bản có giá trị như nhau, mỗi bên giữ 01 bản, đã đọc cho hai bên cùng nghe."
        ),
        Signatures(
            (
                ("Đại diện cơ sở", SIGNED, str(signed.get("producer_side", ""))),
                ("Đại diện đoàn kiểm tra", SIGNED, str(signed.get("inspector_side", ""))),
            )
        ),
    ]
    day = dt.date.fromisoformat(signed["signed_on"]) if signed.get("signed_on") else row.visited_on
    return Paper(
        title="Biên bản kiểm tra",
        subtitle="Việc duy trì điều kiện của sản phẩm OCOP",
        head=Letterhead(
            (province, "Đoàn kiểm tra"), row.minutes_number or "……/BB-KT", f"{place}, {long_date(day)}"
        ),
        blocks=blocks,
        demo=demo,
        size=12,
    )


def _standing(row: Inspection) -> str:
    product = row.product
    if product is None or not product.stars:
        return "chưa xếp hạng"
    number = f", số {product.certificate_number}" if product.certificate_number else ""
    return f"{product.stars} sao{number}"


def _checklist(row: Inspection) -> Block:
    listed = points(row)
    if not listed:
        return Line("Bảng kiểm được lập khi bắt đầu kiểm tra.", italic=True)
    rows = tuple(
        (
            str(number),
            point.title,
            TICK if point.answer == "kept" else BLANK,
            TICK if point.answer == "not_kept" else BLANK,
            TICK if point.answer == "not_applicable" else BLANK,
            point.remark,
        )
        for number, point in enumerate(listed, start=1)
    )
    return Grid(
        ("TT", "Nội dung", "Đạt", "Không đạt", "Không áp dụng", "Ghi chú"), rows, (1, 7, 1.3, 1.6, 1.8, 4)
    )


def _samples(row: Inspection) -> Block:
    if not row.samples:
        return Line("Không lấy mẫu.")
    rows = tuple(
        (s["number"], s["what"], s["quantity"], s.get("seal", ""), s["custody"][-1]["holder"])
        for s in row.samples
    )
    return Grid(("Số mẫu", "Mẫu", "Lượng", "Niêm phong", "Người giữ"), rows, (3, 4, 2, 3, 3))


def _faults(row: Inspection) -> Block:
    signed = minutes_of(row).get("findings")
    listed = [f for f in row.findings if signed is None or f.id in signed]
    if not listed:
        return Line("Không có.")
    rows = tuple(
        (
            str(number),
            codes.label("finding_severity", f.severity),
            f"{f.criterion}: {f.text}" if f.criterion else f.text,
            f.action or "",
            short_date(f.due_on),
        )
        for number, f in enumerate(listed, start=1)
    )
    return Grid(("TT", "Mức độ", "Điều không phù hợp", "Khắc phục", "Thời hạn"), rows, (1, 2, 6, 5, 2.2))
