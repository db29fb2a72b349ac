"""Which demonstration products take part in the cycle of 2026, how far they have come, and on which days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.demo.dice import Dice
from data.demo.ledger import AS_OF, Ledger
from data.demo.products import Good
from data.programme.calendar import add_working_days, deadline, rounds_of
from data.programme.criteria import edition_at
from data.programme.cycle import cycle
from data.programme.tables import CycleStep, Participation, Round, StatusChange

YEAR = 2026
#: The first day on which the criteria of 2026 are in force, and the day of the council's first session under them.
FIRST_DAY, SESSION_DAY, NEXT_SESSION_DAY = dt.date(2026, 5, 22), dt.date(2026, 6, 11), dt.date(2026, 12, 3)

#: Published products without a star that stay out of the cycle, so that anybody can try it out with them.
_LEFT_OUT = 8
_HANDED_IN = ("preparing", "at_commune")
_AT_PROVINCE = ("proposed", "received", "advisory", "awaiting_council")
_JUDGED = (*_HANDED_IN, *_AT_PROVINCE, "scored")
_BEGINNING = ("informed", "idea", "plan", "carrying_out")

#: Way → the pool it takes from, how many, the kind of dossier, and the statuses after the beginning.
_WAYS: tuple[tuple[str, int, str, tuple[str, ...]], ...] = (
    ("young", 3, "first", ("informed",)),
    ("young", 3, "first", ("informed", "idea")),
    ("young", 3, "first", ("informed", "idea", "plan")),
    ("young", 4, "first", _BEGINNING),
    ("young", 2, "first", (*_BEGINNING, "preparing")),
    ("young", 1, "first", (*_BEGINNING, *_HANDED_IN, "returned_by_commune")),
    ("young", 1, "first", ("informed", "idea", "withdrawn")),
    ("young", 2, "first", (*_BEGINNING, *_JUDGED)),
    ("low", 3, "first", (*_BEGINNING, *_JUDGED, "not_reached")),
    ("low", 1, "first", (*_BEGINNING, *_JUDGED, "rejected")),
    ("low", 2, "first", (*_BEGINNING, *_HANDED_IN)),
    ("low", 1, "first", (*_BEGINNING, *_HANDED_IN, "returned_by_commune", "at_commune")),
    ("low", 2, "first", (*_BEGINNING, *_HANDED_IN, "proposed")),
    ("low", 1, "first", (*_BEGINNING, *_HANDED_IN, *_AT_PROVINCE[:2])),
    ("low", 1, "first", (*_BEGINNING, *_HANDED_IN, *_AT_PROVINCE[:3])),
    ("low", 2, "first", (*_BEGINNING, *_HANDED_IN, *_AT_PROVINCE)),
    ("three", 2, "upgrade", ("idea", *_HANDED_IN)),
    ("three", 1, "upgrade", ("idea", *_HANDED_IN, *_AT_PROVINCE[:2], "returned_by_province")),
    ("three", 2, "upgrade", ("idea", *_HANDED_IN, *_AT_PROVINCE)),
    ("four", 1, "upgrade", ("idea", *_JUDGED, "to_ministry")),
    ("four", 1, "upgrade", ("idea", *_JUDGED, "to_ministry", "at_ministry")),
    ("four", 1, "upgrade", ("idea", *_JUDGED, "to_ministry", "at_ministry", "returned_by_ministry")),
    ("ending", 3, "re_evaluation", ("idea", "preparing")),
    ("ending", 3, "re_evaluation", ("idea", *_HANDED_IN)),
    ("ending", 1, "re_evaluation", ("idea", *_HANDED_IN, "proposed")),
    ("new_three", 3, "first", (*_BEGINNING, *_JUDGED, "recognised")),
    ("new_four", 1, "first", (*_BEGINNING, *_JUDGED, "recognised")),
    ("new_four", 1, "first", (*_BEGINNING, *_JUDGED, "recognised", "promotion")),
)

_REASONS = {
    "returned_by_commune": "Thiếu hợp đồng thu mua nguyên liệu; bổ sung phiếu kiểm nghiệm còn hạn",
    "returned_by_province": "Nhãn chưa ghi đủ thông tin truy xuất nguồn gốc",
    "returned_by_ministry": "Trung ương đánh giá dưới 90 điểm",
    "withdrawn": "Chủ thể hoãn sang năm sau để hoàn thiện nhà xưởng",
    "rejected": "Hội đồng biểu quyết loại hồ sơ",
}
_ACTORS = {
    "commune": "Cán bộ xã Minh Hoạ",
    "province": "Cán bộ tỉnh Minh Hoạ",
}
_BY_COMMUNE = ("informed", "returned_by_commune", "proposed")
_BY_PRODUCER = ("idea", "plan", "carrying_out", "preparing", "at_commune", "withdrawn")

#: When the six steps of the year are planned: as usual, for those judged in June, and for those that begin late.
_PLANNED = ((1, 5, 1, 31), (1, 15, 3, 15), (3, 1, 4, 30), (4, 1, 7, 31), (8, 1, 12, 30), (12, 1, 12, 31))
_PLANNED_EARLY = (
    (1, 5, 1, 31),
    (1, 15, 2, 28),
    (2, 15, 3, 31),
    (3, 15, 5, 31),
    (5, 22, 6, 30),
    (7, 1, 9, 30),
)
_PLANNED_SLOW = (
    (1, 5, 9, 30),
    (1, 15, 10, 31),
    (3, 1, 11, 30),
    (4, 1, 12, 15),
    (12, 1, 12, 31),
    (12, 1, 12, 31),
)
_LATE_SHARE = 0.25


@dataclass
class Journey:
    """A product's way through the cycle: what kind of dossier, and each status with the day it began."""

    good: Good
    kind: str
    path: list[tuple[str, dt.date]]
    on_paper: bool = False
    id: int = 0

    @property
    def status(self) -> str:
        """Where the product stands now."""
        return self.path[-1][0]

    @property
    def has_dossier(self) -> bool:
        """Tell whether a dossier was begun here, and not on paper before."""
        return not self.on_paper and self.day("preparing") is not None

    def day(self, status: str) -> dt.date | None:
        """The last day on which the product came to a status."""
        return next((day for known, day in reversed(self.path) if known == status), None)


