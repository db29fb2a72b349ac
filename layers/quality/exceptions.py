"""Faults that somebody accepts as they are: kept with the reason, and forgotten when the fault changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import TERRITORIAL, Actor, editable, own_rows
from data.quality import QualityException
from data.store import Store
from layers.fields import Layer
from layers.quality.report import Finding
from layers.refusals import Invalid, NotAllowed, NotFound

SAME_AREA, SAME_AREA_M2 = 0.05, 1.0
SAME_PLACE_DEGREES = 5e-4
SHORTEST_REASON = 5
_CHUNK = 500


def accepted(session: Session, layer: Layer, findings: Iterable[Finding]) -> dict[str, QualityException]:
    """The accepted faults among findings: {key of the finding: what was accepted}."""
    query = sa.select(QualityException).where(QualityException.table_name == layer.table)
    known: dict[tuple[str, tuple[int, ...]], list[QualityException]] = {}
    for row in session.scalars(query):
        known.setdefault((row.kind, tuple(row.row_ids)), []).append(row)
    found = {}
    for finding in findings:
        same = [e for e in known.get((finding.kind.value, finding.ids), []) if _covers(e, finding)]
        if same:
            found[finding.key] = same[-1]
    return found


def accept(store: Store, actor: Actor, layer: Layer, finding: Finding, reason: str) -> int:
    """Keep a fault as it is; return the number of the exception. Raises Invalid or NotAllowed."""
    text = " ".join(reason.split())
    if len(text) < SHORTEST_REASON:
        raise Invalid(
            "Hãy ghi rõ lý do giữ nguyên (ít nhất %(count)s ký tự).", field="reason", count=SHORTEST_REASON
        )
    with store.writing() as session:
        if not editable_ids(session, layer, actor, finding.ids):
            raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=layer.title)
        row = QualityException(
            table_name=layer.table,
            kind=finding.kind.value,
            row_ids=list(finding.ids),
            lon=finding.lon,
            lat=finding.lat,
            area_m2=finding.area_m2,
            reason=text,
            account_id=actor.account_id,
            actor=actor.name or actor.role.value,
        )
        session.add(row)
        session.flush()
        after = {"kind": row.kind, "row_ids": row.row_ids, "area_m2": row.area_m2}
        audit.write(
            session, actor, "web", QualityException.__tablename__, row.id, "insert", after=after, reason=text
        )
        return int(row.id)


def withdraw(store: Store, actor: Actor, layer: Layer, exception_id: int) -> None:
    """Let an accepted fault be a fault again. Raises NotFound or NotAllowed."""
    with store.writing() as session:
        row = session.get(QualityException, exception_id)
        if row is None or row.table_name != layer.table:
            raise NotFound("Không có bản ghi %(id)s trong lớp %(layer)s.", id=exception_id, layer=layer.title)
        if not editable_ids(session, layer, actor, row.row_ids):
            raise NotAllowed("Bạn không có quyền sửa lớp %(layer)s.", layer=layer.title)
        before = {"kind": row.kind, "row_ids": row.row_ids, "reason": row.reason}
        session.delete(row)
        audit.write(
            session, actor, "web", QualityException.__tablename__, exception_id, "delete", before=before
        )


# ---- whose faults


def touching(session: Session, layer: Layer, actor: Actor, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that concern the actor: all of them, or for territory officers those with a row of theirs."""
    if actor.role not in TERRITORIAL:
        return list(findings)
    rule = own_rows(actor, layer.model)
    own = set() if rule is None else set(session.scalars(sa.select(layer.model.id).where(rule)))
    return [f for f in findings if not own.isdisjoint(f.ids)]


def editable_ids(session: Session, layer: Layer, actor: Actor, ids: Iterable[int]) -> set[int]:
    """The rows among `ids` that the actor may change."""
    wanted = list(ids)
    found: set[int] = set()
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        rule = sa.and_(layer.model.id.in_(some), editable(actor, layer.model))
        found.update(session.scalars(sa.select(layer.model.id).where(rule)))
    return found


def _covers(row: QualityException, finding: Finding) -> bool:
    if abs(row.area_m2 - finding.area_m2) > SAME_AREA_M2 + SAME_AREA * finding.area_m2:
        return False
    if row.lon is None or row.lat is None or finding.lon is None or finding.lat is None:
        return True
    return max(abs(row.lon - finding.lon), abs(row.lat - finding.lat)) <= SAME_PLACE_DEGREES
