"""Readings of codes: counted without persons, never in the way, watched for what cannot be."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import Actor, Role
from data.base import now
from data.programme.participations import Outdated
from data.programme.rights import NotYours
from data.store import Store
from data.tables import AuditRow
from data.traceability import blockevents, scans
from data.traceability.duties import rule
from data.traceability.identifiers import public_path
from data.traceability.lots import Lot
from data.traceability.tables import Scan, ScanAlarm

PROVINCE = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14)", "Accept": "text/html"}
CA_MAU, HA_NOI = (105.15, 9.18), (105.85, 21.03)


@pytest.fixture
def lot(demo_store: Store) -> int:
    """A published lot that nobody has read yet."""
    with demo_store.reading() as session:
        read = sa.select(Scan.lot_id).where(Scan.lot_id.is_not(None))
        query = sa.select(Lot.id).where(
            Lot.status == "published", Lot.lot_status == "released", Lot.id.not_in(read)
        )
        found = session.scalars(query.order_by(Lot.id)).first()
    assert found is not None
    return found


def code(store: Store, lot_id: int, serial: str | None = None) -> str:
    with store.reading() as session:
        return blockevents.uri_of(session.get_one(Lot, lot_id), serial)


def readings(store: Store, lot_id: int) -> int:
    with store.reading() as session:
        return scans.of_lot(session, lot_id).total


def alarms(
    store: Store, uri: str | None = None, lot_id: int | None = None
) -> list[tuple[str, str, dict[str, Any]]]:
    condition = ScanAlarm.uri == uri if uri else ScanAlarm.lot_id == lot_id
    with store.reading() as session:
        rows = session.scalars(sa.select(ScanAlarm).where(condition).order_by(ScanAlarm.id))
        return [(row.kind, row.state, row.facts) for row in rows]


def test_a_person_who_scans_is_counted_and_a_program_is_not(
    client: FlaskClient, demo_store: Store, lot: int
) -> None:
    path = public_path(code(demo_store, lot))
    assert client.get(path, headers=PHONE).status_code == 307
    assert readings(demo_store, lot) == 1
    for agent in ("Googlebot/2.1", "facebookexternalhit/1.1", "curl/8.0", ""):
        client.get(path, headers={**PHONE, "User-Agent": agent})
    client.head(path, headers=PHONE)
    client.get(path, headers={**PHONE, "Sec-Purpose": "prefetch"})
    client.get(path, headers={**PHONE, "Accept": "application/linkset+json"})
    client.get(f"/lots/{lot}", headers=PHONE)
    assert readings(demo_store, lot) == 1
    shown = client.get(f"/lots/{lot}").get_data(as_text=True)
    assert "đã được quét 1 lần" in shown


def test_a_reading_holds_nothing_of_the_reader(client: FlaskClient, demo_store: Store, lot: int) -> None:
    client.get(public_path(code(demo_store, lot)), headers={**PHONE, "X-Forwarded-For": "203.0.113.9"})
    with demo_store.reading() as session:
        row = session.scalars(sa.select(Scan).where(Scan.lot_id == lot)).one()
        kept = {c.key for c in sa.inspect(Scan).column_attrs}
    assert kept == {"id", "uri", "item_id", "lot_id", "scanned_at", "lon", "lat", "lot_state"}
    assert row.lon is None and row.lat is None


def test_a_code_is_answered_also_when_the_reading_cannot_be_kept(
    client: FlaskClient, demo_store: Store, lot: int
) -> None:
    path = public_path(code(demo_store, lot))
    if demo_store.embedded:
        with demo_store.writing() as session:
            session.execute(sa.text("SELECT 1"))
            assert client.get(path, headers=PHONE).status_code == 307
    else:
        with demo_store.writing() as session:
            session.execute(sa.text("LOCK TABLE scans IN ACCESS EXCLUSIVE MODE"))
            assert client.get(path, headers=PHONE).status_code == 307
    assert readings(demo_store, lot) == 0
    assert client.get(path, headers=PHONE).status_code == 307
    assert readings(demo_store, lot) == 1


def test_the_place_is_told_by_consent_and_rounded(client: FlaskClient, demo_store: Store, lot: int) -> None:
    client.get(public_path(code(demo_store, lot)), headers=PHONE)
    shown = client.get(f"/lots/{lot}").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    assert token is not None
    form = {"csrf_token": token.group(1), "lon": "105.16789", "lat": "9.12345"}
    assert client.post(f"/lots/{lot}/place", data=form).status_code == 303
    with demo_store.reading() as session:
        row = session.scalars(sa.select(Scan).where(Scan.lot_id == lot)).one()
    assert (row.lon, row.lat) == (105.2, 9.1)
    assert scans.coarse(200, 9) == (None, None)


def test_a_district_will_do_for_a_place(client: FlaskClient, demo_store: Store, lot: int) -> None:
    client.get(public_path(code(demo_store, lot)), headers=PHONE)
    shown = client.get(f"/lots/{lot}").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    district = re.search(r'<option value="(\d+)">', shown)
    assert token is not None and district is not None
    client.post(f"/lots/{lot}/place", data={"csrf_token": token.group(1), "district": district.group(1)})
    with demo_store.reading() as session:
        row = session.scalars(sa.select(Scan).where(Scan.lot_id == lot)).one()
    assert row.lon is not None and round(row.lon, 1) == row.lon and 104 < row.lon < 106


def test_one_jar_in_two_provinces_within_an_hour_is_an_alarm(demo_store: Store, lot: int) -> None:
    uri = code(demo_store, lot, "A1")
    for lon, lat in (CA_MAU, HA_NOI):
        assert scans.record(demo_store, uri, lot, "free", lon, lat)
    ((kind, state, facts),) = alarms(demo_store, uri)
    # By great circle, Cà Mau and Hà Nội lie some 1,310 km apart.
    assert (kind, state) == ("far_apart", "new") and 1_250 < facts["km"] < 1_370


def test_near_places_and_other_hours_are_no_alarm(demo_store: Store, lot: int) -> None:
    uri = code(demo_store, lot, "A2")
    scans.record(demo_store, uri, lot, "free", *CA_MAU)
    scans.record(demo_store, uri, lot, "free", CA_MAU[0] + 0.2, CA_MAU[1])
    with demo_store.writing() as session:
        early = now() - dt.timedelta(minutes=rule("far_apart_minutes") + 5)
        scans.add(session, uri, lot, "free", at=early, lon=HA_NOI[0], lat=HA_NOI[1])
    assert alarms(demo_store, uri) == []


def test_jars_of_one_lot_may_be_read_anywhere(demo_store: Store, lot: int) -> None:
    uri = code(demo_store, lot)
    for lon, lat in (CA_MAU, HA_NOI):
        scans.record(demo_store, uri, lot, "free", lon, lat)
    assert alarms(demo_store, uri) == []


@pytest.mark.parametrize("state", ["recalled", "held"])
def test_a_stopped_lot_that_is_still_read_is_one_alarm_that_grows(
    demo_store: Store, lot: int, state: str
) -> None:
    for serial in (None, "A1", "A2"):
        scans.record(demo_store, code(demo_store, lot, serial), lot, state)
    ((kind, _new, facts),) = alarms(demo_store, lot_id=lot)
    assert kind == "recalled_scanned" and facts["count"] == 3 and facts["state"] == state


def test_one_jar_read_too_often_is_an_alarm(demo_store: Store, lot: int) -> None:
    uri = code(demo_store, lot, "A3")
    with demo_store.writing() as session:
        for _ in range(rule("often_count") - 1):
            scans.add(session, uri, lot, "free")
    assert alarms(demo_store, uri) == []
    scans.record(demo_store, uri, lot, "free")
    assert [kind for kind, _state, _facts in alarms(demo_store, uri)] == ["often"]


def test_an_alarm_is_handled_by_the_officer_of_the_place_with_a_trace(demo_store: Store, lot: int) -> None:
    scans.record(demo_store, code(demo_store, lot), lot, "recalled")
    with demo_store.reading() as session:
        row = session.scalars(sa.select(ScanAlarm).where(ScanAlarm.lot_id == lot)).one()
        other = session.scalar(sa.select(sa.func.max(Lot.commune_id)).where(Lot.commune_id != row.commune_id))
    own = Actor(role=Role.COMMUNE_OFFICER, commune_id=row.commune_id, name="Cán bộ xã")
    with demo_store.writing() as session:
        assert [one.id for one in scans.alarms(session, own, state="new")].count(row.id) == 1
        for stranger in (
            Actor(role=Role.COMMUNE_OFFICER, commune_id=other),
            Actor(role=Role.PLANNER),
            Actor(),
        ):
            with pytest.raises(NotYours):
                scans.handle(session, stranger, row.id, "thử")
        with pytest.raises(scans.AlarmError):
            scans.handle(session, own, row.id, "  ")
        with pytest.raises(Outdated):
            scans.handle(session, own, row.id, "Đã gọi cửa hàng", version=9)
        scans.handle(session, own, row.id, "Đã gọi cửa hàng", version=row.version)
    with demo_store.reading() as session:
        told = session.scalars(
            sa.select(AuditRow).where(AuditRow.table_name == "scan_alarms", AuditRow.row_id == row.id)
        ).all()
    assert [(one.actor, one.reason) for one in told] == [("Cán bộ xã", "Đã gọi cửa hàng")]
    # Handled a moment ago: the same lot does not cry again at once.
    scans.record(demo_store, code(demo_store, lot), lot, "recalled")
    assert len(alarms(demo_store, lot_id=lot)) == 1


def test_the_officers_page_shows_what_scans_tell(
    client: FlaskClient, demo_store: Store, lot: int, header_of: Callable[..., dict[str, str]]
) -> None:
    assert client.get("/office/alarms").status_code in (302, 401)
    scans.record(demo_store, code(demo_store, lot), lot, "recalled")
    shown = client.get("/office/alarms", headers=header_of("province_officer"))
    if shown.status_code == 200:
        assert f"/lots/{lot}" in shown.get_data(as_text=True)
