"""Dates as the law counts them: working days, months, windows before an expiry, deadlines with validity dates."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import functools
from dataclasses import dataclass

from data.codes import REFERENCE
from gis.errors import Refusal

FOLDER = REFERENCE / "programme"
SATURDAY = 5


class CalendarError(Refusal):
    """A date cannot be worked out."""


@dataclass(frozen=True)
class Deadline:
    """A span or bound that the law or the province's regulation sets."""

    key: str
    value: str
    unit: str
    valid_from: dt.date
    valid_to: dt.date | None
    basis: str
    title: str

    @property
    def number(self) -> int:
        """The value as a number."""
        return int(self.value)


@functools.cache
def _deadlines() -> tuple[Deadline, ...]:
    with (FOLDER / "deadlines.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Deadline(
                r["key"],
                r["value"],
                r["unit"],
                dt.date.fromisoformat(r["valid_from"]),
                dt.date.fromisoformat(r["valid_to"]) if r["valid_to"] else None,
                r["basis"],
                r["title"],
            )
            for r in csv.DictReader(file)
        )


def deadline(key: str, day: dt.date) -> Deadline:
    """Return what holds on a day, or the earliest rule for days before all of them; KeyError for an unknown key."""
    known = [d for d in _deadlines() if d.key == key]
    if not known:
        raise KeyError(key)
    valid = [d for d in known if d.valid_from <= day and (d.valid_to is None or day <= d.valid_to)]
    return valid[-1] if valid else known[0]


@functools.cache
def _exceptions() -> dict[dt.date, bool]:
    """Days that are unlike their weekday: {date: whether people work}."""
    with (FOLDER / "holidays.csv").open(encoding="utf-8", newline="") as file:
        return {dt.date.fromisoformat(r["date"]): r["kind"] == "working" for r in csv.DictReader(file)}


def covered_years() -> frozenset[int]:
    """The years whose holidays are known."""
    return frozenset(day.year for day in _exceptions())


def is_working_day(day: dt.date) -> bool:
    """Tell whether offices are open: no weekend and no holiday, but days that make up for one."""
    return _exceptions().get(day, day.weekday() < SATURDAY)


def add_working_days(day: dt.date, count: int) -> dt.date:
    """Return the day on which a span of working days ends; the day itself is not counted."""
    while count > 0:
        day += dt.timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_between(start: dt.date, end: dt.date) -> int:
    """Count the working days after `start` up to and with `end`; negative when `end` comes first."""
    if end < start:
        return -working_days_between(end, start)
    days = (start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(map(is_working_day, days))


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the month's last day where it has no such day (29/2 → 28/2)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class RoundDates:
    """The dates of a round by law."""

    level: str
    number: int
    receive_before: dt.date
    decide_before: dt.date
    basis: str


def rounds_of(year: int, level: str) -> list[RoundDates]:
    """List the rounds of a year that the law names (Decision 26/2026/QĐ-TTg, article 5)."""
    with (FOLDER / "rounds.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["level"] == level]
    return [
        RoundDates(
            level,
            int(r["number"]),
            dt.date.fromisoformat(f"{year}-{r['receive_before']}"),
            dt.date.fromisoformat(f"{year + int(r['decide_year_offset'])}-{r['decide_before']}"),
            r["basis"],
        )
        for r in rows
    ]


def is_in_time(day: dt.date, receive_before: dt.date, *, inclusive: bool = False) -> bool:
    """Tell whether something came in time for a round; the law says before the day, unless a setting includes it."""
    return day <= receive_before if inclusive else day < receive_before
