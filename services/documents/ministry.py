"""The list of what the province sends to the ministry for five stars."""

from __future__ import annotations

from data.programme import ministry
from data.programme.tables import Dossier
from services.documents.forms import SIGNED, long_date
from services.documents.model import Facts, Grid, Letterhead, Line, Paper, Signatures

TICK, BLANK = "☒", "☐"


def sent_list(dossier: Dossier, *, province: str, place: str, demo: bool) -> Paper:
    """The documents of article 6.3 with a box for each, ticked where it is sent."""
    kept = ministry.facts(dossier)
    sent = set(kept.get("sent", ()))
    rows = tuple(
        (str(row_number), title, TICK if key in sent else BLANK)
        for row_number, (key, title) in enumerate(ministry.wanted(dossier), start=1)
    )
    last = dossier.versions[-1] if dossier.versions else None
    return Paper(
        title="Danh mục hồ sơ trình Trung ương",
        subtitle="Đề nghị đánh giá, công nhận sản phẩm OCOP 5 sao",
        head=Letterhead(
            (province,), str(kept.get("letter_number") or "……"), f"{place}, {long_date(kept.get('sent_on'))}"
        ),
        blocks=[
            Line("Kính gửi: Bộ Nông nghiệp và Môi trường", bold=True, align="center"),
            Facts(
                (
                    ("Sản phẩm", dossier.product.name),
                    ("Chủ thể", str(dossier.forms.get("organisation", ""))),
                    ("Bản hồ sơ", f"{last.number} ({last.sha256[:16]})" if last else ""),
                )
            ),
            Grid(("TT", "Tài liệu", "Gửi"), rows, (1, 12, 1.5)),
            Signatures((("", "", ""), ("Người lập", SIGNED, ""))),
        ],
        demo=demo,
    )
