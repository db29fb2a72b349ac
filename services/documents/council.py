"""The papers of a council: ballot, summary of points, minutes, proposal, draft decision, certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from data import codes
from data.programme.criteria import Edition, ProductSet
from data.programme.scoring import Ballot, mark
from data.programme.tables import AgendaItem, BallotPaper, Certificate, Council, CouncilSession, Dossier
from services.documents.forms import long_date, short_date
from services.documents.model import Block, Facts, Grid, Heading, Letterhead, Line, Paper, Signatures

SIGNED = "(ký, ghi rõ họ tên)"
TICK, BLANK = "☒", "☐"


def number_vi(value: float | int, decimals: int = 2) -> str:
    """A number the Vietnamese way, without needless zeros."""
    text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:,}"
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


def ballot_paper(
    dossier: Dossier,
    product_set: ProductSet,
    edition: Edition,
    *,
    ballot: BallotPaper | None = None,
    member: str = "",
    demo: bool = False,
) -> Paper:
    """Annex II, one member's ballot, blank or as it was submitted; every option stands with a box."""
    choices = ballot.choices if ballot else {}
    marks = mark(product_set, Ballot(choices))
    blocks: list[Block] = [
        Facts(
            (
                ("Tên sản phẩm", dossier.product.name),
                ("Chủ thể", str(dossier.forms.get("organisation", ""))),
                ("Địa chỉ", str(dossier.forms.get("address", ""))),
                ("Thành viên Hội đồng", member),
            )
        )
    ]
    for part in product_set.parts:
        rows: list[tuple[str, ...]] = []
        bold = []
        for section in part.sections:
            bold.append(len(rows))
            rows.append(
                (
                    section.code,
                    section.name,
                    str(section.max),
                    str(marks.sections[section.code]) if ballot else "",
                )
            )
            for criterion in section.judged:
                own_line = len(section.judged) > 1 or criterion.code != section.code
                if own_line:
                    points = marks.points.get(criterion.code)
                    rows.append(
                        (
                            criterion.code,
                            criterion.name,
                            str(criterion.max),
                            "" if points is None else str(points),
                        )
                    )
                for index, option in enumerate(criterion.options):
                    box = TICK if choices.get(criterion.code) == index else BLANK
                    star = f" ({option.min_star}★)" if option.min_star else ""
                    rows.append(("", f"{box} {option.label}{star}", str(option.points), ""))
        blocks += [
            Heading(f"Phần {part.code}. {part.name} ({part.max} điểm)"),
            Grid(("Mã", "Tiêu chí", "Điểm", "Chấm"), tuple(rows), (1.6, 13, 1.6, 1.6), (2, 3), tuple(bold)),
        ]
    total = number_vi(marks.total) if ballot else ""
    blocks += [
        Facts((("Tổng điểm", total), ("Ý kiến khác", (ballot.opinion or "") if ballot else ""))),
        Signatures((("", "", ""), ("Thành viên Hội đồng", SIGNED, member))),
    ]
    return Paper(
        title="Phiếu đánh giá",
        subtitle=f"Bộ sản phẩm {product_set.number}: {product_set.name}",
        form="Phụ lục II",
        blocks=blocks,
        demo=demo,
        size=10,
        footer=f"{edition.decrees[0]['number']}"
        + (f" · {ballot.sha256[:16]}" if ballot and ballot.sha256 else ""),
    )


