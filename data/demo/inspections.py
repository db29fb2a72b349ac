"""Inspections of the demonstration: visits that were made, what they found, visits that are planned, standards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from data.demo import names
from data.demo.dice import Dice
from data.demo.journeys import YEAR
from data.demo.ledger import Ledger
from data.demo.products import Good
from data.programme.calendar import is_working_day
from data.programme.inspections import MINUTES, general_points
from data.programme.risk import FULL, weights
from data.programme.tables import Finding, Inspection, NumberSeries, ProductStandard

_VISITED, _PLANNED = 6, 4
_REASONS = ("never_visited", "certificate_near_end", "stars_4")
#: Severity, point of the checklist, what was wrong, what is to be done.
_FAULTS = (
    ("minor", "label", "Tem truy xuất nguồn gốc chưa dán đủ trên bao bì", "Dán tem cho toàn bộ lô đang bán"),
    ("major", "origin", "Chưa có hợp đồng nguyên liệu của năm 2026", "Ký lại hợp đồng và gửi bản chụp"),
    ("minor", "records", "Sổ ghi chép sản xuất ghi chậm", "Ghi bổ sung và duy trì hằng tuần"),
    ("major", "test", "Phiếu kiểm nghiệm định kỳ đã quá hạn", "Lấy mẫu kiểm nghiệm lại"),
)
_NUMBER_BASE = 6000

Fault = tuple[str, str, str, str]


def write_inspections(ledger: Ledger, goods: Sequence[Good]) -> None:
    """Write a few inspections of products with a certificate, what was found, and the products' standards."""
    dice = Dice("inspections")
    certified = [good for good in goods if good.facts["certificate_number"] and not good.is_draft]
    chosen = dice.some(certified, _VISITED + _PLANNED)
    faults: list[Fault | None] = [
        _FAULTS[n % len(_FAULTS)] if n < _VISITED and n % 3 else None for n in range(len(chosen))
    ]
    rows = [_row(dice, good, n, fault) for n, (good, fault) in enumerate(zip(chosen, faults, strict=True))]
    ids = ledger.write(Inspection, rows)
    ledger.write(
        Finding,
        [
            _finding(key, row["visited_on"], fault, solved=row["state"] == "closed")
            for key, row, fault in zip(ids, rows, faults, strict=True)
            if fault is not None
        ],
    )
    ledger.write(NumberSeries, [{"series": f"BBKT-{YEAR}", "last": _VISITED}])
    ledger.write(ProductStandard, [_standard(good, n) for n, good in enumerate(chosen, 1)])


def _row(dice: Dice, good: Good, number: int, fault: Fault | None) -> dict[str, Any]:
    visited = number < _VISITED
    day = dice.day(dt.date(YEAR, 3 if visited else 8, 1), dt.date(YEAR, 5 if visited else 12, 20))
    while not is_working_day(day):
        day += dt.timedelta(days=1)
    keys = _REASONS[: 1 + number % len(_REASONS)]
    reasons = [{"key": key, "count": 1, "points": weights()[key].points} for key in keys]
    solved = fault is None or number % 2 == 0
    conclusion = "Duy trì tiêu chí (minh hoạ)." if fault is None else "Phải khắc phục (minh hoạ)."
    return {
        "producer_id": good.maker.id,
        "product_id": good.id,
        "commune_id": good.maker.place.id,
        "kind": "ad_hoc" if number == 1 else "periodic",
        "year": YEAR,
        "risk": sum(weights()[key].points for key in keys) / FULL,
        "reasons": reasons,
        "planned_on": day,
        "visited_on": day if visited else None,
        "inspector_id": None,
        "team": f"Đoàn kiểm tra Minh Hoạ số {number % 2 + 1}",
        "state": ("closed" if solved else "visited") if visited else "planned",
        "checklist": _checklist(dice, good, number, day, fault) if visited else {},
        "samples": [],
        "conclusion": conclusion if visited else None,
        "minutes_number": f"{number + 1:03d}/BB-KT-{YEAR}" if visited else None,
        "longitude": good.point.x if visited else None,
        "latitude": good.point.y if visited else None,
    }


def _checklist(dice: Dice, good: Good, number: int, day: dt.date, fault: Fault | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        code: {
            "title": point["vi"],
            "basis": point["basis"],
            "applies": True,
            "met": fault is None or fault[1] != code,
            "remark": f"{fault[2]} (minh hoạ)" if fault is not None and fault[1] == code else "",
        }
        for code, point in general_points().items()
    }
    found[MINUTES] = {
        "inspector_side": names.person(dice, _NUMBER_BASE + number),
        "producer_side": good.maker.facts["representative"],
        "opinion": "",
        "signed_on": day.isoformat(),
    }
    return found


def _finding(inspection: int, visited: dt.date, fault: Fault, *, solved: bool) -> dict[str, Any]:
    severity, code, text, action = fault
    done = visited + dt.timedelta(days=20) if solved else None
    return {
        "inspection_id": inspection,
        "severity": severity,
        "criterion": code,
        "text": f"{text} (minh hoạ)",
        "action": action,
        "due_on": visited + dt.timedelta(days=30),
        "done_on": done,
        "verified_on": done + dt.timedelta(days=5) if done else None,
        "answer": "Đã khắc phục (minh hoạ)." if done else None,
    }


def _standard(good: Good, number: int) -> dict[str, Any]:
    return {
        "product_id": good.id,
        "code": f"TCCS MH-{number:02d}:{YEAR - 1}",
        "title": f"Tiêu chuẩn cơ sở {names.small(good.item.name)} (minh hoạ)",
        "kind": "base",
        "version_label": "1",
        "issued_on": dt.date(YEAR - 1, 3, 10),
        "expires_on": None,
        "sha256": None,
        "file_name": None,
        "replaced_on": None,
    }
