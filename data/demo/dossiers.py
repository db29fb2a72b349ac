"""Dossiers of the demonstration: forms, own scores, evidence, frozen versions, receipts, the communes' checks."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from data.demo import names
from data.demo.dice import Dice
from data.demo.journeys import FIRST_DAY, Journey, moment
from data.demo.ledger import Ledger
from data.demo.opinions import choices_for
from data.demo.producers import Maker
from data.demo.products import Good
from data.programme.calendar import add_working_days, deadline
from data.programme.criteria import Edition, edition_at
from data.programme.dossiers import contents_of, digest
from data.programme.forms import TOURISM_SET, forms
from data.programme.ministry import REMARKS as MINISTRY
from data.programme.receiving import LEVELS
from data.programme.tables import (
    CommuneCheck,
    Dossier,
    DossierVersion,
    Evidence,
    NumberSeries,
    Receipt,
    ReturnedItem,
)

#: The star that a producer expects of their own scores.
_EXPECTED = {"first": 3, "upgrade": 4, "re_evaluation": 3}
_CHECKER = "Cán bộ xã Minh Hoạ"
_RECEIVER = "Cán bộ tỉnh Minh Hoạ"
_REMARKS = {
    "origin": "Nguyên liệu từ vùng trồng, vùng nuôi của xã.",
    "labour": "Lao động của xã chiếm đa số.",
    "idea": "Ý tưởng của chủ thể, xã đã xác nhận.",
    "identity": "Gắn với nghề và sản vật của xã.",
}


@dataclass
class Folder:
    """A dossier as later rows need it."""

    journey: Journey
    row: dict[str, Any]
    id: int = 0
    evidence: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> Good:
        """The product of the dossier."""
        return self.journey.good

    @property
    def versions(self) -> int:
        """How often it was handed in."""
        return sum(status == "at_commune" for status, _ in self.journey.path)


class Numbers:
    """Numbers of receipts and products by the law's pattern, each given once, with the series that they leave."""

    def __init__(self, province: str) -> None:
        self.province = province
        self.last: Counter[str] = Counter()

    def receipt(self, level: str, commune: str, year: int) -> str:
        """The next number of a receipt."""
        letter = LEVELS[level]
        number = self._next(f"PĐK-{letter}-{self.province}-{commune}-{year}")
        return f"{number:03d}-{letter}/PĐK-{self.province}-{commune}-{year}"

    def product(self, commune: str, year: int) -> str:
        """The next number of a product that a commune proposes."""
        number = self._next(f"SP-{self.province}-{commune}-{year}")
        return f"{self.province}-{commune}-{number:02d}-{year}"

    def rows(self) -> list[dict[str, Any]]:
        """The series with their last numbers."""
        return [{"series": series, "last": last} for series, last in self.last.items()]

    def _next(self, series: str) -> int:
        self.last[series] += 1
        return self.last[series]


def write_dossiers(
    ledger: Ledger, journeys: Sequence[Journey], lots: Mapping[int, int], province: str
) -> list[Folder]:
    """Write the dossiers of all journeys that have one, with everything in them."""
    dice, edition = Dice("dossiers"), edition_at(FIRST_DAY)
    folders = [Folder(journey, _row(dice, journey, edition)) for journey in journeys if journey.has_dossier]
    for key, folder in zip(ledger.write(Dossier, [f.row for f in folders]), folders, strict=True):
        folder.id = key
    rows = [row for folder in folders for row in _evidence(folder, lots)]
    for key, row in zip(ledger.write(Evidence, rows), rows, strict=True):
        next(f for f in folders if f.id == row["dossier_id"]).evidence.append({"id": key, **row})
    ledger.write(DossierVersion, [row for folder in folders for row in _versions(folder)])
    ledger.write(ReturnedItem, [row for folder in folders for row in _returns(folder)])
    numbers = Numbers(province)
    ledger.write(Receipt, [row for folder in folders for row in _receipts(folder, numbers)])
    ledger.write(CommuneCheck, [row for folder in folders for row in _checks(folder, numbers)])
    ledger.write(NumberSeries, numbers.rows())
    return folders


# ---- what is filled in


