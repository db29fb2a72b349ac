"""Codes and certificates of the demonstration growing areas, in the patterns that the schemes use."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from data.codes import label
from data.demo.dice import Dice
from data.demo.ledger import AS_OF, add_months
from data.demo.units import Place
from data.demo.vocabulary import Activity

_PROVINCE = "96"
_PROVINCE_LETTERS = "CM"
_MARKETS = ("CN", "JP", "KR", "US", "EU", "AU")
_CERTIFIED_SHARE = 0.3
_CERTIFIABLE = ("active", "restored", "none")
_OBSTACLE_SHARE = 0.6

#: Status of an area's code → share of the areas that a scheme exists for.
_STATUSES = {
    "none": 0.34,
    "applied": 0.12,
    "active": 0.43,
    "suspended": 0.05,
    "restored": 0.03,
    "revoked": 0.03,
}
_OBSTACLES = {"land_other_name": 4, "land_mortgaged": 3, "land_purpose": 2, "too_small": 1}
_SMALLEST_HA = 1.0

#: When the first code of a scheme could be given, and the last: districts are part of the domestic pattern.
_PERIODS = {
    "domestic": (dt.date(2022, 10, 1), dt.date(2025, 6, 20)),
    "export": (dt.date(2019, 6, 1), dt.date(2025, 12, 20)),
    "aquaculture": (dt.date(2019, 8, 1), dt.date(2025, 12, 20)),
}
_REASONS = {
    "applied": "nộp hồ sơ đề nghị cấp mã",
    "active": "đạt yêu cầu kiểm tra thực địa",
    "suspended": "nhật ký canh tác chưa đầy đủ khi giám sát",
    "restored": "đã khắc phục và được kiểm tra lại",
    "revoked": "không còn canh tác trên diện tích đã đăng ký",
}
_STEPS = {
    "none": (),
    "applied": ("applied",),
    "active": ("applied", "active"),
    "suspended": ("applied", "active", "suspended"),
    "restored": ("applied", "active", "suspended", "restored"),
    "revoked": ("applied", "active", "suspended", "revoked"),
}


@dataclass
class Entry:
    """What the register knows of one area: child rows without their key, and facts for its own row."""

    codes: list[dict[str, Any]] = field(default_factory=list)
    certifications: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class Register:
    """Gives codes, each once, in the order in which areas come."""

    def __init__(self) -> None:
        self.dice = Dice("area codes")
        self.serials: Counter[str] = Counter()

    def enter(self, activity: Activity, place: Place, area_ha: float) -> Entry:
        """Give an area its codes, certificates and history."""
        entry = Entry()
        status = self._status(activity)
        if status != "none":
            entry.history = self._history(activity.schemes[0], status)
        if len(entry.history) > 1:
            entry.codes = self._codes(activity, place, status, entry.history)
        eligible = bool(activity.certifications) and status in _CERTIFIABLE
        if eligible and self.dice.chance(_CERTIFIED_SHARE):
            entry.certifications = self._certifications(activity, area_ha)
        valid = [
            label("certification_scheme", certificate["scheme"])
            for certificate in entry.certifications
            if certificate["expires_on"] >= AS_OF
        ]
        entry.facts = {
            "code_summary": ", ".join(code["code"] for code in entry.codes) or None,
            "coding_status": status,
            "coding_obstacle": self._obstacle(activity, status, area_ha),
            "certification_summary": ", ".join(valid) or None,
        }
        return entry

    def _status(self, activity: Activity) -> str:
        if not activity.schemes:
            return "none"
        return self.dice.weighted(list(_STATUSES), list(_STATUSES.values()))

    def _obstacle(self, activity: Activity, status: str, area_ha: float) -> str | None:
        if not activity.schemes or status not in ("none", "applied") or not self.dice.chance(_OBSTACLE_SHARE):
            return None
        causes = {k: w for k, w in _OBSTACLES.items() if k != "too_small" or area_ha < _SMALLEST_HA}
        return self.dice.weighted(list(causes), list(causes.values()))

    def _history(self, scheme: str, status: str) -> list[dict[str, Any]]:
        day = self.dice.day(*_PERIODS[scheme])
        steps = []
        for step in _STEPS[status]:
            if step in ("suspended", "restored", "revoked"):
                day = min(add_months(day, self.dice.whole(1, 4)), AS_OF)
            elif step == "active":
                day = min(day + dt.timedelta(days=self.dice.whole(30, 90)), _PERIODS[scheme][1])
            document = f"{self.dice.whole(10, 990)}/MH-{day.year} (minh hoạ)"
            steps.append({"status": step, "changed_on": day, "document": document, "reason": _REASONS[step]})
        return steps

    def _codes(
        self, activity: Activity, place: Place, status: str, history: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        given = history[1]["changed_on"]
        ended = history[-1]["changed_on"] if status == "revoked" else None
        wanted = [(activity.schemes[0], "VN")]
        if "export" in activity.schemes and self.dice.chance(0.6):
            wanted += [("export", market) for market in self.dice.some(_MARKETS, self.dice.whole(1, 2))]
        return [
            {
                "scheme": scheme,
                "code": self._code(scheme, activity, place, given),
                "market": market,
                "status": status,
                "valid_from": given,
                "valid_to": ended,
            }
            for scheme, market in wanted
        ]

    def _code(self, scheme: str, activity: Activity, place: Place, given: dt.date) -> str:
        if scheme == "export":
            return f"VN-{_PROVINCE_LETTERS}OR-{self._next('export'):04d}"
        if scheme == "domestic":
            year = f"{given:%y}"
            serial = self._next(f"domestic {place.code} {year}")
            return f"VN-{_PROVINCE}-{place.district_code}-{place.code}-{serial:02d}-{year}"
        farm = self._next(f"farm {activity.species_code}")
        return f"{_PROVINCE}{activity.species_code}{farm:04d}{self.dice.whole(1, 12):03d}"

    def _next(self, series: str) -> int:
        self.serials[series] += 1
        return self.serials[series]

    def _certifications(self, activity: Activity, area_ha: float) -> list[dict[str, Any]]:
        found = []
        for scheme in self.dice.some(activity.certifications, self.dice.whole(1, 2)):
            issued = self.dice.day(dt.date(2023, 3, 1), dt.date(2026, 5, 31))
            found.append(
                {
                    "scheme": scheme,
                    "number": f"MH-{scheme.upper().replace('_', '')}-{self._next('certificate'):05d}",
                    "body": f"Tổ chức chứng nhận minh hoạ {self.dice.pick('ABC')}",
                    "issued_on": issued,
                    "expires_on": add_months(issued, 36 if scheme in ("asc", "naturland") else 24),
                    "area_ha": round(area_ha * self.dice.between(0.7, 1.0), 2),
                }
            )
        return found
