"""What anybody gets of a lot's chain: nothing private, nothing of drafts, and a plain word when it was changed."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from data.traceability import heads, redaction, signing
from data.traceability.lots import Lot
from data.traceability.tables import TraceEvent, TraceEventItem, TraceItem


@pytest.fixture
def lot(demo_store):
    """A published lot that was sent out: its id, its name and the buyers of whom its events tell."""
    query = (
        sa.select(TraceItem.lot_id, TraceItem.uri)
        .join(Lot, Lot.id == TraceItem.lot_id)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceItem.kind == "lot", Lot.status == "published", TraceEvent.biz_step == "shipping")
        .order_by(TraceItem.id)
    )
    with demo_store.reading() as session:
        return tuple(session.execute(query).first())


def private_words(store, lot_id):
    query = (
        sa.select(TraceEvent.document, TraceEvent.hash, TraceEvent.event_id, TraceEvent.captured_by)
        .join(TraceEventItem, TraceEventItem.event_id == TraceEvent.id)
        .join(TraceItem, TraceItem.id == TraceEventItem.item_id)
        .where(TraceItem.lot_id == lot_id)
    )
    words = set()
    with store.reading() as session:
        for document, digest, event_id, captured_by in session.execute(query):
            words |= {digest, event_id, captured_by}
            told = document.get("ocop:dispatch", {})
            words |= {told[name] for name in ("customer", "phone", "address", "document") if name in told}
            words |= {document["ocop:step"]["person"]} if "ocop:step" in document else set()
    return words


def test_the_public_record_holds_no_buyer_no_recorder_and_no_unsalted_hash(client, demo_store, lot):
    answer = client.get(f"/lots/{lot[0]}/evidence.json")
    assert answer.status_code == 200
    text = json.dumps(answer.json, ensure_ascii=False)
    words = private_words(demo_store, lot[0])
    assert len(words) > 20
    assert not [word for word in words if word in text]
    with demo_store.reading() as session:
        assert redaction.salt_key(session).hex() not in text
    names = {field["name"] for event in answer.json["events"] for field in event["fields"]}
    assert names and all(redaction.is_public(name) for name in names)


def test_lots_without_events_and_drafts_have_no_public_record(client, demo_store):
    with demo_store.reading() as session:
        known = sa.select(TraceItem.lot_id).where(TraceItem.lot_id.is_not(None))
        silent = session.scalar(
            sa.select(Lot.id).where(Lot.id.not_in(known), Lot.status == "published").limit(1)
        )
        draft = session.scalar(sa.select(Lot.id).where(Lot.status == "draft").limit(1))
    for number in (silent, draft, 999_999):
        assert client.get(f"/lots/{number}/evidence.json").status_code == 404


def test_the_page_of_a_lot_says_so_when_its_events_were_changed(client, demo_store, lot):
    path = f"/lots/{lot[0]}?lang=vi"
    assert "Chưa bị sửa từ" in client.get(path).text
    with demo_store.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE trace_events SET captured_by = 'ai đó' WHERE id = (SELECT max(event_id) FROM lot_links "
                "WHERE item_id = (SELECT id FROM trace_items WHERE uri = :uri))"
            ),
            {"uri": lot[1]},
        )
    page = client.get(path).text
    assert "Chưa bị sửa từ" not in page and "không khớp chuỗi chứng cứ" in page


def test_keys_and_heads_are_published_for_other_sites(client, demo_store, app):
    empty = client.get("/.well-known/ocop-evidence.json").json
    assert empty["keys"] == [] and "latest" not in empty
    assert "Chưa có đầu chuỗi nào" in client.get("/evidence").text
    head = heads.sign_due(demo_store, signing.key_file(app.extensions["ocop_settings"].instance))
    answer = client.get("/.well-known/ocop-evidence.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json["latest"]["rowHash"] == head.row_hash
    lines = client.get("/evidence/heads.jsonl").text.splitlines()
    keys, found = heads.read_export(lines)
    assert [key["kid"] for key in answer.json["keys"]] == list(keys)
    assert found == [head]
    assert head.fingerprint.partition(" · ")[2] in client.get("/evidence").text
