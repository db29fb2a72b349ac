"""What a boundary import found and did, for people and for programs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from data.boundaries.errors import SHOWN

LISTED = 20
"""How many codes, faults or ids a person is shown in full."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should know, with places for facts as %(name)s."""

    vi: str
    en: str
    facts: dict[str, Any] = field(default_factory=dict)

    def text(self, lang: str) -> str:
        """Return the sentence in a language."""
        sentence = self.en if lang == "en" else self.vi
        return sentence % self.facts if self.facts else sentence


@dataclass(frozen=True, slots=True)
class Fault:
    """Ground that two units claim, or that none does, with a place in it."""

    codes: tuple[str, ...]
    area_ha: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of one kind: how many, how much ground, and the largest."""

    count: int = 0
    area_ha: float = 0.0
    largest: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Repaired:
    """A unit whose shape was not valid and was put right, with what that did to its area."""

    code: str
    name: str
    reason: str
    area_before_ha: float
    area_after_ha: float


@dataclass(frozen=True, slots=True)
class Renamed:
    """A unit that the file calls by another name than the record did."""

    code: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class OutsideFeature:
    """A feature that lies in no commune and near none, with an inner point."""

    id: int
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class LayerMoves:
    """How the features of one layer were given to the communes."""

    table: str
    total: int
    moved: int
    nearest: int
    outside: tuple[OutsideFeature, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A unit of the file against the same unit of the record, which was merged from communes."""

    code: str
    name: str
    file_ha: float
    record_ha: float
    difference_ha: float


