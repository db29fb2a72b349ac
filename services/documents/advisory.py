"""The report of the advisory group on one dossier."""

from __future__ import annotations

from data.programme.criteria import ProductSet
from data.programme.tables import AdvisoryReport
from services.documents.forms import SIGNED, long_date, short_date
from services.documents.model import Block, Facts, Grid, Heading, Letterhead, Line, Paper, Signatures


def report(row: AdvisoryReport, product_set: ProductSet, *, province: str, demo: bool) -> Paper:
    """What the group's member found: survey, remarks with the advised option, further tests, conclusion."""
    dossier = row.dossier
    blocks: list[Block] = [
        Facts(
            (
                ("Sản phẩm", dossier.product.name),
                ("Chủ thể", str(dossier.forms.get("organisation", ""))),
                ("Bộ sản phẩm", f"{product_set.number}. {product_set.name}"),
                ("Người thẩm tra", f"{row.member.name}, {row.member.agency}"),
                ("Ngày khảo sát", short_date(row.surveyed_on)),
            )
        ),
        Heading("I. Khảo sát thực tế"),
        Line(row.survey or "Không khảo sát."),
        Heading("II. Nhận xét theo tiêu chí"),
        _remarks(row, product_set),
        Heading("III. Kiểm nghiệm bổ sung"),
        _tests(row),
        Heading("IV. Kết luận"),
        Line(row.conclusion or ""),
        Signatures((("", "", ""), ("Người thẩm tra", SIGNED, row.member.name))),
    ]
    finished = row.finished_at.date() if row.finished_at else None
    return Paper(
        title="Báo cáo thẩm tra",
        subtitle=dossier.product.name,
        head=Letterhead((province, row.member.council.name), "", long_date(finished)),
        blocks=blocks,
        demo=demo,
    )


def _remarks(row: AdvisoryReport, product_set: ProductSet) -> Block:
    rows = []
    for code, criterion in product_set.criteria.items():
        index, remark = row.choices.get(code), str(row.remarks.get(code, ""))
        if index is None and not remark:
            continue
        option = None if index is None else criterion.options[index]
        advised = f"{option.points} điểm: {option.label}" if option else ""
        rows.append((code, criterion.name, advised, remark))
    if not rows:
        return Line("Không có nhận xét riêng.")
    return Grid(("Mã", "Tiêu chí", "Đề xuất mức", "Nhận xét"), tuple(rows), (1.4, 5, 6, 6))


def _tests(row: AdvisoryReport) -> Block:
    if not row.tests:
        return Line("Không yêu cầu.")
    rows = tuple((t["name"], t["asked_on"], t["laboratory"], t["result"]) for t in row.tests)
    return Grid(("Chỉ tiêu", "Ngày yêu cầu", "Nơi kiểm nghiệm", "Kết quả"), rows, (5, 3, 5, 5))