def _row(dice: Dice, journey: Journey, edition: Edition) -> dict[str, Any]:
    good = journey.good
    half = journey.status == "preparing" and dice.chance(0.5)
    one = edition.set(good.item.product_set)
    choices = choices_for(dice, edition, one, _EXPECTED[journey.kind])
    filled = _forms(dice, journey)
    if half:
        choices = dict(list(choices.items())[: len(choices) // 2])
        filled = {name: value for name, value in filled.items() if name not in ("plan", "results", "pledge")}
    first = next((day for status, day in journey.path if status == "at_commune"), None)
    return {
        "participation_id": journey.id,
        "product_id": good.id,
        "producer_id": good.maker.id,
        "commune_id": good.maker.place.id,
        "kind": journey.kind,
        "edition": edition.edition,
        "set_number": one.number,
        "set_revision": 0,
        "forms": filled,
        "choices": choices,
        "remarks": _remarks(journey),
        "submitted_on": first,
    }


def _forms(dice: Dice, journey: Journey) -> dict[str, Any]:
    good, maker = journey.good, journey.good.maker
    known = maker.facts
    revenue = good.facts["annual_revenue_million"]
    local = round(maker.workers * dice.between(0.6, 1.0))
    values = {
        **_producer(maker),
        "product_name": good.name,
        "packaging": good.item.packaging,
        "position": "Giám đốc" if known["kind"] in ("sme", "joint_stock", "cooperative") else "Chủ cơ sở",
        "samples": None if good.item.product_set == TOURISM_SET else 5,
        "pledge": True,
        "representative_gender": "female" if known["women_led"] else "male",
        "representative_ethnicity": dice.weighted(("Kinh", "Khmer", "Hoa"), (0.85, 0.12, 0.03)),
        "has_registration": True,
        "has_declaration": True,
        "results": "Phương án đã thực hiện theo kế hoạch; số liệu minh hoạ.",
        "revenue_last_year": revenue,
        "revenue_before": round(revenue * dice.between(0.75, 1.0)),
        "workers": maker.workers,
        "local_workers": local,
        "local_material_share": dice.whole(55, 100),
        "plan": "Mở rộng vùng nguyên liệu và kênh bán hàng trong tỉnh; nội dung minh hoạ.",
        "changes": "Bao bì, truy xuất nguồn gốc và thị trường; nội dung minh hoạ.",
        "updates": "Cập nhật kiểm nghiệm định kỳ, sản lượng và doanh thu; nội dung minh hoạ.",
    }
    asked = {f.name for f in forms().fields(journey.kind)}
    return {name: value for name, value in values.items() if name in asked and value is not None}


def _remarks(journey: Journey) -> dict[str, Any]:
    """What is kept of the way to the ministry and back."""
    sent, received, back = (journey.day(s) for s in ("to_ministry", "at_ministry", "returned_by_ministry"))
    if sent is None:
        return {}
    kept: dict[str, Any] = {
        "sent": [key for key, _ in forms().to_ministry],
        "letter_number": f"MH-{journey.id:03d}/UBND-NN",
        "sent_on": sent.isoformat(),
    }
    if received is not None:
        kept |= {"received_on": received.isoformat(), "received_number": None}
    if back is not None:
        reason = "Trung ương đánh giá dưới 90 điểm (minh hoạ)"
        kept |= {"returned_on": back.isoformat(), "reason": reason, "stars": 4, "points": 86.5}
    return {MINISTRY: kept}


def _producer(maker: Maker) -> dict[str, Any]:
    known = maker.facts
    return {
        "organisation": maker.name,
        "representative": known["representative"],
        "address": known["address"],
        "phone": known["phone"],
        "email": known["email"],
        "producer_kind": known["kind"],
        "registration_number": known["registration_number"],
        "founded_on": known["registered_on"].isoformat(),
    }


def _evidence(folder: Folder, lots: Mapping[int, int]) -> list[dict[str, Any]]:
    """Papers that stand for real ones by their titles only, and links to what the record has already."""
    good, day = folder.good, folder.journey.path[-1][1]
    registered = good.maker.facts["registered_on"]
    found: list[tuple[str, str | None, str, tuple[str, int] | None, dt.date | None, dt.date | None]] = [
        ("business_registration", None, "Giấy đăng ký kinh doanh", None, registered, None),
        ("quality_declaration", None, "Bản tự công bố chất lượng", None, dt.date(2025, 3, 10), None),
    ]
    found += [
        (
            "material_origin",
            "1.1",
            "Vùng trồng, vùng nuôi cung cấp nguyên liệu",
            ("growing_areas", area),
            None,
            None,
        )
        for area in good.origins[:2]
    ]
    if not good.origins:
        found.append(
            ("material_origin", "1.1", "Hợp đồng thu mua nguyên liệu", None, dt.date(2025, 9, 5), None)
        )
    tested, until = dt.date(2026, 2, 16), dt.date(2027, 2, 16)
    lot = lots.get(good.id)
    found.append(("test_report", None, "Phiếu kiểm nghiệm", ("lots", lot) if lot else None, tested, until))
    if folder.journey.status == "preparing":
        found = found[:3]
    return [
        {
            "dossier_id": folder.id,
            "kind": kind,
            "criterion": criterion,
            "title": f"{title} (minh hoạ)",
            "file_name": None,
            "media_type": None,
            "sha256": None,
            "size": None,
            "table_name": link[0] if link else None,
            "row_id": link[1] if link else None,
            "issued_by": None,
            "issued_on": issued,
            "expires_on": until_,
            "account_id": None,
            "created_at": moment(min(day, folder.journey.day("preparing") or day)),
            "withdrawn_at": None,
        }
        for kind, criterion, title, link, issued, until_ in found
    ]


# ---- what was handed in, returned and taken in


def _versions(folder: Folder) -> list[dict[str, Any]]:
    papers = [SimpleNamespace(**row) for row in folder.evidence]
    handed_in = {**folder.row, "remarks": {}}
    row: Any = SimpleNamespace(id=folder.id, evidence=papers, **handed_in)
    document = contents_of(row)
    days = [day for status, day in folder.journey.path if status == "at_commune"]
    return [
        {
            "dossier_id": folder.id,
            "number": number,
            "document": document,
            "sha256": digest(document),
            "account_id": None,
            "actor": folder.good.maker.name,
            "submitted_at": moment(day),
        }
        for number, day in enumerate(days, 1)
    ]


def _returns(folder: Folder) -> list[dict[str, Any]]:
    rows = []
    for place, (status, day) in enumerate(folder.journey.path):
        if not status.startswith("returned_by") or status == "returned_by_ministry":
            continue
        settled = place + 1 < len(folder.journey.path)
        texts = ("Bổ sung hợp đồng thu mua nguyên liệu", "Nhãn cần ghi đủ thông tin truy xuất nguồn gốc")
        rows += [
            {
                "dossier_id": folder.id,
                "level": status.removeprefix("returned_by_"),
                "criterion": criterion,
                "text": f"{text} (minh hoạ)",
                "actor": _CHECKER if status.endswith("commune") else _RECEIVER,
                "created_at": moment(day),
                "settled_at": moment(folder.journey.path[place + 1][1]) if settled else None,
                "answer": "Đã bổ sung (minh hoạ)." if settled else None,
            }
            for criterion, text in zip(("1.1", "2.3"), texts, strict=True)
        ]
    return rows


def _receipts(folder: Folder, numbers: Numbers) -> list[dict[str, Any]]:
    good, path = folder.good, dict(reversed(folder.journey.path))
    days = {"commune": path.get("at_commune"), "province": folder.journey.day("received")}
    rows = []
    for level, day in days.items():
        if day is None:
            continue
        due = add_working_days(day, deadline("commune_check", day).number) if level == "commune" else None
        tourism = good.item.product_set == TOURISM_SET
        rows.append(
            {
                "dossier_id": folder.id,
                "level": level,
                "number": numbers.receipt(level, good.maker.place.code, day.year),
                "received_on": day,
                "due_on": due,
                "samples": None if level == "commune" or tourism else 5,
                "account_id": None,
                "actor": _CHECKER if level == "commune" else _RECEIVER,
            }
        )
    return rows


def _checks(folder: Folder, numbers: Numbers) -> list[dict[str, Any]]:
    """Form 03: finished where the commune proposed the product, begun where it still looks."""
    begun, proposed = folder.journey.day("at_commune"), folder.journey.day("proposed")
    if begun is None or folder.journey.status == "returned_by_commune":
        return []
    judged = list(_REMARKS)[: None if proposed else 2]
    contents: dict[str, Any] = {name: {"met": True, "remark": _REMARKS[name]} for name in judged}
    if proposed:
        contents["product_number"] = numbers.product(folder.good.maker.place.code, proposed.year)
    return [
        {
            "dossier_id": folder.id,
            "contents": contents,
            "proposal": f"Đề nghị đánh giá, phân hạng {names.small(folder.good.item.name)}."
            if proposed
            else None,
            "letter_number": f"MH-{folder.id:03d}/UBND" if proposed else None,
            "checked_on": proposed,
            "finished_at": moment(proposed, 8) if proposed else None,
            "account_id": None,
            "actor": _CHECKER,
        }
    ]
