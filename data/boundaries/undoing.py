"""Taking an applied change of boundaries back, while nothing later depends on it."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
from data.batches import Batch
from data.boundaries import changes
from data.boundaries.act import Act, renew_everything
from data.boundaries.effects import models_in_communes
from data.boundaries.errors import BoundaryError, some
from data.boundaries.load import BOUNDARIES_SOURCE, keep_others_out
from data.boundaries.write import set_fact
from data.boundary_changes import BoundaryChange, ChangeState
from data.store import Store
from data.tables import RecordFact
from gis.errors import marked


def obstacles(session: Session, change: BoundaryChange) -> list[tuple[str, dict[str, Any]]]:
    """List what depends on an applied change: (sentence, facts) each; none when it can be taken back."""
    if change.state != ChangeState.APPLIED or change.facts is None:
        return [(marked("Chỉ hoàn tác được một thay đổi đã áp dụng."), {})]
    if edition_in_use(session) != change.edition_after:
        return [(marked("Đã có thay đổi địa giới sau đó; hãy hoàn tác thay đổi sau trước."), {})]
    new = [unit["id"] for unit in change.units_after]
    found: list[tuple[str, dict[str, Any]]] = []
    later = sa.or_(CommuneSuccession.old_id.in_(new), CommuneSuccession.new_id.in_(new))
    own = [unit["id"] for unit in change.units_before]
    foreign = session.scalar(
        sa.select(sa.func.count())
        .select_from(CommuneSuccession)
        .where(later, CommuneSuccession.old_id.not_in(own))
    )
    if foreign:
        found.append((marked("Đã nạp một phiên bản địa giới khác nối với các đơn vị mới."), {}))
    for model in models_in_communes():
        moved = {int(key) for key in change.facts["moves"].get(model.__tablename__, {})}
        here = set(session.scalars(sa.select(model.id).where(model.commune_id.in_(new))))
        added = sorted(here - moved)
        if added:
            found.append(
                (
                    marked("Đã có %(count)s bản ghi thêm vào các đơn vị mới ở bảng %(table)s (số %(ids)s)."),
                    {"count": len(added), "table": model.__tablename__, "ids": some(added)},
                )
            )
    known = {int(key) for key in change.facts["accounts"]}
    people = session.execute(sa.select(Account.id, Account.username).where(Account.commune_id.in_(new)))
    names = [username for key, username in people if key not in known]
    if names:
        found.append(
            (marked("Đã có tài khoản mới phụ trách các đơn vị mới: %(names)s."), {"names": some(names)})
        )
    return found


def undo(store: Store, actor: Actor, change_id: int) -> int:
    """Take an applied change back as a whole; return the id of the batch that does so.

    Raises BoundaryError naming the first thing that depends on it; then nothing has changed.
    """
    changes.must_be_allowed(actor)
    with store.writing() as session:
        keep_others_out(session)
        change = changes.find(session, change_id, lock=True)
        found = obstacles(session, change)
        if found:
            raise BoundaryError(found[0][0], **found[0][1])
        return _Undoing(session, change, actor).run()


class _Undoing(Act):
    """One change taken back within one transaction."""

    def __init__(self, session: Session, change: BoundaryChange, actor: Actor) -> None:
        super().__init__(session, change, actor, undoes=change.batch_id)
        self.facts: dict[str, Any] = change.facts or {}
        self.copies = {
            table: {int(row): copy for row, copy in pairs.items()}
            for table, pairs in self.facts["copies"].items()
        }

    def run(self) -> int:
        """Do it all; return the id of the batch."""
        self.session.add(self.batch)
        self.session.flush()
        before, after = (
            [unit["id"] for unit in units] for units in (self.change.units_before, self.change.units_after)
        )
        self._move_rows_back()
        self._move_officers_back()
        self._links_back(before)
        self._remove(Commune, after)
        for model in (Commune, District, Province):
            self._units_back(model, before if model is Commune else [])
        self._edition_back()
        self._finish(before)
        return int(self.batch.id)

    def _move_rows_back(self) -> None:
        for table, moves in self.facts["moves"].items():
            target = Commune.metadata.tables[table]
            values: dict[str, Any] = {"commune_id": sa.bindparam("commune")}
            if "version" in target.c:
                values |= {"version": target.c.version + 1, "updated_at": sa.bindparam("moment")}
            new = [unit["id"] for unit in self.change.units_after]
            # A row that was moved elsewhere by hand since then stays where it is.
            statement = (
                sa.update(target)
                .where(target.c.id == sa.bindparam("row"), target.c.commune_id.in_(new))
                .values(values)
            )
            rows = [{"row": int(row), "commune": old, "moment": self.moment} for row, old in moves.items()]
            for row in rows:
                self.session.connection().execute(statement, row)
            self._log(table, None, "undo", after={"rows": len(rows)})

    def _move_officers_back(self) -> None:
        new = {unit["id"] for unit in self.change.units_after}
        for key, old in self.facts["accounts"].items():
            account = self.session.get(Account, int(key))
            if account is not None and account.commune_id in new:
                before = {"commune_id": account.commune_id}
                account.commune_id = old
                account.version += 1
                self._log("accounts", account.id, "update", before=before, after={"commune_id": old})
        self.session.flush()

    def _links_back(self, before: list[int]) -> None:
        copies = self.copies["communes"]
        new = [unit["id"] for unit in self.change.units_after]
        self.session.execute(
            sa.delete(CommuneSuccession).where(
                sa.or_(
                    sa.and_(CommuneSuccession.old_id.in_(before), CommuneSuccession.new_id.in_(new)),
                    sa.and_(
                        CommuneSuccession.old_id.in_(copies.values()), CommuneSuccession.new_id.in_(copies)
                    ),
                )
            )
        )
        originals = {copy: row for row, copy in copies.items()}
        rows = self.session.scalars(
            sa.select(CommuneSuccession).where(
                sa.or_(CommuneSuccession.old_id.in_(originals), CommuneSuccession.new_id.in_(originals))
            )
        )
        for row in rows:
            row.old_id = originals.get(row.old_id, row.old_id)
            row.new_id = originals.get(row.new_id, row.new_id)
        self.session.flush()

    def _units_back(self, model: Any, changed: list[int]) -> None:
        """Give the old edition its units back as the copies keep them, and drop the copies."""
        table = model.__tablename__
        pairs = self.copies[table]
        copies = {
            row.id: row for row in self.session.scalars(sa.select(model).where(model.id.in_(pairs.values())))
        }
        rows = list(self.session.scalars(sa.select(model).where(model.id.in_([*pairs, *changed]))))
        kept = {row.id: _kept(copies[pairs[row.id]]) for row in rows if row.id in pairs}
        valid_to = self.facts["valid_to"][table]
        for row in rows:
            self._hang(row)
        self.session.flush()
        self._remove(model, list(copies))
        for row in rows:
            for key, value in kept.get(row.id, {}).items():
                setattr(row, key, value)
            if row.id in pairs:
                row.edition = self.change.edition_before
            row.valid_to = _date(valid_to.get(str(row.id)))
            row.version += 1
            row.updated_at = self.moment
        self.session.flush()
        self._log(table, None, "undo", after={"edition": self.change.edition_before, "rows": len(rows)})

    def _hang(self, row: Any) -> None:
        """Hang a unit on the districts and province that go on, away from their copies."""
        for key, table in (("district_id", "districts"), ("province_id", "provinces")):
            originals = {copy: original for original, copy in self.copies[table].items()}
            if hasattr(row, key) and getattr(row, key) in originals:
                setattr(row, key, originals[getattr(row, key)])

    def _remove(self, model: Any, ids: list[int]) -> None:
        for row in list(self.session.scalars(sa.select(model).where(model.id.in_(ids)))):
            self.session.delete(row)
        self.session.flush()

    def _edition_back(self) -> None:
        old, new = (
            self.session.scalars(sa.select(Edition).where(Edition.code == code)).one()
            for code in (self.change.edition_before, self.change.edition_after)
        )
        old.valid_to = _date(self.facts["edition_valid_to"])
        self._log("editions", new.id, "delete", before=audit.snapshot(new))
        self.session.delete(new)
        self.session.execute(
            sa.delete(RecordFact).where(RecordFact.key == f"{BOUNDARIES_SOURCE}:{self.change.edition_after}")
        )
        set_fact(self.session, EDITION_IN_USE, self.change.edition_before)

    def _finish(self, before: list[int]) -> None:
        change = self.change
        first = self.session.get(Batch, change.batch_id) if change.batch_id else None
        if first is not None:
            first.undone_at, first.undone_by = self.moment, self.batch.id
        change.state = ChangeState.UNDONE
        change.undone_at, change.undone_by = self.moment, self.actor.name or self.actor.role.value
        change.version += 1
        self._log("boundary_changes", change.id, "undo", before={"edition": change.edition_after})
        self.session.flush()
        units = list(self.session.scalars(sa.select(Commune).where(Commune.id.in_(before))))
        renew_everything(self.session, units, list(self.facts["moves"]))


_GOES_BACK = ("name", "kind", "code", "geom", "area_ha", "valid_from", "source", "search")


def _kept(copy: Any) -> dict[str, Any]:
    """What a copy keeps of the unit as it was; its search text is empty, so that is made anew."""
    values = {key: getattr(copy, key) for key in _GOES_BACK}
    values["search"] = copy.search_parts()
    return values


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