def write_rounds(ledger: Ledger) -> dict[tuple[int, int], int]:
    """Write the province's rounds of 2025 and 2026; return their ids by year and number."""
    rows: list[dict[str, Any]] = [
        {
            "name": f"Đợt {dates.number} năm {year} (minh hoạ)",
            "level": "province",
            "year": year,
            "number": dates.number,
            "edition": edition_at(FIRST_DAY).edition if (year, dates.number) == (YEAR, 2) else "148/QĐ-TTg",
            "opens_on": FIRST_DAY if (year, dates.number) == (YEAR, 2) else None,
            "receive_before": dates.receive_before,
            "decide_before": dates.decide_before,
            "state": "open" if (year, dates.number) == (YEAR, 2) else "published",
            "rules": {},
        }
        for year in (YEAR - 1, YEAR)
        for dates in rounds_of(year, "province")
    ]
    ids = ledger.write(Round, rows)
    return {(row["year"], row["number"]): key for key, row in zip(ids, rows, strict=True)}


def plan_journeys(goods: Sequence[Good]) -> list[Journey]:
    """Choose the products that take part and give each its days; nothing is written."""
    dice = Dice("journeys")
    pools = _pools(goods)
    journeys = [
        Journey(good, kind, _dated(dice, good, kind, path))
        for pool, count, kind, path in _WAYS
        for good in (pools[pool].pop(0) for _ in range(min(count, len(pools[pool]))))
    ]
    for good in (*pools["new_three"], *pools["new_four"]):
        path = (*_BEGINNING, *_JUDGED, "recognised", *(("promotion",) if dice.chance(0.3) else ()))
        journeys.append(Journey(good, "first", _dated_on_paper(dice, good, path), on_paper=True))
    for good in pools["national"]:
        path = (*_BEGINNING, *_JUDGED, "to_ministry", "at_ministry", "recognised_national")
        journeys.append(Journey(good, "first", _dated_on_paper(dice, good, path), on_paper=True))
    return journeys


