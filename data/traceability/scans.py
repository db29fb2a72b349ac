"""Readings of codes: counted without a word of who reads, and watched for what should not happen.

A reading knows its code, its moment, the lot's state and, only where the reader says so, a place rounded to a tenth
of a degree (about 11 km).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pyproj import Geod
from sqlalchemy.orm import Session

from data import audit
from data.accounts import Actor
from data.base import now
from data.programme.participations import check_version, touch
from data.store import Failure, Store
from data.traceability.duties import in_charge, row_in_charge, rule
from data.traceability.identifiers import canonical, kind_of
from data.traceability.lots import Lot
from data.traceability.tables import HELD, RECALLED, Scan, ScanAlarm, TraceItem
from gis.errors import Refusal

EARTH = Geod(ellps="WGS84")
LOGGER = logging.getLogger(__name__)
#: A scan that cannot be kept at once is let go: counting never makes anybody wait.
PATIENCE_MILLISECONDS = 400
PLACE_DIGITS = 1
DAYS = 14
MOST_PLACES = 6
RECENT_DAYS_LIMIT = 20_000
LOCAL = dt.timezone(dt.timedelta(hours=7))
STOPPED = frozenset({HELD, RECALLED})


class AlarmError(Refusal):
    """An alarm cannot be handled like this."""


@dataclass(frozen=True)
class Counts:
    """How often a code was read: in all, since when, and by day of the last two weeks, oldest first."""

    total: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    days: tuple[tuple[dt.date, int], ...]


# ---- keeping


def record(
    store: Store,
    uri: str,
    lot_id: int | None,
    lot_state: str | None,
    lon: float | None = None,
    lat: float | None = None,
) -> bool:
    """Keep a reading in a short transaction of its own and look whether it is alarming; tell whether it was kept.

    It never raises for want of the database: a reading that cannot be kept is let go and logged.
    """
    try:
        with store.writing_soon(PATIENCE_MILLISECONDS) as session:
            add(session, uri, lot_id, lot_state, lon=lon, lat=lat)
    except Failure as error:
        LOGGER.warning("a scan of %s was not kept: %s", uri, type(error).__name__)
        return False
    return True


def add(
    session: Session,
    uri: str,
    lot_id: int | None,
    lot_state: str | None,
    *,
    at: dt.datetime | None = None,
    lon: float | None = None,
    lat: float | None = None,
) -> Scan:
    """Add a reading to the transaction, with the alarms that follow from it."""
    name = canonical(uri)
    item_id = session.scalar(sa.select(TraceItem.id).where(TraceItem.uri == name))
    scan = Scan(uri=name, item_id=item_id, lot_id=lot_id, lot_state=lot_state, scanned_at=at or now())
    scan.lon, scan.lat = coarse(lon, lat)
    session.add(scan)
    session.flush()
    _watch(session, scan)
    return scan


def coarse(lon: float | None, lat: float | None) -> tuple[float | None, float | None]:
    """Round a lon/lat place so far that it names a district, not a house; (None, None) for what is no place."""
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None, None
    return round(lon, PLACE_DIGITS), round(lat, PLACE_DIGITS)


def tell_place(store: Store, uri: str, lot_id: int | None, lon: float, lat: float) -> bool:
    """Note roughly where the latest reading of a code was, as its reader says; tell whether there was one."""
    name = canonical(uri)
    west_east, south_north = coarse(lon, lat)
    if west_east is None:
        return False
    since = now() - dt.timedelta(minutes=rule("place_minutes"))
    query = sa.select(Scan).where(Scan.uri == name, Scan.lon.is_(None), Scan.scanned_at >= since)
    try:
        with store.writing_soon(PATIENCE_MILLISECONDS) as session:
            scan = session.scalars(query.order_by(Scan.id.desc()).limit(1)).first()
            if scan is None or (lot_id is not None and scan.lot_id != lot_id):
                return False
            scan.lon, scan.lat = west_east, south_north
            session.flush()
            _watch_places(session, scan)
    except Failure as error:
        LOGGER.warning("the place of a scan of %s was not kept: %s", name, type(error).__name__)
        return False
    return True


# ---- counting


def of_lot(session: Session, lot_id: int) -> Counts:
    """Count the readings of all codes of a lot."""
    return _counts(session, Scan.lot_id == lot_id)


def of_code(session: Session, uri: str) -> Counts:
    """Count the readings of one code."""
    return _counts(session, Scan.uri == canonical(uri))


def _counts(session: Session, condition: sa.ColumnElement[bool]) -> Counts:
    total, first, last = session.execute(
        sa.select(sa.func.count(), sa.func.min(Scan.scanned_at), sa.func.max(Scan.scanned_at)).where(
            condition
        )
    ).one()
    since = now() - dt.timedelta(days=DAYS)
    recent = session.scalars(
        sa.select(Scan.scanned_at).where(condition, Scan.scanned_at >= since).limit(RECENT_DAYS_LIMIT)
    )
    days = Counter(moment.astimezone(LOCAL).date() for moment in recent)
    return Counts(int(total), first, last, tuple(sorted(days.items())))


# ---- watching


def _watch(session: Session, scan: Scan) -> None:
    if scan.lot_state in STOPPED and scan.lot_id is not None:
        same = ScanAlarm.lot_id == scan.lot_id
        _alarm(session, scan, "recalled_scanned", same, {"state": scan.lot_state})
    if kind_of(scan.uri) != "instance":
        return
    since = scan.scanned_at - dt.timedelta(hours=rule("often_hours"))
    often = session.scalar(sa.select(sa.func.count()).where(Scan.uri == scan.uri, Scan.scanned_at >= since))
    if (often or 0) >= rule("often_count"):
        _alarm(session, scan, "often", ScanAlarm.uri == scan.uri, {"hours": rule("often_hours")})
    _watch_places(session, scan)


def _watch_places(session: Session, scan: Scan) -> None:
    """Look for readings of one jar too far off to be true; the jars of a lot share its code, which is no wonder."""
    if scan.lon is None or scan.lat is None or kind_of(scan.uri) != "instance":
        return
    span = dt.timedelta(minutes=rule("far_apart_minutes"))
    others = sa.select(Scan).where(
        Scan.uri == scan.uri,
        Scan.id != scan.id,
        Scan.lon.is_not(None),
        Scan.scanned_at.between(scan.scanned_at - span, scan.scanned_at + span),
    )
    for other in session.scalars(others):
        metres = EARTH.inv(scan.lon, scan.lat, other.lon or 0.0, other.lat or 0.0)[2]
        kilometres = metres / 1000
        if kilometres > rule("far_apart_km"):
            places = [[other.lon, other.lat], [scan.lon, scan.lat]]
            facts = {"km": round(kilometres), "places": places}
            _alarm(session, scan, "far_apart", ScanAlarm.uri == scan.uri, facts)
            return


def _alarm(
    session: Session, scan: Scan, kind: str, same: sa.ColumnElement[bool], facts: dict[str, Any]
) -> None:
    """Raise an alarm, or add to the one that waits; after one was handled there is quiet for a while."""
    query = sa.select(ScanAlarm).where(ScanAlarm.kind == kind, same).order_by(ScanAlarm.id.desc())
    last = session.scalars(query.limit(1)).first()
    moment = audit.plain(scan.scanned_at)
    if last is not None and last.state == "new":
        places = [*last.facts.get("places", ()), *facts.pop("places", ())]
        unlike = [p for i, p in enumerate(places) if p not in places[:i]]
        more = {"places": unlike[:MOST_PLACES]} if unlike else {}
        last.facts = {
            **last.facts, **facts, **more, "count": last.facts.get("count", 1) + 1, "last_at": moment
        }  # fmt: skip
        session.flush()
        return
    quiet = dt.timedelta(hours=rule("quiet_hours"))
    if last is not None and last.updated_at is not None and scan.scanned_at - last.updated_at < quiet:
        return
    lot = session.get(Lot, scan.lot_id) if scan.lot_id is not None else None
    session.add(
        ScanAlarm(
            kind=kind,
            uri=scan.uri,
            lot_id=scan.lot_id,
            producer_id=lot.producer_id if lot else None,
            commune_id=lot.commune_id if lot else None,
            facts={**facts, "count": 1, "first_at": moment, "last_at": moment},
        )
    )
    session.flush()


# ---- handling


def alarms(session: Session, actor: Actor, *, state: str | None = None, limit: int = 200) -> list[ScanAlarm]:
    """List the alarms of the actor's territory, those that wait first, then the newest."""
    query = sa.select(ScanAlarm).where(in_charge(actor, ScanAlarm))
    if state:
        query = query.where(ScanAlarm.state == state)
    order = (ScanAlarm.state != "new", ScanAlarm.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def waiting_alarms(session: Session, actor: Actor) -> int:
    """Count the alarms that nobody has looked at."""
    query = sa.select(sa.func.count()).select_from(ScanAlarm)
    return session.scalar(query.where(in_charge(actor, ScanAlarm), ScanAlarm.state == "new")) or 0


def is_suspicious(session: Session, uri: str, counts: Counts) -> bool:
    """Tell whether the readings of a jar's code look as if its label was copied."""
    if counts.total >= rule("copied_scans"):
        return True
    query = sa.select(ScanAlarm.id).where(
        ScanAlarm.uri == canonical(uri), ScanAlarm.kind.in_(("far_apart", "often")), ScanAlarm.state == "new"
    )
    return session.scalar(query.limit(1)) is not None


def handle(
    session: Session, actor: Actor, alarm_id: int, remark: str, *, version: int | None = None
) -> ScanAlarm:
    """Note what was done about an alarm. Raises NotYours, Outdated or AlarmError."""
    row = row_in_charge(session, actor, ScanAlarm, alarm_id, lock=True)
    check_version(row, version)
    if row.state != "new":
        raise AlarmError("Cảnh báo này đã được xử lý.")
    if not remark.strip():
        raise AlarmError("Hãy ghi đã làm gì với cảnh báo này.")
    before = audit.snapshot(row)
    row.state, row.handled_by, row.remark = "handled", actor.name, remark.strip()
    touch(session, actor, row, before, reason=remark.strip())
    return row
