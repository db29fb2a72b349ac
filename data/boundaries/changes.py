"""Drawing up a change of boundaries step by step: units, decree, outlines, names; nothing else moves meanwhile."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import BOUNDARY_EDITORS, Actor
from data.admin_units import Commune, District, Edition, edition_in_use
from data.boundaries.columns import code_text, kind_of, text
from data.boundaries.errors import BoundaryError
from data.boundaries.outlines import Piece, merged
from data.boundary_changes import BoundaryChange, ChangeKind, ChangeState
from data.store import Store
from gis.coverage import succession_shares
from gis.errors import Refusal
from gis.geometry import area_ha, orient
from gis.partition import tidy

SOURCE = "boundaries"
FIT_M = 2_000.0
"""How wide a strip may be that is given to a neighbour when outlines are fitted into the old ground."""
LONGEST_TEXT = 300


class ChangeNotAllowed(Refusal):
    """Only province officers and administrators change boundaries."""


class ChangeNotFound(Refusal):
    """There is no such change."""


class ChangeConflict(BoundaryError):
    """Somebody else altered the change meanwhile."""


def must_be_allowed(actor: Actor) -> None:
    """Refuse actors who may not change boundaries."""
    if actor.role not in BOUNDARY_EDITORS:
        raise ChangeNotAllowed("Chỉ cán bộ cấp tỉnh và quản trị viên được thay đổi địa giới.")


def find(session: Session, change_id: int, *, lock: bool = False) -> BoundaryChange:
    """Return a change by its id; raises ChangeNotFound."""
    query = sa.select(BoundaryChange).where(BoundaryChange.id == change_id)
    change = session.scalar(query.with_for_update() if lock else query)
    if change is None:
        raise ChangeNotFound("Không có thay đổi địa giới số %(id)s.", id=change_id)
    return change


def all_changes(session: Session) -> list[BoundaryChange]:
    """List the changes, those not yet applied first, then the latest."""
    waiting = BoundaryChange.state.in_((ChangeState.APPLIED, ChangeState.UNDONE))
    query = sa.select(BoundaryChange).order_by(waiting, BoundaryChange.id.desc())
    return list(session.scalars(query))


def units_of(session: Session, ids: Sequence[int]) -> list[Commune]:
    """Return the units in the order of the ids; raises BoundaryError when one is not of the edition in use."""
    edition = edition_in_use(session)
    rows = {row.id: row for row in session.scalars(sa.select(Commune).where(Commune.id.in_(ids)))}
    gone = [i for i in ids if i not in rows or rows[i].edition != edition]
    if gone:
        names = ", ".join(rows[i].full_name if i in rows else str(i) for i in gone)
        raise BoundaryError(
            "Đơn vị %(names)s không còn trong địa giới đang dùng; hãy chọn lại các đơn vị.", names=names
        )
    bare = [rows[i].full_name for i in ids if rows[i].geom is None]
    if bare:
        raise BoundaryError("Đơn vị %(names)s chưa có ranh giới.", names=", ".join(bare))
    return [rows[i] for i in ids]


def shapes_after(change: BoundaryChange) -> list[Any]:
    """Return the outlines of the units after a change."""
    return [shapely.from_wkb(unit["geom"]) for unit in change.units_after]


# ---- steps


def begin(store: Store, actor: Actor, kind: str, unit_ids: Sequence[int]) -> int:
    """Start a change of some units of the edition in use; return its id."""
    must_be_allowed(actor)
    with store.writing() as session:
        change = BoundaryChange(
            kind=_kind(kind),
            edition_before=edition_in_use(session),
            units_before=[],
            units_after=[],
            account_id=actor.account_id,
            actor=actor.name,
        )
        _choose(session, change, unit_ids)
        session.add(change)
        session.flush()
        return int(change.id)


def choose_units(
    store: Store, actor: Actor, change_id: int, kind: str, unit_ids: Sequence[int], *, version: int | None
) -> None:
    """Choose other units or another kind; outlines and names are then worked out anew."""
    with _altering(store, actor, change_id, version) as (session, change):
        same = kind == change.kind and list(unit_ids) == [u["id"] for u in change.units_before]
        if same and change.edition_before == edition_in_use(session):
            return
        change.kind = _kind(kind)
        change.edition_before = edition_in_use(session)
        _choose(session, change, unit_ids)


def set_decree(
    store: Store,
    actor: Actor,
    change_id: int,
    *,
    decree: str,
    decree_date: dt.date | None,
    authority: str,
    effective_on: dt.date | None,
    note: str,
    version: int | None,
) -> None:
    """Set by which decree the change is made and from when it holds."""
    with _altering(store, actor, change_id, version) as (session, change):
        change.decree, change.authority = _line(decree), _line(authority)
        change.note = note.strip() or None
        change.decree_date, change.effective_on = decree_date, effective_on
        if not change.decree or decree_date is None or effective_on is None:
            raise BoundaryError("Hãy cho biết số văn bản, ngày ban hành và ngày hiệu lực.")
        _check_day(session, change)


def set_outlines(
    store: Store, actor: Actor, change_id: int, pieces: Sequence[Piece], *, version: int | None
) -> None:
    """Take over the outlines of the new units; what they are called follows from the old ones where it can."""
    with _altering(store, actor, change_id, version) as (session, change):
        before = units_of(session, [u["id"] for u in change.units_before])
        if change.kind == ChangeKind.SPLIT and len(pieces) < 2:
            raise BoundaryError("Chia một đơn vị thì phải có ít nhất hai hình mới.")
        if change.kind == ChangeKind.BORDER and len(pieces) != len(before):
            raise BoundaryError(
                "Điều chỉnh địa giới giữ nguyên số đơn vị: cần %(wanted)s hình mới, đang có %(found)s.",
                wanted=len(before),
                found=len(pieces),
            )
        change.units_after = _units_from(change, before, pieces)
        change.accounts = None


def fit_outlines(store: Store, actor: Actor, change_id: int, *, version: int | None) -> None:
    """Fit the outlines into the old ground: strips along borders go to the unit with most border beside them."""
    with _altering(store, actor, change_id, version) as (session, change):
        before = units_of(session, [u["id"] for u in change.units_before])
        fitted = tidy(shapes_after(change), merged([row.geom for row in before]), FIT_M)
        units = [dict(unit) for unit in change.units_after]
        for unit, shape in zip(units, fitted, strict=True):
            unit.update(_drawn(shape))
        change.units_after = units


def describe(
    store: Store,
    actor: Actor,
    change_id: int,
    descriptions: Sequence[Mapping[str, Any]],
    *,
    version: int | None,
) -> None:
    """Set code, name, kind and district of each new unit, in the order of the outlines."""
    with _altering(store, actor, change_id, version) as (session, change):
        if len(descriptions) != len(change.units_after):
            raise BoundaryError("Số đơn vị mới đã thay đổi; hãy tải lại trang.")
        districts = {row.id for row in districts_in_use(session)}
        units = []
        for unit, given in zip(change.units_after, descriptions, strict=True):
            district = given.get("district_id") or None
            if district is not None and int(district) not in districts:
                raise BoundaryError("Không có huyện số %(id)s trong địa giới đang dùng.", id=district)
            name = text(given.get("name"))
            units.append(
                {
                    **unit,
                    "code": code_text(given.get("code")),
                    "name": name,
                    "kind": text(given.get("kind")) or kind_of("", name) or "",
                    "district_id": int(district) if district else None,
                }
            )
        change.units_after = units


def choose_accounts(
    store: Store, actor: Actor, change_id: int, chosen: Mapping[str, int], *, version: int | None
) -> None:
    """Say which new unit (by position) each officer of a changed unit keeps; `chosen` is by account id."""
    with _altering(store, actor, change_id, version) as (_session, change):
        size = len(change.units_after)
        if not all(0 <= at < size for at in chosen.values()):
            raise BoundaryError("Số đơn vị mới đã thay đổi; hãy tải lại trang.")
        change.accounts = {str(key): int(at) for key, at in chosen.items()}


def discard(store: Store, actor: Actor, change_id: int) -> None:
    """Throw a draft away; the audit trail keeps what it said."""
    must_be_allowed(actor)
    with store.writing() as session:
        change = find(session, change_id, lock=True)
        if not change.is_open:
            raise BoundaryError("Chỉ bỏ được bản nháp; thay đổi này đã lên lịch hoặc đã áp dụng.")
        before = audit.snapshot(change)
        audit.write(session, actor, SOURCE, "boundary_changes", change.id, "delete", before=before)
        session.delete(change)


# ---- inside


@contextlib.contextmanager
def _altering(
    store: Store, actor: Actor, change_id: int, version: int | None
) -> Iterator[tuple[Session, BoundaryChange]]:
    """Give an open change to alter; it has to be previewed again afterwards."""
    must_be_allowed(actor)
    with store.writing() as session:
        change = find(session, change_id, lock=True)
        if not change.is_open:
            raise BoundaryError(
                "Thay đổi này đã lên lịch hoặc đã áp dụng nên không sửa được nữa; hãy hủy lịch trước."
            )
        if version is not None and version != change.version:
            raise ChangeConflict(
                "Người khác vừa sửa thay đổi này; chưa có gì bị ghi đè. Hãy tải lại trang rồi làm tiếp."
            )
        yield session, change
        change.state = ChangeState.DRAFT
        change.version += 1


def _kind(kind: str) -> ChangeKind:
    try:
        return ChangeKind(kind)
    except ValueError:
        raise BoundaryError("Hãy chọn loại thay đổi: nhập, chia, điều chỉnh hoặc đổi tên.") from None


def _choose(session: Session, change: BoundaryChange, unit_ids: Sequence[int]) -> None:
    ids = list(dict.fromkeys(unit_ids))
    alone = change.kind in (ChangeKind.SPLIT, ChangeKind.RENAME)
    if alone and len(ids) != 1:
        raise BoundaryError("Chia hoặc đổi tên thì chọn đúng một đơn vị.")
    if not alone and len(ids) < 2:
        raise BoundaryError("Nhập hoặc điều chỉnh địa giới thì chọn ít nhất hai đơn vị.")
    rows = units_of(session, ids)
    change.units_before = [_shown(row) for row in rows]
    change.accounts = None
    shapes = [row.geom for row in rows]
    pieces: list[Piece] = []
    if change.kind == ChangeKind.MERGE:
        pieces = [Piece(merged(shapes))]
    elif change.kind == ChangeKind.RENAME:
        pieces = [Piece(shapes[0])]
    change.units_after = _units_from(change, rows, pieces)


def _shown(row: Commune) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "name": row.name,
        "full_name": row.full_name,
        "kind": row.kind,
        "district": row.district.name if row.district else None,
        "area_ha": row.area_ha,
    }


def _units_from(
    change: BoundaryChange, before: Sequence[Commune], pieces: Sequence[Piece]
) -> list[dict[str, Any]]:
    """Each piece with a name: its own, or that of the old unit whose largest part it is."""
    if not pieces:
        return []
    shapes = [piece.geometry for piece in pieces]
    shares = succession_shares([row.geom for row in before], shapes)
    heir_of: dict[int, int] = {}
    for share in sorted(shares, key=lambda s: -s.area_km2):
        if share.old not in heir_of.values() and share.new not in heir_of:
            heir_of[share.new] = share.old
    home = {s.new: s.old for s in sorted(shares, key=lambda s: s.area_km2)}
    units = []
    for at, piece in enumerate(pieces):
        keeps = before[heir_of[at]] if at in heir_of else None
        district = before[home.get(at, 0)].district_id
        units.append(
            {
                "code": piece.code or (keeps.code if keeps else ""),
                "name": piece.name or (keeps.name if keeps else ""),
                "kind": piece.kind or (keeps.kind if keeps else before[home.get(at, 0)].kind),
                "district_id": district,
                **_drawn(piece.geometry),
            }
        )
    return units


def _drawn(shape: Any) -> dict[str, Any]:
    turned = orient([shape])[0]
    return {"geom": audit.plain(turned), "area_ha": round(float(area_ha(turned)), 4)}


def _line(value: str) -> str | None:
    line = re.sub(r"\s+", " ", value).strip()
    if len(line) > LONGEST_TEXT:
        raise BoundaryError("Một dòng dài quá %(limit)s ký tự.", limit=LONGEST_TEXT)
    return line or None


def _check_day(session: Session, change: BoundaryChange) -> None:
    edition = session.scalar(sa.select(Edition).where(Edition.code == edition_in_use(session)))
    if edition is not None and change.effective_on is not None and change.effective_on < edition.valid_from:
        raise BoundaryError(
            "Ngày hiệu lực phải từ ngày %(day)s trở đi, là ngày bắt đầu của địa giới đang dùng.",
            day=f"{edition.valid_from:%d/%m/%Y}",
        )


def districts_in_use(session: Session) -> list[District]:
    """List the districts of the edition in use by name; none where the level is abolished."""
    query = sa.select(District).where(District.edition == edition_in_use(session))
    return list(session.scalars(query.order_by(District.name)))


def units_in_use(session: Session) -> list[Commune]:
    """List the units of the edition in use by name."""
    query = sa.select(Commune).where(Commune.edition == edition_in_use(session))
    return list(session.scalars(query.order_by(Commune.name, Commune.id)))


def editions(session: Session) -> list[Edition]:
    """List the editions, the oldest first."""
    return list(session.scalars(sa.select(Edition).order_by(Edition.valid_from, Edition.id)))


def outlines_of(session: Session, ids: Sequence[int]) -> list[Any]:
    """Return the outlines of units of any edition."""
    return list(
        session.scalars(sa.select(Commune.geom).where(Commune.id.in_(ids), Commune.geom.is_not(None)))
    )