def _pools(goods: Sequence[Good]) -> dict[str, list[Good]]:
    shown = [good for good in goods if not good.is_draft]

    def pool(stars: set[int | None], since: str = "", until: str = "", ends: str = "") -> list[Good]:
        return [
            good
            for good in shown
            if good.facts["stars"] in stars
            and since <= str(good.facts["certified_on"] or "") <= (until or "~")
            and str(good.facts["expires_on"] or "").startswith(ends)
        ]

    return {
        "young": pool({None})[_LEFT_OUT:],
        "low": pool({2}),
        "three": pool({3}, "2024-06", "2025-01"),
        "four": pool({4}, "2024-06", "2025-01"),
        "ending": pool({3}, ends="2026-12"),
        "new_three": pool({3}, "2026-06"),
        "new_four": pool({4}, "2026-06"),
        "national": pool({5}, "2026"),
    }


# ---- days


def _dated(dice: Dice, good: Good, kind: str, path: tuple[str, ...]) -> list[tuple[str, dt.date]]:
    """Give each status a working day; what the council has judged went fast enough for its first session."""
    judged = "scored" in path
    day = dt.date(2026, 1, 5) if kind == "first" else FIRST_DAY - dt.timedelta(days=3)
    if kind == "re_evaluation":
        first = good.facts["expires_on"] - dt.timedelta(days=deadline("re_evaluation_earliest", AS_OF).number)
        day = max(day, first - dt.timedelta(days=1))
    dated: list[tuple[str, dt.date]] = []
    for status in path:
        if status == "preparing":
            day = max(day, FIRST_DAY - dt.timedelta(days=1))
        day = add_working_days(day, _pause(dice, status, judged=judged, early=kind == "first"))
        if status == "scored":
            day = SESSION_DAY
        if status == "recognised":
            day = good.facts["certified_on"]
        dated.append((status, min(day, AS_OF)))
    return dated


def _pause(dice: Dice, status: str, *, judged: bool, early: bool) -> int:
    """Working days until a status is reached."""
    if early and status in _BEGINNING:
        return dice.whole(8, 24)
    if status.endswith("ministry"):
        return 4
    if judged:
        return 2 if status == "proposed" else 1
    return dice.whole(1, 4)