@dataclass
class Report:
    """The account of one import; `levels` counts the units of the edition as they are now."""

    file: str
    edition: str
    dry_run: bool = False
    edition_in_use: str = ""
    levels: dict[str, int] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    repaired: tuple[Repaired, ...] = ()
    overlaps: Faults = field(default_factory=Faults)
    gaps: Faults = field(default_factory=Faults)
    layers: tuple[LayerMoves, ...] = ()
    compared: tuple[Compared, ...] = ()
    successions: int = 0
    successions_from: str = ""
    remarks: list[Remark] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold."""
        values = dataclasses.asdict(self)
        values["remarks"] = [{"vi": r.text("vi"), "en": r.text("en")} for r in self.remarks]
        return values

    def as_text(self, lang: str = "vi") -> str:
        """Return the report as lines for a person."""
        return "\n".join(_Writer(self, lang).lines())


TABLES = {
    "provinces": ("tỉnh", "provinces"),
    "districts": ("huyện, thành phố", "districts"),
    "communes": ("xã, phường, thị trấn", "communes"),
    "growing_areas": ("Vùng trồng, vùng nuôi", "Growing areas"),
    "craft_villages": ("Làng nghề", "Craft villages"),
    "craft_village_points": ("Điểm tham quan làng nghề", "Craft village visitor points"),
    "producers": ("Chủ thể OCOP", "Producers"),
    "products": ("Sản phẩm OCOP", "OCOP products"),
    "lots": ("Lô sản phẩm", "Product lots"),
    "sale_points": ("Điểm bán hàng OCOP", "OCOP sale points"),
}

PHRASES = {
    "title": (
        "Nạp ranh giới từ %(file)s vào phiên bản %(edition)s",
        "Boundaries of %(file)s into edition %(edition)s",
    ),
    "compare": (
        "So sánh %(file)s với phiên bản %(edition)s; không có gì thay đổi",
        "%(file)s compared with edition %(edition)s; nothing was changed",
    ),
    "dry_run": ("Chạy thử: không có gì được ghi", "Dry run: nothing was kept"),
    "in_use": ("Phiên bản đang dùng: %(value)s", "Edition in use: %(value)s"),
    "level": (
        "%(title)s: %(count)s (thêm %(added)s, đổi %(changed)s)",
        "%(title)s: %(count)s (%(added)s added, %(changed)s changed)",
    ),
    "missing": ("Mã còn thiếu: %(value)s", "Missing codes: %(value)s"),
    "unknown": ("Mã chưa biết: %(value)s", "Unknown codes: %(value)s"),
    "none": ("không có", "none"),
    "renamed": ("Đổi tên %(code)s: %(before)s → %(after)s", "Renamed %(code)s: %(before)s → %(after)s"),
    "overlaps": ("Chồng lấn: %(count)s, tổng %(area)s ha", "Overlaps: %(count)s, %(area)s ha in all"),
    "gaps": ("Khe hở: %(count)s, tổng %(area)s ha", "Gaps: %(count)s, %(area)s ha in all"),
    "fault": (
        "%(codes)s%(area)s ha tại kinh độ %(lon).5f, vĩ độ %(lat).5f",
        "%(codes)s%(area)s ha at longitude %(lon).5f, latitude %(lat).5f",
    ),
    "repaired": (
        "Đã sửa hình %(code)s %(name)s: %(reason)s Diện tích %(before)s → %(after)s ha",
        "Repaired %(code)s %(name)s: %(reason)s Area %(before)s → %(after)s ha",
    ),
    "layer": (
        "%(title)s: %(total)s, đổi xã %(moved)s, nhận xã gần nhất %(nearest)s, nằm ngoài %(outside)s",
        "%(title)s: %(total)s, %(moved)s changed commune, %(nearest)s took the nearest, %(outside)s outside",
    ),
    "outside": (
        "nằm ngoài mọi xã: số %(id)s tại kinh độ %(lon).5f, vĩ độ %(lat).5f",
        "outside every commune: %(id)s at longitude %(lon).5f, latitude %(lat).5f",
    ),
    "compared": (
        "%(code)s %(name)s: tệp %(file)s ha, hồ sơ %(record)s ha, khác nhau %(difference)s ha",
        "%(code)s %(name)s: file %(file)s ha, record %(record)s ha, differing on %(difference)s ha",
    ),
    "successions": (
        "Quan hệ chuyển tiếp: %(count)s dòng, theo %(source)s",
        "Successions: %(count)s rows, from %(source)s",
    ),
    "overlay": ("diện tích chồng ghép", "overlay of areas"),
    "remark": ("Lưu ý: %(value)s", "Note: %(value)s"),
    "more": ("… và %(count)s nữa", "… and %(count)s more"),
    "seconds": ("Thời gian: %(value)s giây", "Time: %(value)s s"),
}

OVERLAY = "overlay"
"""Stands for successions that were measured, not read from a table."""


class _Writer:
    """The lines of one report in one language."""

    def __init__(self, report: Report, lang: str) -> None:
        self.report = report
        self.english = lang == "en"
        self.lang = lang

    def lines(self) -> list[str]:
        report = self.report
        head = self._say("compare" if report.compared else "title", file=report.file, edition=report.edition)
        lines = [head, *([self._say("dry_run")] if report.dry_run else [])]
        if report.edition_in_use:
            lines.append(self._say("in_use", value=report.edition_in_use))
        lines += [self._level(table) for table in report.levels]
        lines += [self._codes("missing", report.missing), self._codes("unknown", report.unknown)]
        lines += self._cut(
            [self._say("renamed", code=r.code, before=r.before, after=r.after) for r in report.renamed]
        )
        lines += self._faults("overlaps", report.overlaps) + self._faults("gaps", report.gaps)
        lines += self._cut([self._repaired(r) for r in report.repaired])
        lines += self._cut([self._compared(c) for c in report.compared])
        for moves in report.layers:
            lines += self._layer(moves) if moves.total else []
        if report.successions:
            source = self._say("overlay") if report.successions_from == OVERLAY else report.successions_from
            lines.append(self._say("successions", count=report.successions, source=source))
        lines += [self._say("remark", value=r.text(self.lang)) for r in report.remarks]
        lines.append(self._say("seconds", value=self._number(report.seconds, 1)))
        return lines

    def _say(self, phrase: str, **facts: Any) -> str:
        return PHRASES[phrase][self.english] % facts

    def _title(self, table: str) -> str:
        return TABLES[table][self.english] if table in TABLES else table

    def _number(self, value: float, digits: int = 2) -> str:
        written = f"{value:,.{digits}f}"
        return written if self.english else written.translate(str.maketrans(",.", ".,"))

    def _cut(self, lines: list[str], limit: int = LISTED) -> list[str]:
        rest = len(lines) - limit
        kept = [f"  {line}" for line in lines[:limit]]
        return [*kept, f"  {self._say('more', count=rest)}"] if rest > 0 else kept

    def _codes(self, phrase: str, codes: tuple[str, ...]) -> str:
        shown = ", ".join(codes[:LISTED]) or self._say("none")
        rest = len(codes) - LISTED
        return self._say(phrase, value=f"{shown} {self._say('more', count=rest)}" if rest > 0 else shown)

    def _level(self, table: str) -> str:
        report = self.report
        title = self._title(table)
        return self._say(
            "level",
            title=title[:1].upper() + title[1:],
            count=report.levels[table],
            added=report.added.get(table, 0),
            changed=report.changed.get(table, 0),
        )

    def _faults(self, phrase: str, faults: Faults) -> list[str]:
        lines = [
            self._say(
                "fault",
                codes=" – ".join(f.codes) + ": " if f.codes else "",
                area=self._number(f.area_ha, 4),
                lon=f.lon,
                lat=f.lat,
            )
            for f in faults.largest
        ]
        total = self._say(phrase, count=faults.count, area=self._number(faults.area_ha, 4))
        return [total, *self._cut(lines)]

    def _repaired(self, r: Repaired) -> str:
        before, after = self._number(r.area_before_ha, 4), self._number(r.area_after_ha, 4)
        return self._say("repaired", code=r.code, name=r.name, reason=r.reason, before=before, after=after)

    def _compared(self, c: Compared) -> str:
        areas = {
            "file": self._number(c.file_ha),
            "record": self._number(c.record_ha),
            "difference": self._number(c.difference_ha, 4),
        }
        return self._say("compared", code=c.code, name=c.name, **areas)

    def _layer(self, moves: LayerMoves) -> list[str]:
        counts = {
            "total": moves.total,
            "moved": moves.moved,
            "nearest": moves.nearest,
            "outside": len(moves.outside),
        }
        lines = [self._say("outside", id=o.id, lon=o.lon, lat=o.lat) for o in moves.outside]
        return [self._say("layer", title=self._title(moves.table), **counts), *self._cut(lines, SHOWN)]