def minutes(meeting: CouncilSession, *, province: str, place: str, demo: bool) -> Paper:
    """The minutes of a session, signed by chair and secretary."""
    council = meeting.council
    written = meeting.mode == "written"
    taking_part = {b.member_id for i in meeting.items for b in i.ballots} if written else set(meeting.present)
    there = [m for m in council.members if m.id in taking_part]
    away = [
        m
        for m in council.members
        if m.left_on is None and m.id not in taking_part and not (written and not m.votes)
    ]
    kept = meeting.minutes or {}
    blocks: list[Block] = [
        Facts(
            (
                ("Thời gian", _moment(meeting.starts_at)),
                ("Địa điểm", meeting.place or ""),
                ("Hội đồng", f"{council.name}, thành lập theo Quyết định số {council.decision_number or '……'} "
                             f"{long_date(council.decision_date)}"),
            )
        ),
        Heading("I. Thành phần"),
        _members(there),
        Line(
            f"{'Không có ý kiến' if written else 'Vắng mặt'}: {', '.join(m.name for m in away) or 'không'}.",
            align="left",
        ),
        Heading("II. Kết quả chấm điểm"),
        _results(meeting.items),
        Heading("III. Thảo luận, kiến nghị"),
        *(Line(f"{i.dossier.product.name}: {i.discussion}") for i in meeting.items if i.discussion),
        *(
            Line(f"{b.member.name} ({i.dossier.product.name}): {b.opinion}")
            for i in meeting.items
            for b in i.ballots
            if written and b.opinion and b.state == "submitted"
        ),
        Line(str(kept.get("text", "")) or "Không có ý kiến khác."),
        Line("Biên bản được lập thành 02 bản, đã đọc cho các thành viên nghe và thống nhất."),
        Signatures(
            (("Thư ký", SIGNED, _name(council, "secretary")), ("Chủ tịch Hội đồng", SIGNED, _name(council, "chair")))
        ),
    ]  # fmt: skip
    return Paper(
        title="Biên bản",
        subtitle=f"{'Lấy ý kiến bằng văn bản' if written else 'Họp'} Hội đồng đánh giá, phân hạng sản phẩm OCOP",
        head=Letterhead((province, council.name), "", f"{place}, {long_date(meeting.starts_at.date())}"),
        blocks=blocks,
        demo=demo,
    )


def summary(meeting: CouncilSession, *, province: str, demo: bool) -> Paper:
    """The table of all members' points, one row for each product."""
    voting = [m for m in meeting.council.members if m.votes]
    rows = []
    for number, item in enumerate(meeting.items, start=1):
        totals = {
            b.member_id: b.total for b in item.ballots if b.turn == item.turn and b.state == "submitted"
        }
        result = item.result or {}
        rows.append(
            (
                str(number),
                item.dossier.product.name,
                *(_total(totals.get(m.id)) for m in voting),
                number_vi(result["average"]) if result else "",
                _stars(result),
            )
        )
    header = ("TT", "Sản phẩm", *(m.name for m in voting), "Trung bình", "Hạng")
    return Paper(
        title="Bảng tổng hợp điểm",
        subtitle=meeting.council.name,
        head=Letterhead((province, meeting.council.name)),
        blocks=[
            Grid(header, tuple(rows), (1, 5, *(1.6 for _ in voting), 2, 2), tuple(range(2, len(header) - 1))),
            Signatures(
                (
                    ("Thư ký", SIGNED, _name(meeting.council, "secretary")),
                    ("Chủ tịch Hội đồng", SIGNED, _name(meeting.council, "chair")),
                )
            ),
        ],
        landscape=True,
        demo=demo,
        size=11,
    )


def proposal(meeting: CouncilSession, *, province: str, agency: str, place: str, demo: bool) -> Paper:
    """The submission by which the council's result is put before the province's chairman."""
    return Paper(
        title="Tờ trình",
        subtitle="Về việc công nhận kết quả đánh giá, phân hạng sản phẩm OCOP",
        head=Letterhead((province, agency), "……/TTr", f"{place}, {long_date(None)}"),
        blocks=[
            Line(f"Kính gửi: Chủ tịch {province}", bold=True, align="center"),
            Line(
                f"Căn cứ kết quả họp {meeting.council.name} {long_date(meeting.starts_at.date())}, "
                f"{agency} kính trình kết quả đánh giá, phân hạng như sau:"
            ),
            _results(meeting.items),
            Line("Kính đề nghị xem xét, quyết định."),
            Signatures((("Nơi nhận", "", ""), ("Thủ trưởng cơ quan", SIGNED, ""))),
        ],
        demo=demo,
    )


