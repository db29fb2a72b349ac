"""Applying a change of boundaries: a new edition with the changed units, and everything in them moved along.

The new edition begins on the decree's day. A unit that the change leaves alone goes on in it under its id, so that
rows, accounts and addresses stay true; a copy stays behind in the old edition, which thereby remains the complete
division of the territory that it was. Old and new units are joined by successions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import Account, Actor
from data.admin_units import (
    EDITION_IN_USE,
    Commune,
    CommuneSuccession,
    District,
    Edition,
    Province,
    edition_in_use,
)
from data.boundaries import changes
from data.boundaries.act import Act, renew_everything
from data.boundaries.changes import SOURCE
from data.boundaries.effects import Effects, effects
from data.boundaries.errors import BoundaryError
from data.boundaries.load import BOUNDARIES_SOURCE, keep_others_out
from data.boundaries.write import set_fact
from data.boundary_changes import BoundaryChange, ChangeState
from data.record_facts import get_fact
from data.store import Store
from data.tables import AuditRow
from gis import coverage, partition
from gis.geometry import area_ha, orient

HECTARES_PER_SQUARE_KM = 100.0
LEVELS: tuple[Any, ...] = (Province, District, Commune)


def mark_previewed(store_: Store, actor: Actor, change_id: int, *, version: int | None = None) -> Effects:
    """Work out the effects of a change and, when nothing stands in the way, note that they were looked at."""
    changes.must_be_allowed(actor)
    with store_.writing() as session:
        change = changes.find(session, change_id, lock=True)
        _same_version(change, version)
        found = effects(session, change)
        change.effects = found.summary()
        if change.is_open:
            change.state = ChangeState.DRAFT if found.blocking else ChangeState.PREVIEWED
        return found


def schedule(store_: Store, actor: Actor, change_id: int, *, version: int | None = None) -> dt.date:
    """Let a change be applied on the day from which its decree holds; return that day."""
    changes.must_be_allowed(actor)
    with store_.writing() as session:
        change = changes.find(session, change_id, lock=True)
        _same_version(change, version)
        if change.state != ChangeState.PREVIEWED or change.effective_on is None:
            raise BoundaryError("Hãy xem trước và sửa hết các điểm còn vướng rồi mới lên lịch.")
        change.state, change.failure = ChangeState.SCHEDULED, None
        after = {"state": change.state, "effective_on": audit.plain(change.effective_on)}
        audit.write(session, actor, SOURCE, "boundary_changes", change.id, "schedule", after=after)
        return change.effective_on


def unschedule(store_: Store, actor: Actor, change_id: int) -> None:
    """Take a scheduled change back to be altered."""
    changes.must_be_allowed(actor)
    with store_.writing() as session:
        change = changes.find(session, change_id, lock=True)
        if change.state != ChangeState.SCHEDULED:
            raise BoundaryError("Thay đổi này không có trong lịch.")
        change.state = ChangeState.DRAFT
        audit.write(session, actor, SOURCE, "boundary_changes", change.id, "unschedule")


def apply(
    store_: Store,
    actor: Actor,
    change_id: int,
    *,
    day: dt.date,
    version: int | None = None,
    fingerprint: str | None = None,
) -> int:
    """Apply a change whose day has come, in one transaction; return the id of its batch.

    `fingerprint` is that of the effects which the actor looked at: when more has moved into the units since, the
    change is refused so that it is looked at again. Raises BoundaryError; then nothing has changed.
    """
    changes.must_be_allowed(actor)
    with store_.writing() as session:
        keep_others_out(session)
        change = changes.find(session, change_id, lock=True)
        _same_version(change, version)
        if change.state not in (ChangeState.PREVIEWED, ChangeState.SCHEDULED):
            raise BoundaryError("Hãy xem trước và sửa hết các điểm còn vướng rồi mới áp dụng.")
        if change.effective_on is None or change.effective_on > day:
            raise BoundaryError("Chưa đến ngày hiệu lực của thay đổi; hãy lên lịch để áp dụng đúng ngày.")
        found = effects(session, change)
        if found.blocking:
            raise BoundaryError(found.blocking[0].message, **found.blocking[0].facts)
        if fingerprint is not None and fingerprint != found.fingerprint():
            raise BoundaryError(
                "Dữ liệu trong các đơn vị này đã thay đổi từ lúc bạn xem trước; hãy xem lại rồi áp dụng."
            )
        return _Application(session, change, found, actor).run()


def apply_due(
    store_: Store, actor: Actor, day: dt.date, *, say: Callable[[BoundaryChange, str], None] | None = None
) -> list[int]:
    """Apply every scheduled change whose day has come, by day; return their ids.

    One that cannot be applied keeps its place and says why in `failure`; later ones wait for it.
    """
    with store_.reading() as session:
        due = sa.select(BoundaryChange.id).where(
            BoundaryChange.state == ChangeState.SCHEDULED, BoundaryChange.effective_on <= day
        )
        waiting = list(session.scalars(due.order_by(BoundaryChange.effective_on, BoundaryChange.id)))
    applied = []
    for change_id in waiting:
        try:
            apply(store_, actor, change_id, day=day)
        except BoundaryError as error:
            _keep_failure(store_, change_id, str(error), say)
            break
        applied.append(change_id)
    return applied


def _keep_failure(
    store_: Store, change_id: int, sentence: str, say: Callable[[BoundaryChange, str], None] | None
) -> None:
    with store_.writing() as session:
        change = changes.find(session, change_id, lock=True)
        change.failure = sentence
        if say is not None:
            say(change, sentence)


def _same_version(change: BoundaryChange, version: int | None) -> None:
    if version is not None and version != change.version:
        raise changes.ChangeConflict(
            "Người khác vừa sửa thay đổi này; chưa có gì bị ghi đè. Hãy tải lại trang rồi làm tiếp."
        )


class _Application(Act):
    """One change applied within one transaction; `facts` gathers what taking it back needs."""

    def __init__(self, session: Session, change: BoundaryChange, found: Effects, actor: Actor) -> None:
        super().__init__(session, change, actor)
        self.effects = found
        self.old = session.scalars(sa.select(Edition).where(Edition.code == edition_in_use(session))).one()
        self.day: dt.date = change.effective_on or self.moment.date()
        self.before = changes.units_of(session, [unit["id"] for unit in change.units_before])
        self.after: list[Commune] = []
        self.facts: dict[str, Any] = {"copies": {}, "valid_to": {}, "moves": {}, "accounts": {}}

    def run(self) -> int:
        """Do it all; return the id of the batch."""
        self.session.add(self.batch)
        self.session.flush()
        new = self._begin_edition()
        copies = {model: self._carry_over(model, new) for model in LEVELS}
        self._retire(copies)
        self._repoint(copies[Commune])
        self._add_units(new)
        self._join(copies[Commune])
        self._mend_neighbours(new)
        self._dissolve(new)
        self._move_rows()
        self._move_officers()
        self._finish(new)
        return int(self.batch.id)

    # ---- the edition

    def _begin_edition(self) -> Edition:
        code = taken = self.day.isoformat()
        known = set(self.session.scalars(sa.select(Edition.code)))
        number = 1
        while code in known:
            number += 1
            code = f"{taken}-{number}"
        self.facts["edition_valid_to"] = audit.plain(self.old.valid_to)
        ends = self.old.valid_to if self.old.valid_to and self.old.valid_to >= self.day else None
        new = Edition(
            code=code,
            title=f"Địa giới từ ngày {self.day:%d/%m/%Y}",
            valid_from=self.day,
            valid_to=ends,
            decree=self.change.decree,
        )
        self.old.valid_to = self._ended(self.old.valid_to)
        self.session.add(new)
        self.session.flush()
        self._log("editions", new.id, "insert", after=audit.snapshot(new))
        return new

    def _ended(self, valid_to: dt.date | None) -> dt.date:
        last = self.day - dt.timedelta(days=1)
        return min(valid_to, last) if valid_to else last

    # ---- units that stay as they are

    def _carry_over(self, model: Any, new: Edition) -> dict[int, int]:
        """Take the unchanged units of a level into the new edition; return the ids of the copies left behind."""
        changed = [row.id for row in self.before] if model is Commune else []
        rows = list(
            self.session.scalars(
                sa.select(model)
                .where(model.edition == self.old.code, model.id.not_in(changed))
                .order_by(model.id)
            )
        )
        former = [_values(row) for row in rows]
        self.facts["valid_to"][model.__tablename__] = {
            str(row.id): audit.plain(row.valid_to) for row in [*rows, *(self.before if changed else [])]
        }
        for row in rows:
            row.edition, row.valid_from, row.valid_to = new.code, new.valid_from, new.valid_to
            row.version += 1
            row.updated_at = self.moment
        self.session.flush()
        copies = [
            model(
                **{
                    **values,
                    "edition": self.old.code,
                    "valid_to": self._ended(values["valid_to"]),
                    "search": None,
                }
            )
            for values in former
        ]
        self.session.add_all(copies)
        self.session.flush()
        pairs = {row.id: copy.id for row, copy in zip(rows, copies, strict=True)}
        self.facts["copies"][model.__tablename__] = {str(key): value for key, value in pairs.items()}
        self._log(
            model.__tablename__,
            None,
            "carry_over",
            before={"edition": self.old.code},
            after={"edition": new.code, "copies": self.facts["copies"][model.__tablename__]},
        )
        return pairs

    def _retire(self, copies: dict[Any, dict[int, int]]) -> None:
        """End the changed units, and let what stays in the old edition hang together there."""
        for row in self.before:
            before = audit.snapshot(row)
            row.valid_to = self._ended(row.valid_to)
            row.version += 1
            row.updated_at = self.moment
            self._hang(row, copies)
            was, became = audit.difference(before, audit.snapshot(row))
            self._log("communes", row.id, "update", before=was, after=became)
        for model in (District, Commune):
            kept = list(copies[model].values())
            for copy in self.session.scalars(sa.select(model).where(model.id.in_(kept))):
                self._hang(copy, copies)
        self.session.flush()

    def _hang(self, row: Any, copies: dict[Any, dict[int, int]]) -> None:
        row.province_id = copies[Province].get(row.province_id, row.province_id)
        if isinstance(row, Commune):
            row.district_id = copies[District].get(row.district_id or 0, row.district_id)

    def _repoint(self, copies: dict[int, int]) -> None:
        """Let the links of the old edition to others end at the copies, which now stand for it."""
        rows = self.session.scalars(
            sa.select(CommuneSuccession).where(
                sa.or_(CommuneSuccession.old_id.in_(copies), CommuneSuccession.new_id.in_(copies))
            )
        )
        for row in rows:
            row.old_id = copies.get(row.old_id, row.old_id)
            row.new_id = copies.get(row.new_id, row.new_id)
        self.session.flush()

    # ---- units that are new

    def _add_units(self, new: Edition) -> None:
        province = self.before[0].province_id
        originals = {copy: row for row, copy in self.facts["copies"]["provinces"].items()}
        if province in originals:
            province = int(originals[province])
        for unit in self.change.units_after:
            row = Commune(
                code=unit["code"],
                name=unit["name"],
                kind=unit["kind"],
                edition=new.code,
                valid_from=new.valid_from,
                valid_to=new.valid_to,
                area_ha=unit["area_ha"],
                province_id=province,
                district_id=unit["district_id"],
                geom=shapely.from_wkb(unit["geom"]),
                source=self.change.decree,
            )
            row.search = row.search_parts()
            self.session.add(row)
            self.after.append(row)
        self.session.flush()
        for row in self.after:
            after = {key: value for key, value in audit.snapshot(row).items() if key != "geom"}
            self._log("communes", row.id, "insert", after=after)

    def _join(self, copies: dict[int, int]) -> None:
        """Join the old edition to the new: copies to their originals, changed units by measured shares."""
        areas = dict(
            self.session.execute(sa.select(Commune.id, Commune.area_ha).where(Commune.id.in_(copies))).all()
        )
        links = [
            CommuneSuccession(old_id=copy, new_id=row, area_ha=areas[row], share_of_old=1.0, share_of_new=1.0)
            for row, copy in copies.items()
        ]
        changed = [
            CommuneSuccession(
                old_id=self.before[share.old].id,
                new_id=self.after[share.new].id,
                area_ha=share.area_km2 * HECTARES_PER_SQUARE_KM,
                share_of_old=min(1.0, share.share_of_old),
                share_of_new=min(1.0, share.share_of_new),
                decree=self.change.decree,
            )
            for share in self.effects.successions
        ]
        self.session.add_all([*links, *changed])
        self.session.flush()
        self.change.successions = [
            {
                "old": row.old_id,
                "new": row.new_id,
                "area_ha": row.area_ha,
                "share_of_old": row.share_of_old,
                "share_of_new": row.share_of_new,
            }
            for row in changed
        ]
        self._log("commune_successions", None, "insert", after={"rows": self.change.successions})

    def _mend_neighbours(self, new: Edition) -> None:
        """Give neighbours the vertices that the new borders have on theirs, so that both sides match."""
        neighbours = [row for row in self._communes(new) if row not in self.after and row.geom is not None]
        shapes = [row.geom for row in self.after]
        around = shapely.union_all(shapes)
        near = [row for row in neighbours if shapely.intersects(row.geom, around)]
        for at, shape in partition.with_vertices_of([row.geom for row in near], shapes).items():
            row = near[at]
            before = {"geom": audit.plain(row.geom)}
            row.geom = orient([shape])[0]
            self._log("communes", row.id, "update", before=before, after={"geom": audit.plain(row.geom)})
        self.session.flush()

    def _dissolve(self, new: Edition) -> None:
        """Draw the districts and the province anew from their communes where these have changed."""
        rows = [row for row in self._communes(new) if row.geom is not None]
        for model, key in ((District, "district_id"), (Province, "province_id")):
            shapes = coverage.dissolve([row.geom for row in rows], [getattr(row, key) for row in rows])
            for unit in self.session.scalars(sa.select(model).where(model.id.in_([k for k in shapes if k]))):
                self._redraw(unit, orient([shapes[unit.id]])[0])
        self.session.flush()

    def _redraw(self, unit: Any, shape: Any) -> None:
        if unit.geom is not None and shapely.equals_exact(
            shapely.normalize(unit.geom), shapely.normalize(shape), 0.0
        ):
            return
        before = {"geom": audit.plain(unit.geom), "area_ha": unit.area_ha}
        unit.geom = shape
        unit.area_ha = round(float(area_ha(shape)), 4)
        after = {"geom": audit.plain(shape), "area_ha": unit.area_ha}
        self._log(unit.__tablename__, unit.id, "update", before=before, after=after)

    def _communes(self, edition: Edition) -> list[Commune]:
        query = sa.select(Commune).where(Commune.edition == edition.code).order_by(Commune.id)
        return list(self.session.scalars(query))

    # ---- what lies in the units

    def _move_rows(self) -> None:
        connection = self.session.connection()
        for table in self.effects.tables:
            target = Commune.metadata.tables[table.table]
            rows = [
                {"row": move.row, "commune": self.after[move.new].id, "moment": self.moment}
                for move in table.moves
            ]
            values: dict[str, Any] = {"commune_id": sa.bindparam("commune")}
            if "version" in target.c:
                values |= {"version": target.c.version + 1, "updated_at": sa.bindparam("moment")}
            statement = sa.update(target).where(target.c.id == sa.bindparam("row")).values(values)
            connection.execute(statement, rows)
            self.facts["moves"][table.table] = {str(move.row): move.old for move in table.moves}
            self._log_rows(table.table, [(m.row, m.old, self.after[m.new].id) for m in table.moves])

    def _log_rows(self, table: str, moves: list[tuple[int, int, int]]) -> None:
        entries = [
            {
                "actor": self.actor.name or self.actor.role.value,
                "account_id": self.actor.account_id,
                "source": SOURCE,
                "table_name": table,
                "row_id": row,
                "action": "update",
                "before": {"commune_id": old},
                "after": {"commune_id": new},
                "reason": self.change.decree,
                "batch_id": self.batch.id,
                "adopted": True,
                "at": self.moment,
            }
            for row, old, new in moves
        ]
        self.session.execute(sa.insert(AuditRow), entries)
        self.batch.rows = (self.batch.rows or 0) + len(entries)

    def _move_officers(self) -> None:
        for move in self.effects.officers:
            account = self.session.get(Account, move.account)
            if account is None:
                continue
            account.commune_id = self.after[move.new].id
            account.version += 1
            self.facts["accounts"][str(move.account)] = move.old
            after = {"commune_id": account.commune_id}
            self._log("accounts", account.id, "update", before={"commune_id": move.old}, after=after)

    # ---- bookkeeping

    def _finish(self, new: Edition) -> None:
        session, change = self.session, self.change
        origin = get_fact(session, f"{BOUNDARIES_SOURCE}:{self.old.code}")
        if origin is not None:
            set_fact(session, f"{BOUNDARIES_SOURCE}:{new.code}", origin)
        set_fact(session, EDITION_IN_USE, new.code)
        change.state, change.failure = ChangeState.APPLIED, None
        change.edition_before, change.edition_after = self.old.code, new.code
        change.units_after = [
            {**unit, "id": row.id} for unit, row in zip(change.units_after, self.after, strict=True)
        ]
        change.effects = self.effects.summary()
        change.accounts = {str(move.account): move.new for move in self.effects.officers}
        change.facts = self.facts
        change.batch_id = self.batch.id
        change.applied_at, change.applied_by = self.moment, self.actor.name or self.actor.role.value
        change.version += 1
        self._log("boundary_changes", change.id, "apply", after={"edition": new.code})
        session.flush()
        renew_everything(session, [*self.before, *self.after], list(self.facts["moves"]))


def _values(row: Any) -> dict[str, Any]:
    """The columns of a unit without its id, for a copy of it."""
    columns = sa.inspect(row).mapper.column_attrs
    return {c.key: getattr(row, c.key) for c in columns if c.key != "id"}
