"""Capturing events: documents as jobs, one at a time, all or nothing, again and again, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from data.accounts import Role
from data.store import Store
from data.traceability.tables import TraceEvent
from services import jobs
from services.epcis import capturing
from tests.services.epcis_client import CONTEXT, Epcis, document, event, events_in

PROBLEM = "application/problem+json"


@pytest.fixture
def admin(app: Any, header_of: Callable[..., dict[str, str]]) -> Epcis:
    return Epcis(app, header_of(Role.ADMINISTRATOR))


def rows(store: Store) -> int:
    with store.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(TraceEvent)) or 0)


def test_a_small_document_is_captured_when_its_job_is_first_asked_for(
    admin: Epcis, demo_store: Store
) -> None:
    before = rows(demo_store)
    job = admin.capture(event(), event(bizStep="receiving"))
    assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (False, True, "rollback")
    assert job["errors"] == [] and job["captured"] == 2
    assert rows(demo_store) == before + 2


def test_the_same_document_again_writes_nothing(admin: Epcis, demo_store: Store) -> None:
    first = event()
    admin.capture(first)
    count = rows(demo_store)
    again = admin.capture(first)
    assert (again["success"], again["captured"], again["known"]) == (True, 0, 1)
    assert rows(demo_store) == count


def test_rollback_keeps_nothing_when_one_event_is_wrong(admin: Epcis, demo_store: Store) -> None:
    before = rows(demo_store)
    job = admin.capture(event(), event(bizStep="ship ping"))
    assert (job["running"], job["success"]) == (False, False)
    assert job["errors"] and job["errors"][0]["type"] == "epcisException:ValidationException"
    assert job["errors"][0]["path"].startswith("$.epcisBody.eventList[1]")
    assert rows(demo_store) == before


def test_proceed_keeps_what_is_right_and_names_each_that_is_not(admin: Epcis, demo_store: Store) -> None:
    before = rows(demo_store)
    wrong = event(eventTime="hôm qua")
    job = admin.capture(event(), wrong, event(), GS1_Capture_Error_Behaviour="proceed")
    assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (False, False, "proceed")
    assert {error["path"][:24] for error in job["errors"]} == {"$.epcisBody.eventList[1]"}
    assert job["captured"] == 2 and rows(demo_store) == before + 2


def test_another_event_with_the_same_id_is_a_conflict(admin: Epcis) -> None:
    first = event()
    admin.capture(first)
    job = admin.capture({**first, "bizStep": "receiving"})
    assert job["success"] is False
    assert job["errors"][0]["type"] == "epcisException:ResourceAlreadyExistsException"


def test_a_lenient_capture_tells_what_it_mended(admin: Epcis) -> None:
    old = document(event(bizStep="urn:epcglobal:cbv:bizstep:shipping"))
    strict = admin.job(admin.post("/capture", old))
    assert strict["success"] is False
    mended = admin.job(admin.post("/capture?repair=true", old))
    assert mended["success"] is True and mended["repairs"]
    assert "bizStep" in mended["repairs"][0]["path"]


def test_a_query_document_and_a_bare_event_are_documents_too(admin: Epcis) -> None:
    listed = {
        "@context": [CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-01T09:00:00Z",
        "epcisBody": {
            "queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": [event()]}}
        },
    }
    assert admin.job(admin.post("/capture", listed))["success"] is True
    assert admin.job(admin.post("/capture", {"@context": [CONTEXT], **event()}))["success"] is True


@pytest.mark.parametrize(
    ("body", "kind", "status", "exception"),
    [
        (b"{", "application/json", 400, "ValidationException"),
        (b"[]", "application/json", 400, "ValidationException"),
        (b'{"type":"EPCISDocument"}', "application/json", 400, "ValidationException"),
        (b"<epcis/>", "application/xml", 415, "UnsupportedMediaTypeException"),
        (b'{"type":"ObjectEvent","a:b":"\\u0000"}', "application/json", 400, "ValidationException"),
    ],
)
def test_what_is_no_document_is_refused_at_once(
    admin: Epcis, body: bytes, kind: str, status: int, exception: str
) -> None:
    answer = admin.client.post("/epcis/capture", data=body, content_type=kind, headers=admin.headers)
    assert answer.status_code == status and answer.mimetype == PROBLEM
    assert answer.json["type"] == f"epcisException:{exception}" and answer.json["status"] == status


def test_captures_are_listed_in_pages_for_their_owner_only(
    admin: Epcis, app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    for _ in range(3):
        admin.capture(event())
    first = admin.get("/capture", {"perPage": 2})
    assert len(first.json) == 2 and 'rel="next"' in first.headers["Link"]
    rest = admin.client.get(first.headers["Link"][1:].partition(">")[0], headers=admin.headers)
    assert len(rest.json) == 1 and "Link" not in rest.headers
    other = Epcis(app, header_of(Role.PROVINCE_OFFICER))
    assert other.get("/capture").json == []
    assert other.get(f"/capture/{first.json[0]['captureID']}").status_code == 404


def test_a_capture_cut_off_is_begun_again_and_writes_each_event_once(
    admin: Epcis, app: Any, demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event() for _ in range(5)]
    before = rows(demo_store)
    store = app.extensions["ocop_store"]
    monkeypatch.setattr(jobs, "run_now", lambda *_: None)
    key = admin.post("/capture", document(*events)).headers["Location"].rpartition("/")[2]
    monkeypatch.undo()

    class Killed(BaseException):
        pass

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with app.app_context():
        monkeypatch.setattr(jobs.Work, "keep", die)
        with pytest.raises(Killed):
            jobs.run_now(store, key)
        assert rows(demo_store) == before
        monkeypatch.undo()
        assert jobs.recover(store) == [key]
        jobs.run_now(store, key)
    assert rows(demo_store) == before + 5
    job = admin.get(f"/capture/{key}").json
    assert (job["success"], job["captured"]) == (True, 5)


def test_a_large_document_waits_for_the_worker(
    admin: Epcis, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.epcis.capture.AT_ONCE_EVENTS", 1)
    answer = admin.post("/capture", document(event(), event()))
    job = admin.job(answer)
    assert (job["running"], job["success"]) == (True, True)
    with app.app_context():
        jobs.run_now(app.extensions["ocop_store"], job["captureID"])
    assert admin.job(answer)["running"] is False


def test_proceed_goes_on_where_it_was_cut_off(
    admin: Epcis, app: Any, demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capturing, "CHUNK", 2)
    monkeypatch.setattr("services.epcis.capture.AT_ONCE_EVENTS", 0)
    before = rows(demo_store)
    sent = document(event(), event(action="?"), event(), event(), event())
    answer = admin.post("/capture", sent, GS1_Capture_Error_Behaviour="proceed")
    key = answer.headers["Location"].rpartition("/")[2]
    real, calls = jobs.Work.progress, []

    class Killed(BaseException):
        pass

    def once(self: Any, *args: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise Killed
        real(self, *args)

    with app.app_context():
        store = app.extensions["ocop_store"]
        monkeypatch.setattr(jobs.Work, "progress", once)
        with pytest.raises(Killed):
            jobs.run_now(store, key)
        assert rows(demo_store) == before + 1
        monkeypatch.setattr(jobs.Work, "progress", real)
        jobs.recover(store)
        jobs.run_now(store, key)
    job = admin.get(f"/capture/{key}").json
    assert rows(demo_store) == before + 4 == before + job["captured"]
    assert job["success"] is False and {e["path"][:24] for e in job["errors"]} == {"$.epcisBody.eventList[1]"}


# ---- one at a time


def test_one_event_is_created_with_its_address(admin: Epcis) -> None:
    sent = event()
    answer = admin.post("/events", {"@context": [CONTEXT], **sent})
    assert answer.status_code == 201, answer.text
    found = admin.client.get(answer.headers["Location"], headers=admin.headers)
    (only,) = events_in(found)
    assert only["eventID"] == sent["eventID"] and only["recordTime"].endswith("Z")


def test_an_event_without_an_id_gets_its_hash(admin: Epcis) -> None:
    answer = admin.post("/events", {"@context": [CONTEXT], **event(eventID=None)})
    assert answer.status_code == 201
    assert answer.json["eventID"].startswith("ni:///sha-256;") and answer.json["eventID"].endswith(
        "?ver=CBV2.0"
    )
    found = admin.client.get(answer.headers["Location"], headers=admin.headers)
    assert events_in(found)[0]["eventID"] == answer.json["eventID"]
    bare = admin.get(f"/events/{answer.json['eventID']}")
    assert events_in(bare)[0]["eventID"] == answer.json["eventID"]


def test_an_event_that_is_there_already_is_a_409(admin: Epcis) -> None:
    sent = {"@context": [CONTEXT], **event()}
    assert admin.post("/events", sent).status_code == 201
    for again in (sent, {**sent, "bizStep": "receiving"}):
        answer = admin.post("/events", again)
        assert answer.status_code == 409
        assert answer.json["type"] == "epcisException:ResourceAlreadyExistsException"


def test_all_faults_of_one_event_are_told_at_once(admin: Epcis) -> None:
    answer = admin.post("/events", {"@context": [CONTEXT], **event(action="LOOK", eventTimeZoneOffset="7")})
    assert answer.status_code == 400 and answer.json["type"] == "epcisException:ValidationException"
    paths = {fault["path"] for fault in answer.json["errors"]}
    assert {"$.action", "$.eventTimeZoneOffset"} <= paths


# ---- who


def test_the_public_is_not_let_in(app: Any) -> None:
    nobody = Epcis(app)
    for path in ("/events", "/capture", "/epcs", "/queries", "/events/urn:x:y", "/bizSteps/shipping/events"):
        answer = nobody.get(path)
        assert answer.status_code == 401, path
        assert answer.json["type"] == "epcisException:SecurityException"
        assert "WWW-Authenticate" in answer.headers
    assert nobody.post("/capture", document(event())).status_code == 401
    assert nobody.post("/events", event()).status_code == 401


def test_who_only_looks_captures_nothing(app: Any, header_of: Callable[..., dict[str, str]]) -> None:
    for role in (Role.PLANNER, Role.COUNCIL_MEMBER):
        answer = Epcis(app, header_of(role)).post("/capture", document(event()))
        assert answer.status_code == 403 and answer.json["type"] == "epcisException:SecurityException"


def test_a_producer_captures_for_own_lots_and_nobody_elses(
    app: Any, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    with demo_store.reading() as session:
        (mine, lot), (_, other) = session.execute(
            sa.text(
                "SELECT producer_id, min(id) FROM lots WHERE producer_id IS NOT NULL "
                "GROUP BY producer_id ORDER BY producer_id LIMIT 2"
            )
        ).all()
        names = {
            row: f"urn:ocop:lot:{product}:{number}"
            for row, product, number in session.execute(
                sa.text("SELECT id, product_id, lot_number FROM lots WHERE id IN (:a, :b)"),
                {"a": lot, "b": other},
            )
        }
    producer = Epcis(app, header_of(Role.PRODUCER, producer_id=mine))

    def of(name: str) -> dict[str, Any]:
        return event(epcList=None, quantityList=[{"epcClass": name, "quantity": 2, "uom": "KGM"}])

    assert producer.capture(of(names[lot]))["success"] is True
    refused = producer.capture(of(names[other]))
    assert refused["success"] is False
    assert refused["errors"][0]["type"] == "epcisException:SecurityException"