def draft_decision(
    items: Sequence[AgendaItem], edition: Edition, *, province: str, place: str, demo: bool
) -> Paper:
    """The draft of the decision that recognises three and four stars."""
    known = [i for i in items if (i.result or {}).get("stars") in (3, 4)]
    decree = edition.decrees[0]
    return Paper(
        title="Quyết định",
        subtitle="Công nhận kết quả đánh giá, phân hạng sản phẩm OCOP",
        head=Letterhead((province,), "……/QĐ-UBND", f"{place}, {long_date(None)}"),
        blocks=[
            Line(f"CHỦ TỊCH {province.upper()}", bold=True, align="center"),
            Line(
                f"Căn cứ Quyết định số {decree['number']} {long_date(dt.date.fromisoformat(decree['date']))} "
                "của Thủ tướng Chính phủ;",
                italic=True,
            ),
            Line("QUYẾT ĐỊNH:", bold=True, align="center"),
            Line(f"Điều 1. Công nhận {len(known)} sản phẩm OCOP đạt 3 sao, 4 sao, gồm:"),
            _results(known),
            Line("Giấy chứng nhận có giá trị 36 tháng kể từ ngày cấp."),
            Line("Điều 2. Quyết định này có hiệu lực từ ngày ký."),
            Line(
                "Điều 3. Các cơ quan, Ủy ban nhân dân các xã, phường và các chủ thể có sản phẩm nêu tại Điều 1 "
                "chịu trách nhiệm thi hành Quyết định này."
            ),
            Signatures((("Nơi nhận", "", ""), ("Chủ tịch", "(ký, đóng dấu)", ""))),
        ],
        demo=demo,
        footer="Dự thảo",
    )


def certificate(row: Certificate, producer: str, address: str, *, place: str, demo: bool) -> Paper:
    """The certificate of a product, on one framed sheet."""
    return Paper(
        title="Giấy chứng nhận",
        subtitle="Sản phẩm đạt hạng " + "★" * row.stars + f" ({row.stars} sao) OCOP",
        head=Letterhead((row.issued_by,), row.number or "", ""),
        blocks=[
            Line("Chứng nhận sản phẩm", align="center"),
            Line(row.product.name, bold=True, align="center", size=24),
            Line(f"của {producer}", align="center", size=16),
            Line(address, align="center"),
            Line(
                f"được công nhận theo Quyết định số {row.decision_number} {long_date(row.decision_date)}.",
                align="center",
            ),
            Line(f"Có giá trị đến hết {long_date(row.extended_to or row.expires_on)}.", align="center"),
            Signatures((("", "", ""), (row.issued_by, f"{place}, {long_date(row.issued_on)}", ""))),
        ],
        landscape=True,
        framed=True,
        demo=demo,
        size=14,
    )


# ---- details


def _results(items: Sequence[AgendaItem]) -> Grid:
    rows = []
    for number, item in enumerate(items, start=1):
        result: Mapping[str, Any] = item.result or {}
        rows.append(
            (
                str(number),
                item.dossier.product.name,
                str(item.dossier.forms.get("organisation", "")),
                number_vi(result["average"]) if result else "",
                _stars(result),
                ", ".join(b["criterion"] for b in result.get("blockers", ())),
            )
        )
    return Grid(
        ("TT", "Sản phẩm", "Chủ thể", "Điểm", "Hạng", "Còn vướng"), tuple(rows), (1, 5, 5, 2, 2, 3), (3,)
    )


def _members(members: Sequence[Any]) -> Grid:
    roles = codes.code_list("council_role")
    rows = tuple((str(n), m.name, m.agency, roles[m.role].vi) for n, m in enumerate(members, start=1))
    return Grid(("TT", "Họ và tên", "Cơ quan", "Vai trò"), rows, (1, 5, 6, 3))


def _stars(result: Mapping[str, Any]) -> str:
    if not result:
        return ""
    return "loại" if result["rejected"] else f"{result['stars']} sao"


def _total(total: int | None) -> str:
    return "" if total is None else number_vi(total)


def _name(council: Council, role: str) -> str:
    return next((m.name for m in council.members if m.role == role and m.left_on is None), "")


def _moment(moment: dt.datetime) -> str:
    local = moment.astimezone(dt.timezone(dt.timedelta(hours=7)))
    return f"{local:%H giờ %M}, ngày {short_date(local.date())}"
