"""Which old commune went to which new ones: read from a crosswalk table, or measured by overlay."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit, bulk
from data.accounts import Actor
from data.admin_units import Commune, CommuneSuccession, Edition
from data.boundaries.columns import code_text
from data.boundaries.errors import BoundaryError, some
from data.boundaries.report import OVERLAY, Remark
from data.boundaries.write import SOURCE, known_units, set_fact
from data.record_facts import get_fact
from data.text import fold
from gis.coverage import succession_shares

LARGEST_TABLE_BYTES = 20_000_000
HECTARES_PER_SQUARE_KM = 100.0
WHOLE = 0.02
"""How far the shares of one old commune may be from a whole and still be rounding."""
FACT = "succession_source:%s-%s"


@dataclass(frozen=True, slots=True)
class Link:
    """One line of a crosswalk; names are there to catch a table of other editions."""

    old_code: str
    new_code: str
    old_name: str
    new_name: str
    area_ha: float | None
    share_of_old: float
    share_of_new: float


@dataclass(frozen=True)
class Crosswalk:
    """A table of successions."""

    name: str
    links: tuple[Link, ...]


# ---- reading


def read_crosswalk(path: Path) -> Crosswalk:
    """Read a crosswalk from CSV: code, code_YYYY, share_of_legacy, share_of_YYYY, names and area if given.

    Raises BoundaryError for a file that is no such table, or shares that are none.
    """
    try:
        if path.stat().st_size > LARGEST_TABLE_BYTES:
            raise BoundaryError("Bảng chuyển tiếp “%(file)s” quá lớn.", file=path.name)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = _columns(path, list(reader.fieldnames or []))
            links = tuple(_link(path, columns, row, reader.line_num) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BoundaryError(
            "Không đọc được bảng chuyển tiếp “%(file)s” dạng CSV (UTF-8).", file=path.name
        ) from error
    if not links:
        raise BoundaryError("Bảng chuyển tiếp “%(file)s” không có dòng nào.", file=path.name)
    pairs = [(link.old_code, link.new_code) for link in links]
    twice = sorted({f"{old} → {new}" for old, new in pairs if pairs.count((old, new)) > 1})
    if twice:
        raise BoundaryError("Bảng chuyển tiếp có cặp mã bị trùng: %(pairs)s.", pairs=some(twice))
    return Crosswalk(path.name, links)


_PATTERNS = {
    "old_code": r"code|code_(old|legacy)|old_code|ma_cu|ma_xa_cu",
    "new_code": r"code_(new|\d{4})|new_code|ma_moi|ma_xa_moi",
    "share_of_old": r"share_of_(old|legacy)|ty_le_cu",
    "share_of_new": r"share_of_(new|\d{4})|ty_le_moi",
    "old_name": r"name|name_(old|legacy)|old_name|ten_cu|ten_xa_cu",
    "new_name": r"name_(new|\d{4})|new_name|ten_moi|ten_xa_moi",
    "area_km2": r"area_km2|dien_tich_km2",
}
_NEEDED = ("old_code", "new_code", "share_of_old", "share_of_new")


def _columns(path: Path, present: list[str]) -> dict[str, str]:
    found = {}
    for role, pattern in _PATTERNS.items():
        match = [c for c in present if re.fullmatch(pattern, re.sub(r"[^a-z0-9]+", "_", fold(c)))]
        if match:
            found[role] = match[0]
    if any(role not in found for role in _NEEDED):
        raise BoundaryError(
            "Bảng chuyển tiếp “%(file)s” cần các cột code, code_2025, share_of_legacy, share_of_2025; "
            "các cột có trong bảng: %(columns)s.",
            file=path.name,
            columns=", ".join(present) or "–",
        )
    return found


def _link(path: Path, columns: dict[str, str], row: dict[str, str], line: int) -> Link:
    def cell(role: str) -> str:
        return code_text(row.get(columns.get(role, "")))

    try:
        shares = [float(cell(role)) for role in ("share_of_old", "share_of_new")]
        area = float(cell("area_km2")) * HECTARES_PER_SQUARE_KM if cell("area_km2") else None
        if (
            not cell("old_code")
            or not cell("new_code")
            or not all(0 <= share <= 1 + WHOLE for share in shares)
        ):
            raise ValueError
    except ValueError as error:
        raise BoundaryError(
            "Dòng %(line)s của bảng chuyển tiếp “%(file)s” thiếu mã hoặc có tỷ lệ không nằm trong "
            "khoảng 0 đến 1.",
            line=line,
            file=path.name,
        ) from error
    old, new = (min(1.0, share) for share in shares)
    return Link(cell("old_code"), cell("new_code"), cell("old_name"), cell("new_name"), area, old, new)


# ---- writing


def neighbour_editions(session: Session, edition: Edition) -> tuple[Edition, Edition] | None:
    """Return the pair (old, new) of this edition and the one before it, else after it, that has communes."""
    others = session.scalars(
        sa.select(Edition).where(
            Edition.id != edition.id,
            sa.exists().where(Commune.edition == Edition.code, Commune.geom.is_not(None)),
        )
    ).all()
    before = [e for e in others if e.valid_from < edition.valid_from]
    after = [e for e in others if e.valid_from >= edition.valid_from]
    if before:
        return max(before, key=lambda e: e.valid_from), edition
    return (edition, min(after, key=lambda e: e.valid_from)) if after else None


def write_successions(
    session: Session, edition: Edition, crosswalk: Crosswalk | None, actor: Actor, reason: str
) -> tuple[int, str, list[Remark]]:
    """Write how the communes of two editions follow one another; return rows, their source, and remarks.

    A crosswalk replaces what was there. Without one, shares are measured, unless an earlier crosswalk speaks.
    """
    pair = neighbour_editions(session, edition)
    if pair is None:
        if crosswalk is not None:
            raise BoundaryError(
                "Chưa có xã của phiên bản địa giới nào khác để nối với phiên bản %(edition)s; "
                "hãy nạp phiên bản đó trước.",
                edition=edition.code,
            )
        return 0, "", []
    fact = FACT % (pair[0].code, pair[1].code)
    old, new = (known_units(session, Commune, e.code) for e in pair)
    if crosswalk is None:
        source = get_fact(session, fact)
        if source not in (None, OVERLAY):
            return 0, "", []
        rows, remarks = _measured(old, new), []
    else:
        rows, remarks = _joined(crosswalk, old, new, pair), _share_remarks(crosswalk)
    _replace(session, rows, old, new, actor, reason)
    source = crosswalk.name if crosswalk else OVERLAY
    set_fact(session, fact, source)
    return len(rows), source, remarks


Row = tuple[int, int, float | None, float, float]


def _measured(old: dict[str, Any], new: dict[str, Any]) -> list[Row]:
    before = [row for row in old.values() if row.geom is not None]
    after = [row for row in new.values() if row.geom is not None]
    shares = succession_shares([row.geom for row in before], [row.geom for row in after])
    return [
        (
            before[s.old].id,
            after[s.new].id,
            s.area_km2 * HECTARES_PER_SQUARE_KM,
            s.share_of_old,
            s.share_of_new,
        )
        for s in shares
    ]


def _joined(
    crosswalk: Crosswalk, old: dict[str, Any], new: dict[str, Any], pair: tuple[Edition, Edition]
) -> list[Row]:
    """The rows of a crosswalk by id: each code within its edition, since alone it can mean two units."""
    for edition, units, used in (
        (pair[0], old, [(link.old_code, link.old_name) for link in crosswalk.links]),
        (pair[1], new, [(link.new_code, link.new_name) for link in crosswalk.links]),
    ):
        unknown = sorted({code for code, _ in used if code not in units})
        if unknown:
            raise BoundaryError(
                "Bảng chuyển tiếp có mã không thuộc phiên bản %(edition)s: %(codes)s.",
                edition=edition.code,
                codes=some(unknown),
            )
        other = sorted(
            {f"{code} {name}" for code, name in used if name and not _same_name(name, units[code].name)}
        )
        if len(other) > len(used) // 10:
            raise BoundaryError(
                "Tên xã trong bảng chuyển tiếp không khớp với phiên bản %(edition)s (%(names)s); "
                "có lẽ bảng thuộc một phiên bản khác.",
                edition=edition.code,
                names=some(other),
            )
    forgotten = sorted(old.keys() - {link.old_code for link in crosswalk.links})
    if forgotten:
        raise BoundaryError(
            "Bảng chuyển tiếp thiếu %(count)s xã của phiên bản %(edition)s: %(codes)s.",
            count=len(forgotten),
            edition=pair[0].code,
            codes=some(forgotten),
        )
    return [
        (old[link.old_code].id, new[link.new_code].id, link.area_ha, link.share_of_old, link.share_of_new)
        for link in crosswalk.links
    ]


def _same_name(a: str, b: str) -> bool:
    return fold(a) == fold(b) or fold(a).endswith(" " + fold(b)) or fold(b).endswith(" " + fold(a))


def _share_remarks(crosswalk: Crosswalk) -> list[Remark]:
    """A remark when the shares of some old commune do not make a whole."""
    sums: dict[str, float] = defaultdict(float)
    for link in crosswalk.links:
        sums[link.old_code] += link.share_of_old
    odd = sorted(code for code, total in sums.items() if abs(total - 1) > WHOLE)
    if not odd:
        return []
    return [
        Remark(
            "Tỷ lệ của các xã cũ %(codes)s trong bảng chuyển tiếp không cộng lại thành một.",
            "The shares of the old communes %(codes)s in the crosswalk do not add up to one.",
            {"codes": some(odd)},
        )
    ]


def _replace(
    session: Session, rows: Sequence[Row], old: dict[str, Any], new: dict[str, Any], actor: Actor, reason: str
) -> None:
    """Put the rows in the place of all that joined the two editions; the audit row keeps those."""
    session.flush()
    mine = sa.and_(
        CommuneSuccession.old_id.in_([row.id for row in old.values()]),
        CommuneSuccession.new_id.in_([row.id for row in new.values()]),
    )
    present = list(session.scalars(sa.select(CommuneSuccession).where(mine).order_by(CommuneSuccession.id)))
    if [(s.old_id, s.new_id, s.area_ha, s.share_of_old, s.share_of_new) for s in present] == list(rows):
        return
    if present:
        before = {"rows": [audit.snapshot(row) for row in present]}
        audit.write(
            session, actor, SOURCE, "commune_successions", None, "delete", before=before, reason=reason
        )
        session.execute(
            sa.delete(CommuneSuccession).where(mine), execution_options={"synchronize_session": False}
        )
    if not rows:
        return
    names = ("old_id", "new_id", "area_ha", "share_of_old", "share_of_new")
    series = dict(zip(names, (list(values) for values in zip(*rows, strict=True)), strict=True))
    bulk.load(session, CommuneSuccession, series, actor=actor, source=SOURCE, reason=reason)
