"""Named queries and subscriptions: kept, asked, told of by a signed message, ended, and never sent inwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from data.accounts import Account, Role
from data.base import now
from data.store import Store
from data.traceability import schedule, subscribing
from data.traceability.tables import NamedQuery, Subscription
from services.epcis import delivery, webhook
from tests.services.epcis_client import Epcis, event, without_events

SECRET = "một bí mật"


class Receiver(ThreadingHTTPServer):
    """An address that keeps what it is told, and answers as it is bidden."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?x=1"

    def events(self) -> list[str]:
        return [
            one["eventID"]
            for _, body in self.told
            for one in json.loads(body)["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def admin(app: Any, header_of: Callable[..., dict[str, str]]) -> Epcis:
    app.config["OCOP_PRIVATE_WEBHOOKS"] = True
    without_events(app.extensions["ocop_store"])
    return Epcis(app, header_of(Role.ADMINISTRATOR))


def deliver(app: Any) -> int:
    with app.app_context():
        return delivery.deliver_due(app.extensions["ocop_store"])


def keep(caller: Epcis, name: str = "xuat-hang", **query: Any) -> None:
    answer = caller.post("/queries", {"name": name, "query": query or {"EQ_bizStep": ["shipping"]}})
    assert answer.status_code == 201, answer.text


def subscribe(caller: Epcis, receiver: Receiver, name: str = "xuat-hang", **more: Any) -> str:
    wish = {"dest": receiver.url, "signatureToken": SECRET, **more}
    if "schedule" not in wish:
        wish["stream"] = True
    answer = caller.post(f"/queries/{name}/subscriptions", wish)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].endswith(answer.json["subscriptionID"])
    return str(answer.json["subscriptionID"])


def due_at_once(store: Store) -> None:
    """Let every subscription that waits be due now."""
    with store.writing() as session:
        past = now() - dt.timedelta(seconds=1)
        session.execute(sa.update(Subscription).where(Subscription.due_at.is_not(None)).values(due_at=past))


# ---- named queries


def test_a_question_is_kept_asked_and_taken_away_with_a_trace(admin: Epcis, demo_store: Store) -> None:
    keep(admin, EQ_bizStep=["shipping"], eventType=["ObjectEvent"], orderBy="eventTime", eventCountLimit=2)
    assert admin.post("/queries", {"name": "xuat-hang", "query": {}}).status_code == 409
    assert admin.get("/queries/xuat-hang").json["query"]["eventCountLimit"] == 2
    assert [one["name"] for one in admin.get("/queries").json] == ["xuat-hang"]
    made = [event(eventTime=f"2030-01-0{n}T00:00:00Z") for n in (1, 2, 3)]
    admin.capture(*made, event(bizStep="receiving", eventTime="2030-02-01T00:00:00Z"))
    answer = admin.get("/queries/xuat-hang/events")
    assert answer.json["epcisBody"]["queryResults"]["queryName"] == "xuat-hang"
    assert admin.ids(None, "/queries/xuat-hang/events") == [made[2]["eventID"], made[1]["eventID"]]
    assert admin.get("/queries/xuat-hang/events", {"EQ_action": "ADD"}).status_code == 400
    assert admin.delete("/queries/xuat-hang").status_code == 204
    assert admin.get("/queries/xuat-hang").json["type"] == "epcisException:NoSuchNameException"
    keep(admin)
    with demo_store.reading() as session:
        names = session.execute(
            sa.select(NamedQuery.name, NamedQuery.removed_at).order_by(NamedQuery.id)
        ).all()
    assert [bool(removed) for _, removed in names] == [True, False]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "a b", "query": {}},
        {"name": "a"},
        {"query": {}},
        {"name": "a", "query": {"EQ_colour": ["red"]}},
        {"name": "a", "query": {"EQ_bizStep": {"a": 1}}},
        [],
    ],
)
def test_a_question_that_cannot_be_asked_is_not_kept(admin: Epcis, given: Any) -> None:
    answer = admin.post("/queries", given)
    assert answer.status_code == 400 and answer.mimetype == "application/problem+json"
    assert admin.get("/queries").json == []


