"""Schedules of subscriptions as EPCIS writes them: seconds, minutes, hours, days and months that must match.

Times are those of Vietnam. What is finer than the finest field that is given is at its beginning; what is coarser
and not given may be anything.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from gis.errors import Refusal

TIME_ZONE: Final = dt.timezone(dt.timedelta(hours=7))
#: Each field with its least and greatest value, from the finest to the coarsest.
FIELDS: Final[Mapping[str, tuple[int, int]]] = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
#: A leap day that must be a certain day of the week comes back within 28 years, over a century's end within 40.
MOST_DAYS: Final = 40 * 366
_PART = re.compile(r"^(?:(\d{1,2})|\[(\d{1,2})-(\d{1,2})\])$")


class BadSchedule(Refusal):
    """A schedule says nothing that ever comes."""


def read(given: Any) -> dict[str, str]:
    """Return a schedule that is in order, as texts. Raises BadSchedule."""
    if not isinstance(given, Mapping) or not given:
        raise BadSchedule("Lịch gửi (schedule) cần ít nhất một trong: %(known)s.", known=", ".join(FIELDS))
    for name, value in given.items():
        if name not in FIELDS:
            raise BadSchedule("Lịch gửi không có trường “%(name)s”.", name=name)
        _numbers(name, str(value))
    at = {name: str(value) for name, value in given.items()}
    next_time(at, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    return at


def next_time(at: Mapping[str, str], after: dt.datetime) -> dt.datetime:
    """Return the first moment after another at which a schedule is due. Raises BadSchedule."""
    wanted = _wanted(at)
    start = after.astimezone(TIME_ZONE)
    day = start.date()
    for _ in range(MOST_DAYS):
        if (
            day.month in wanted["month"]
            and day.day in wanted["dayOfMonth"]
            and day.isoweekday() in wanted["dayOfWeek"]
        ):
            for hour in wanted["hour"]:
                for minute in wanted["minute"]:
                    for second in wanted["second"]:
                        moment = dt.datetime(
                            day.year, day.month, day.day, hour, minute, second, tzinfo=TIME_ZONE
                        )
                        if moment > start:
                            return moment.astimezone(dt.UTC)
        day += dt.timedelta(days=1)
    raise BadSchedule("Lịch gửi không bao giờ đến: không có ngày nào khớp.")


def _wanted(at: Mapping[str, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    finer = True
    for name, (least, greatest) in FIELDS.items():
        if name in at:
            found[name], finer = _numbers(name, at[name]), False
        elif finer and name in ("second", "minute", "hour"):
            found[name] = [least]
        else:
            found[name] = list(range(least, greatest + 1))
    return found


def _numbers(name: str, text: str) -> list[int]:
    least, greatest = FIELDS[name]
    numbers: set[int] = set()
    for part in text.split(","):
        found = _PART.match(part.strip())
        if found is None:
            raise BadSchedule(
                "Trường “%(name)s” của lịch gửi viết như 5, 1,3 hoặc [1-5]; không đọc được “%(value)s”.",
                name=name,
                value=text,
            )
        first = int(found[1] or found[2])
        last = int(found[1] or found[3])
        if not least <= first <= last <= greatest:
            raise BadSchedule(
                "Trường “%(name)s” của lịch gửi phải từ %(least)s đến %(greatest)s.",
                name=name,
                least=least,
                greatest=greatest,
            )
        numbers.update(range(first, last + 1))
    return sorted(numbers)
