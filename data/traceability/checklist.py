"""What a lot's dossier still needs, and why: the producer's checklist and the ground for release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from data.traceability.dossier import Dossier, DossierError, Entry
from data.traceability.profiles import blocks
from gis.errors import Sentence

DONE, MISSING, FAULTY, LATER, OPTIONAL = "done", "missing", "faulty", "later", "optional"
#: States that keep a lot from being released.
BLOCKING: Final = (MISSING, FAULTY)


@dataclass(frozen=True)
class Point:
    """One line of the checklist: how it stands and, where something is wrong, what."""

    block: str
    title: Mapping[str, str]
    basis: str
    state: str
    why: Sentence | None = None
    step: str | None = None
    hints: tuple[Sentence, ...] = field(default=())

    @property
    def blocks_release(self) -> bool:
        """Tell whether the lot cannot be released because of this."""
        return self.state in BLOCKING


class NotReady(DossierError):
    """A lot cannot be released yet; `points` are the lines that stand in the way."""

    def __init__(self, points: list[Point]) -> None:
        first = points[0]
        super().__init__(
            "Chưa cho xuất xưởng được, còn %(n)s mục: %(what)s.",
            n=len(points),
            what="; ".join(p.title["vi"] for p in points[:4]),
        )
        self.first = first
        self.points = points


def checklist(dossier: Dossier, today: dt.date) -> list[Point]:
    """List every line of a dossier in the order of its profile."""
    return list(_points(dossier, today))


def release_obstacles(dossier: Dossier, today: dt.date) -> list[Point]:
    """List the lines that keep a lot from being released."""
    return [p for p in _points(dossier, today) if p.blocks_release]


def must_be_ready(dossier: Dossier, today: dt.date) -> None:
    """Raise NotReady while something required is missing or a test failed, DossierError for a stopped lot."""
    if dossier.is_released:
        raise DossierError("Lô đã được xuất xưởng.")
    if dossier.is_stopped:
        raise DossierError("Lô đang bị tạm giữ hoặc thu hồi nên không cho xuất xưởng được.")
    obstacles = release_obstacles(dossier, today)
    if obstacles:
        raise NotReady(obstacles)


def latest_results(dossier: Dossier) -> dict[str, tuple[Mapping[str, Any], Entry]]:
    """Return the latest result for each analyte, with the entry it stands in: a new test replaces the older."""
    found: dict[str, tuple[Mapping[str, Any], Entry]] = {}
    for entry in dossier.of("test"):
        for result in entry.values.get("results") or ():
            found[str(result.get("analyte"))] = (result, entry)
    return found


# ---- the lines


def _points(dossier: Dossier, today: dt.date) -> Iterator[Point]:
    for code, when in dossier.profile.blocks.items():
        block = blocks()[code]
        if code == "step":
            yield from _steps(dossier)
            continue
        state, why, hints = _STATES[code](dossier, today) if code in _STATES else _any(dossier, code)
        if state == MISSING and when != "open" and when != "release":
            state = LATER if when == "after" else OPTIONAL
        yield Point(
            code, block.title, block.basis, state, why if state in (*BLOCKING, LATER) else None, None, hints
        )


def _steps(dossier: Dossier) -> Iterator[Point]:
    block = blocks()["step"]
    for step in dossier.profile.steps:
        there = dossier.last("step", step.code)
        state = DONE if there else MISSING if step.required else OPTIONAL
        why = None if there or not step.required else Sentence("Chưa ghi công đoạn này.")
        yield Point("step", step.title, block.basis, state, why, step.code)


_State = tuple[str, Sentence | None, tuple[Sentence, ...]]


def _any(dossier: Dossier, block: str) -> _State:
    return (DONE, None, ()) if dossier.of(block) else (MISSING, Sentence("Chưa ghi mục này."), ())


def _identity(dossier: Dossier, today: dt.date) -> _State:
    lot = dossier.lot
    if dossier.identity is None:
        return MISSING, Sentence("Lô có trước khi dùng hồ sơ sự kiện."), ()
    if not lot.quantity:
        return FAULTY, Sentence("Lô chưa có số lượng."), ()
    if lot.expires_on is None and dossier.profile.shelf_days:
        return FAULTY, Sentence("Lô chưa có hạn sử dụng."), ()
    return DONE, None, ()


def _input(dossier: Dossier, today: dt.date) -> _State:
    main = [e for e in dossier.of("input") if e.values.get("role") == "main"]
    if not main:
        return MISSING, Sentence("Chưa ghi nguyên liệu chính."), ()
    hints = []
    unweighed = [e for e in main if e.values.get("quantity") is None]
    if unweighed:
        hints.append(
            Sentence("%(n)s nguồn chưa ghi khối lượng, nên chưa cân đối được.", {"n": len(unweighed)})
        )
    if not any(e.values.get("document") or e.values.get("area") for e in main):
        hints.append(Sentence("Chưa có chứng từ hoặc vùng trồng của nguyên liệu."))
    return DONE, None, tuple(hints)


def _test(dossier: Dossier, today: dt.date) -> _State:
    latest = latest_results(dossier)
    titles = {t.code: t.title for t in dossier.profile.tests}
    failed = [
        str(titles.get(code, {}).get("vi") or result.get("title") or code)
        for code, (result, _) in latest.items()
        if result.get("verdict") == "non_conformant"
    ]
    failed += [str(e.values.get("report") or "") for e in dossier.of("test")
               if not e.values.get("results") and e.values.get("verdict") == "non_conformant"]  # fmt: skip
    if failed:
        return FAULTY, Sentence("Kiểm nghiệm không đạt: %(what)s.", {"what": ", ".join(failed)}), ()
    lacking = [t.title["vi"] for t in dossier.profile.tests if t.required and t.code not in latest]
    if lacking and dossier.profile.blocks.get("test") == "release":
        return MISSING, Sentence("Chưa có kết quả: %(what)s.", {"what": ", ".join(lacking)}), ()
    if not dossier.of("test"):
        return MISSING, Sentence("Chưa có phiếu kiểm nghiệm."), ()
    old = [e for e in dossier.of("test") if str(e.values.get("validUntil") or "9") < today.isoformat()]
    hints = (Sentence("%(n)s phiếu đã quá ngày dùng.", {"n": len(old)}),) if old else ()
    return DONE, None, hints


def _sample(dossier: Dossier, today: dt.date) -> _State:
    kept = dossier.of("sample")
    if not kept:
        return MISSING, Sentence("Chưa lưu mẫu."), ()
    gone = {e.uri for e in dossier.of("sample_disposal")}
    rule, expires = dossier.profile.sample, dossier.lot.expires_on
    early = expires + dt.timedelta(days=rule.margin_days) if rule and expires else None
    long_enough = [
        e for e in kept if early is None or str(e.values.get("retainUntil") or "") >= early.isoformat()
    ]
    if not long_enough:
        day = early.strftime("%d/%m/%Y") if early else ""
        return FAULTY, Sentence("Không mẫu nào được lưu đến %(day)s.", {"day": day}), ()
    due = [
        e for e in kept if e.uri not in gone and str(e.values.get("retainUntil") or "9") < today.isoformat()
    ]
    hints = (Sentence("%(n)s mẫu đã quá hạn lưu, chờ hủy.", {"n": len(due)}),) if due else ()
    return DONE, None, hints


_STATES = {"identity": _identity, "input": _input, "test": _test, "sample": _sample}