def test_a_query_is_its_owners_and_shows_each_only_what_they_see(
    admin: Epcis, app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    step = "https://ex.example/terms/owned"
    keep(admin)
    admin.capture(event(bizStep=step))
    producer = Epcis(app, header_of(Role.PRODUCER))
    assert producer.get("/queries").json == []
    assert producer.get("/queries/xuat-hang/events").status_code == 404
    keep(producer, "cua-toi", EQ_bizStep=[step])
    assert producer.ids(None, "/queries/cua-toi/events") == []
    inspector = Epcis(app, header_of(Role.INSPECTOR))
    assert len(inspector.ids(None, "/queries/cua-toi/events")) == 1
    assert inspector.delete("/queries/cua-toi").status_code == 403


# ---- telling


def test_new_events_are_told_once_signed_and_in_order(admin: Epcis, app: Any, receiver: Receiver) -> None:
    admin.capture(event())
    keep(admin)
    key = subscribe(admin, receiver)
    assert deliver(app) == 0 and receiver.told == []
    made = [event(), event(), event(bizStep="receiving")]
    admin.capture(*made)
    assert deliver(app) == 1 and deliver(app) == 0
    ((headers, body),) = receiver.told
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["GS1-Signature"] == f"sha256={digest}"
    results = json.loads(body)["epcisBody"]["queryResults"]
    assert (results["queryName"], results["subscriptionID"]) == ("xuat-hang", key)
    assert receiver.events() == [one["eventID"] for one in made[:2]]
    shown = admin.get(f"/queries/xuat-hang/subscriptions/{key}")
    assert shown.json["lastNotifiedAt"] and SECRET not in shown.text


def test_a_long_backlog_goes_in_batches(
    admin: Epcis, app: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH", 2)
    step = "https://ex.example/terms/backlog"
    made = [event(bizStep=step) for _ in range(5)]
    admin.capture(*made)
    keep(admin, EQ_bizStep=[step])
    subscribe(admin, receiver, initialRecordTime="2020-01-01T00:00:00Z")
    assert deliver(app) == 3
    assert receiver.events() == [one["eventID"] for one in made]


def test_what_could_not_be_told_is_tried_again_later_and_then_given_up(
    admin: Epcis, app: Any, receiver: Receiver, demo_store: Store
) -> None:
    keep(admin)
    key = subscribe(admin, receiver)
    sent = event()
    admin.capture(sent)
    receiver.status = 503
    assert deliver(app) == 0 and deliver(app) == 0
    assert len(receiver.told) == 1
    shown = admin.get(f"/queries/xuat-hang/subscriptions/{key}").json
    assert shown["failures"] == 1 and "503" in shown["lastError"] and shown["nextAttemptAt"]
    due_at_once(demo_store)
    receiver.status = 200
    receiver.told.clear()
    assert deliver(app) == 1 and receiver.events() == [sent["eventID"]]
    assert "failures" not in admin.get(f"/queries/xuat-hang/subscriptions/{key}").json
    receiver.status = 500
    admin.capture(event())
    for _ in range(subscribing.MOST_FAILURES):
        deliver(app)
        due_at_once(demo_store)
    ended = admin.get(f"/queries/xuat-hang/subscriptions/{key}").json
    assert ended["endedAt"] and "500" in ended["lastError"]
    count = len(receiver.told)
    deliver(app)
    assert len(receiver.told) == count


def test_an_address_that_is_gone_is_never_asked_again(admin: Epcis, app: Any, receiver: Receiver) -> None:
    keep(admin)
    key = subscribe(admin, receiver)
    receiver.status = 410
    admin.capture(event())
    deliver(app)
    assert "endedAt" in admin.get(f"/queries/xuat-hang/subscriptions/{key}").json


def test_a_redirect_is_not_followed(admin: Epcis, app: Any, receiver: Receiver) -> None:
    keep(admin)
    subscribe(admin, receiver)
    receiver.status = 302
    admin.capture(event())
    assert deliver(app) == 0 and len(receiver.told) == 1


def test_a_scheduled_report_comes_in_its_time_even_when_empty_if_wished(
    admin: Epcis, app: Any, receiver: Receiver, demo_store: Store
) -> None:
    keep(admin)
    subscribe(admin, receiver, schedule={"hour": "1", "minute": "5"}, reportIfEmpty=True)
    quiet = subscribe(admin, receiver, schedule={"hour": "2"})
    sent = event()
    admin.capture(sent)
    assert deliver(app) == 0
    due_at_once(demo_store)
    assert deliver(app) == 2 and receiver.events() == [sent["eventID"]] * 2
    receiver.told.clear()
    due_at_once(demo_store)
    assert deliver(app) == 1 and receiver.events() == []
    following = admin.get(f"/queries/xuat-hang/subscriptions/{quiet}").json["nextAttemptAt"]
    assert (
        dt.datetime.fromisoformat(following).astimezone(schedule.TIME_ZONE).strftime("%H:%M:%S") == "02:00:00"
    )


def test_a_subscriber_is_told_what_their_account_sees_and_nothing_once_it_is_closed(
    admin: Epcis, app: Any, receiver: Receiver, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    with demo_store.reading() as session:
        mine, other = session.scalars(sa.text("SELECT id FROM producers ORDER BY id LIMIT 2")).all()
    producer = Epcis(app, header_of(Role.PRODUCER, producer_id=mine))
    keep(producer)
    key = subscribe(producer, receiver)
    made = [event(bizLocation={"id": f"urn:ocop:producer:{one}"}) for one in (mine, other)]
    assert admin.capture(*made)["success"]
    deliver(app)
    assert receiver.events() == [made[0]["eventID"]]
    with demo_store.writing() as session:
        session.execute(sa.update(Account).where(Account.username == "producer-none").values(active=False))
    admin.capture(event(bizLocation={"id": f"urn:ocop:producer:{mine}"}))
    deliver(app)
    assert len(receiver.told) == 1
    assert "endedAt" in admin.get(f"/queries/xuat-hang/subscriptions/{key}").json


def test_unsubscribing_and_taking_the_query_away_end_the_telling(
    admin: Epcis, app: Any, receiver: Receiver
) -> None:
    keep(admin)
    first, second = subscribe(admin, receiver), subscribe(admin, receiver)
    assert len(admin.get("/queries/xuat-hang/subscriptions").json) == 2
    assert admin.delete(f"/queries/xuat-hang/subscriptions/{first}").status_code == 204
    assert admin.get(f"/queries/xuat-hang/subscriptions/{first}").status_code == 404
    assert [one["subscriptionID"] for one in admin.get("/queries/xuat-hang/subscriptions").json] == [second]
    admin.delete("/queries/xuat-hang")
    admin.capture(event())
    assert deliver(app) == 0 and receiver.told == []


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"stream": True}, 400),
        ({"dest": "ftp://example.com/", "stream": True}, 400),
        ({"dest": "https://user:pw@example.com/", "stream": True}, 400),
        ({"dest": "https://8.8.8.8/x"}, 400),
        ({"dest": "https://8.8.8.8/x", "stream": True, "schedule": {"hour": "1"}}, 400),
        ({"dest": "https://8.8.8.8/x", "stream": False}, 400),
        ({"dest": "https://8.8.8.8/x", "schedule": {"hour": "25"}}, 400),
        ({"dest": "https://8.8.8.8/x", "schedule": {"dayOfMonth": "31", "month": "2"}}, 400),
        ({"dest": "https://8.8.8.8/x", "stream": True, "initialRecordTime": "mai"}, 400),
        ({"dest": "https://8.8.8.8/x", "stream": True, "colour": "red"}, 400),
        ({"dest": "wss://example.com/", "stream": True}, 501),
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(admin: Epcis, wish: Any, status: int) -> None:
    keep(admin)
    answer = admin.post("/queries/xuat-hang/subscriptions", wish)
    assert answer.status_code == status, answer.text
    assert answer.json["detail"] and answer.json["type"].startswith("epcisException:")
    assert admin.get("/queries/xuat-hang/subscriptions").json == []


def test_websockets_are_declined_in_a_sentence(admin: Epcis) -> None:
    keep(admin)
    answer = admin.get("/queries/xuat-hang/events", Upgrade="websocket", Connection="Upgrade")
    assert answer.status_code == 501 and "WebSocket" in answer.json["detail"]


# ---- nothing is sent inwards


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://10.1.2.3/",
        "http://192.168.1.1/",
        "http://172.16.0.9/",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fd00::1]/",
        "http://[2002:7f00:1::]/",
        "http://2130706433/",
        "http://0x7f.1/",
    ],
)
def test_addresses_inside_are_refused_when_asked_for_and_when_sent(
    app: Any, admin: Epcis, address: str
) -> None:
    app.config["OCOP_PRIVATE_WEBHOOKS"] = False
    keep(admin)
    answer = admin.post("/queries/xuat-hang/subscriptions", {"dest": address, "stream": True})
    assert answer.status_code == 400, answer.text
    with pytest.raises(webhook.BadAddress):
        webhook.post(address, b"{}", secret=None, private=False)


