"""Papers that go with a lot: the A5 card with a code for each step, and the inspector's list."""

from __future__ import annotations

from collections.abc import Sequence

from data.traceability.checklist import DONE, FAULTY, Point, latest_results
from data.traceability.dossier import Dossier
from data.traceability.profiles import Ask, blocks
from services.documents.forms import short_date
from services.documents.model import Block, Codes, Facts, Grid, Heading, Line, Paper, Signatures

TICK, BLANK = "☒", "☐"
#: Blocks that get a code on the card beside the steps.
ON_CARD = ("input", "sample", "packing", "dispatch")


def card(dossier: Dossier, *, address: str, demo: bool, head: str | None = None) -> Paper:
    """The card of a lot on A5: what it is, and for each step a code that opens its form and lines to write on.

    `address` is that of the dossier, without a slash at its end; `head` the fingerprint of the newest signed head.
    """
    lot, profile = dossier.lot, dossier.profile
    steps = [
        (f"{address}/steps/{step.code}", f"{n}. {step.title['vi']}", _lines(step.parameters))
        for n, step in enumerate(profile.steps, start=1)
    ]
    others = [
        (f"{address}/record/{code}", blocks()[code].title["vi"], ())
        for code in ON_CARD
        if profile.holds(code)
    ]
    content: list[Block] = [
        Facts(
            (
                ("Sản phẩm", lot.product.name),
                ("Cơ sở", lot.producer.name if lot.producer else ""),
                ("Ngày sản xuất", short_date(lot.produced_on)),
                ("Hạn sử dụng", short_date(lot.expires_on)),
                ("Số lượng", f"{lot.quantity:g} {lot.unit or ''}" if lot.quantity else ""),
            )
        ),
        Line(
            "Quét mã của công đoạn bằng điện thoại để ghi; không có điện thoại thì ghi tay rồi nhập sau.",
            italic=True,
        ),
        Codes(tuple((says, title, lines) for says, title, lines in steps)),
    ]
    if others:
        content += [
            Heading("Việc khác", 2),
            Codes(tuple((says, title, lines) for says, title, lines in others)),
        ]
    return Paper(
        title=f"Thẻ lô {lot.lot_number}",
        blocks=content,
        sheet="a5",
        size=10,
        demo=demo,
        footer=_footer(lot.product.name, head),
    )


def _footer(name: str, head: str | None) -> str:
    """What stands under every page: a paper that is kept elsewhere proves the chain up to its day."""
    return f"{name} · chuỗi chứng cứ {head}" if head else name


def _lines(parameters: Sequence[Ask]) -> tuple[str, ...]:
    """What is written by hand: who and when, and the parameters two to a line."""
    named = [
        f"{p.title['vi']}{f' ({p.unit})' if p.unit else ''}{' *' if p.required else ''}" for p in parameters
    ]
    return ("Ngày giờ, người làm", *named)


def inspection_list(
    dossier: Dossier, points: Sequence[Point], *, demo: bool, head: str | None = None
) -> Paper:
    """The inspector's list of a lot on A4: what the profile asks, what the dossier says, room to tick and write."""
    lot, profile = dossier.lot, dossier.profile
    rows = []
    for n, point in enumerate(points, start=1):
        says = {DONE: "có trong hồ sơ", FAULTY: "có vấn đề"}.get(point.state, "chưa có")
        why = f": {point.why}" if point.why and point.state != DONE else ""
        rows.append((str(n), point.title["vi"], point.basis, says + why, BLANK, ""))
    start = len(rows)
    rows += [(str(start + n), q["vi"], "", "", BLANK, "") for n, q in enumerate(profile.inspection, start=1)]
    content: list[Block] = [
        Facts(
            (
                ("Sản phẩm", lot.product.name),
                ("Chủ thể", lot.producer.name if lot.producer else ""),
                ("Số lô", lot.lot_number),
                (
                    "Ngày sản xuất, hạn sử dụng",
                    f"{short_date(lot.produced_on)} – {short_date(lot.expires_on)}",
                ),
                ("Mẫu hồ sơ", f"{profile.title['vi']} ({'; '.join(b['text'] for b in profile.basis)})"),
            )
        ),
        Heading("I. Hồ sơ lô"),
        Grid(("TT", "Nội dung", "Căn cứ", "Hồ sơ ghi", "Đúng", "Ghi chú"), tuple(rows), (1, 5, 4, 4, 1.2, 3)),
        Heading("II. Kết quả kiểm nghiệm"),
        _results(dossier),
        Heading("III. Nhãn"),
        Line("; ".join(f"{BLANK} {item['vi']}" for item in profile.label) or "Không áp dụng.", align="left"),
        Signatures(
            (("Đại diện cơ sở", "(ký, ghi rõ họ tên)", ""), ("Người kiểm tra", "(ký, ghi rõ họ tên)", ""))
        ),
    ]
    return Paper(
        title=f"Bảng kiểm lô {lot.lot_number}",
        subtitle=lot.product.name,
        blocks=content,
        demo=demo,
        size=11,
        footer=_footer(lot.lot_number, head),
    )


def _results(dossier: Dossier) -> Block:
    latest, known = latest_results(dossier), {t.code: t for t in dossier.profile.tests}
    rows = []
    for code in dict.fromkeys([*known, *latest]):
        test, found = known.get(code), latest.get(code)
        result = found[0] if found else {}
        title = test.title["vi"] if test else str(result.get("title") or code)
        unit = test.unit if test and test.unit else ""
        verdict = {"conformant": "đạt", "non_conformant": "không đạt"}.get(str(result.get("verdict")), "")
        limit = str(result.get("limit") or (test.limit_source["vi"] if test else ""))
        rows.append((title, str(result.get("value", "")), unit, limit, verdict))
    if not rows:
        return Line("Mẫu hồ sơ này không yêu cầu kiểm nghiệm.", italic=True)
    return Grid(("Chỉ tiêu", "Kết quả", "Đơn vị", "Giới hạn", "Kết luận"), tuple(rows), (4, 2, 1.6, 3.4, 1.8))