def _dated_on_paper(dice: Dice, good: Good, path: tuple[str, ...]) -> list[tuple[str, dt.date]]:
    """Days of a product that was judged on paper: they end on the day of its decision."""
    end: dt.date = good.facts["certified_on"]
    begin = dt.date(end.year, 1, 5) if end.month >= 6 else dt.date(end.year - 1, 7, 1)
    decided = path.index("recognised") if "recognised" in path else len(path) - 1
    span = (end - begin).days
    days = [begin + dt.timedelta(days=span * n // decided) for n in range(decided + 1)]
    days += [min(AS_OF, end + dt.timedelta(days=dice.whole(2, 10)))] * (len(path) - len(days))
    return list(zip(path, days, strict=True))


# ---- rows


def write_journeys(ledger: Ledger, journeys: Sequence[Journey], rounds: dict[tuple[int, int], int]) -> None:
    """Write participations with their steps and trail; each journey gets the id of its participation."""
    dice = Dice("steps")
    ids = ledger.write(Participation, [_row(journey, rounds) for journey in journeys])
    for key, journey in zip(ids, journeys, strict=True):
        journey.id = key
    ledger.write(CycleStep, [row for journey in journeys for row in _steps(dice, journey)])
    ledger.write(StatusChange, [row for journey in journeys for row in _changes(journey)])


def _row(journey: Journey, rounds: dict[tuple[int, int], int]) -> dict[str, Any]:
    good, status = journey.good, journey.status
    in_round = journey.day("proposed") is not None
    round_id = rounds[YEAR, 1 if journey.on_paper else 2] if in_round else None
    if status == "recognised_national":
        round_id = rounds[YEAR - 1, 2]
    return {
        "product_id": good.id,
        "producer_id": good.maker.id,
        "commune_id": good.maker.place.id,
        "round_id": round_id,
        "year": YEAR,
        "status": status,
        "since": moment(journey.path[-1][1]),
        "due_on": _due(journey),
        "owner_id": None,
        "idea": _idea(journey),
        "note": "Hồ sơ giấy, trước khi có phần mềm (minh hoạ)." if journey.on_paper else None,
    }


def _due(journey: Journey) -> dt.date | None:
    status, since = journey.path[-1]
    if cycle().statuses[status].kind != "open":
        return None
    if status == "at_commune":
        return add_working_days(since, deadline("commune_check", since).number)
    decide = rounds_of(YEAR, "province")[1].decide_before
    return decide if journey.day("proposed") else None


def _idea(journey: Journey) -> str:
    name = journey.good.item.name.lower()
    return {
        "first": f"Hoàn thiện {name} thành sản phẩm OCOP (ý tưởng minh hoạ).",
        "upgrade": f"Nâng hạng {name}: bao bì mới, thêm thị trường (minh hoạ).",
        "re_evaluation": f"Đánh giá lại {name} trước khi giấy chứng nhận hết hạn (minh hoạ).",
    }[journey.kind]


def _steps(dice: Dice, journey: Journey) -> list[dict[str, Any]]:
    """The six steps: planned by the calendar of the year, begun and ended by the trail, some of them late."""
    begun: dict[int, dt.date] = {}
    ended: dict[int, dt.date] = {}
    for status, day in journey.path:
        if cycle().statuses[status].kind == "ended":
            continue
        number = cycle().statuses[status].step
        for earlier in [n for n in begun if n < number and n not in ended]:
            ended[earlier] = day
        begun.setdefault(number, day)
        ended.pop(number, None)
    slow = _PLANNED_SLOW if journey.status in _BEGINNING else _PLANNED
    calendar = _PLANNED_EARLY if journey.day("scored") else slow
    stands = cycle().statuses[journey.status].step
    late = dice.chance(_LATE_SHARE) and cycle().statuses[journey.status].kind == "open"
    rows = []
    for step in cycle().steps:
        number = step.number
        month, first, to_month, last = calendar[number - 1]
        planned = journey.kind == "first" or number >= 5 or number == 2
        start = dt.date(YEAR, month, first) if planned else None
        end = dt.date(YEAR, to_month, last) if planned else None
        if journey.kind != "first" and number == 2:
            start, end = dt.date(YEAR, 5, 18), dt.date(YEAR, 7, 15)
        if late and number == stands and start is not None:
            start, end = dt.date(YEAR, 5, 1), dt.date(YEAR, 6, 15)
        rows.append(
            {
                "participation_id": journey.id,
                "step": number,
                "planned_from": start,
                "planned_to": end,
                "actual_from": begun.get(number),
                "actual_to": ended.get(number),
                "responsible": _ACTORS["province" if number >= 5 else "commune"] if planned else None,
                "note": "Chậm so với kế hoạch (minh hoạ)." if late and number == stands else None,
                "documents": None,
            }
        )
    return rows


def _changes(journey: Journey) -> list[dict[str, Any]]:
    rows = []
    before: str | None = None
    for status, day in journey.path:
        rows.append(
            {
                "participation_id": journey.id,
                "from_status": before,
                "to_status": status,
                "at": moment(day),
                "actor": _actor(journey, status),
                "account_id": None,
                "reason": _REASONS.get(status),
            }
        )
        before = status
    return rows


def _actor(journey: Journey, status: str) -> str:
    if status in _BY_PRODUCER:
        return journey.good.maker.name
    return _ACTORS["commune" if status in _BY_COMMUNE else "province"]


def moment(day: dt.date, hour: int = 2) -> dt.datetime:
    """An hour of a day, in UTC."""
    return dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC)