def test_a_name_that_turns_inwards_after_the_check_is_not_followed(
    app: Any, admin: Epcis, receiver: Receiver, demo_store: Store
) -> None:
    keep(admin)
    key = subscribe(admin, receiver)
    app.config["OCOP_PRIVATE_WEBHOOKS"] = False
    admin.capture(event())
    deliver(app)
    assert receiver.told == []
    assert "nội bộ" in admin.get(f"/queries/xuat-hang/subscriptions/{key}").json["lastError"]


# ---- schedules


@pytest.mark.parametrize(
    ("at", "after", "expected"),
    [
        ({"hour": "1", "minute": "5"}, "2026-03-01T01:05:00", "2026-03-02T01:05:00"),
        ({"hour": "1", "minute": "5"}, "2026-03-01T01:04:59", "2026-03-01T01:05:00"),
        ({"minute": "0,30"}, "2026-03-01T23:31:00", "2026-03-02T00:00:00"),
        ({"second": "[10-12]"}, "2026-03-01T23:31:11", "2026-03-01T23:31:12"),
        ({"dayOfWeek": "1"}, "2026-03-03T00:00:00", "2026-03-09T00:00:00"),
        ({"dayOfMonth": "31"}, "2026-04-01T00:00:00", "2026-05-31T00:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ({"month": "[11-12]", "hour": "7"}, "2026-12-31T08:00:00", "2027-11-01T07:00:00"),
    ],
)
def test_the_next_time_of_a_schedule(at: dict[str, str], after: str, expected: str) -> None:
    moment = dt.datetime.fromisoformat(after).replace(tzinfo=schedule.TIME_ZONE)
    found = schedule.next_time(at, moment).astimezone(schedule.TIME_ZONE)
    assert found.replace(tzinfo=None).isoformat() == expected
