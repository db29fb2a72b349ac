"""Every kind of tampering, done behind the program's back in SQL, is found and named; on both databases."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import stat

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from data.accounts import SYSTEM
from data.readonly import reading_copy
from data.store import StoreError
from data.traceability import capture, heads, redaction, signing, verification
from data.traceability.tables import EvidenceHead, TraceEvent, TraceItem
from data.traceability.verification import Checkpoint, VerificationError
from webmap.cli import main

LOT = "https://id.gs1.org/01/09520960000014/10/L1"
OTHER = "https://id.gs1.org/01/09520960000021/10/L2"
CONTEXT = [{"ocop": "urn:ocop:terms:"}]
NIGHT = dt.datetime(2025, 11, 23, 18, 0, tzinfo=dt.UTC)


def event(number, **more):
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "eventTime": f"2025-11-20T08:{number:02d}:00.000+07:00",
        "eventTimeZoneOffset": "+07:00",
        "action": "OBSERVE",
        "bizStep": "storing",
        "quantityList": [{"epcClass": LOT, "quantity": number + 0.5, "uom": "KGM"}],
        "ocop:dispatch": {"customer": f"Cửa hàng Ví Dụ {number}"},
        **more,
    }


def run(number):
    made = event(number, inputQuantityList=[{"epcClass": LOT, "quantity": 2, "uom": "KGM"}])
    made |= {
        "type": "TransformationEvent",
        "outputQuantityList": [{"epcClass": OTHER, "quantity": 1, "uom": "KGM"}],
    }
    return {name: value for name, value in made.items() if name not in ("action", "quantityList")}


@pytest.fixture
def chain(store, tmp_path):
    return _filled(store, tmp_path)


def _filled(store, tmp_path):
    """Eight events in three captures, one of them declared wrong, and one signed head over the first six."""
    key = tmp_path / "evidence_key.pem"
    first = [event(1), event(2), run(3)]
    _capture(store, first, "2025-11-21T01:00:00.123456+00:00")
    _capture(store, [event(4), event(5), event(6)], "2025-11-22T01:00:00+00:00")
    heads.sign_due(store, key, NIGHT)
    said = {"declarationTime": "2025-11-23T08:00:00Z", "reason": "incorrect_data"}
    _capture(store, [event(7), {**event(5), "errorDeclaration": said}], "2025-11-23T20:00:00+00:00")
    return store


def _capture(store, events, at):
    with store.writing() as session:
        capture.append(
            session, SYSTEM, events, source="test", context=CONTEXT, at=dt.datetime.fromisoformat(at)
        )


def tamper(store, *statements):
    with store.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def faults(store, **more):
    with store.reading() as session:
        return list(verification.verify(session, **more))


def first(store, **more):
    found = faults(store, **more)
    assert found, "nothing was found"
    return found[0]


def test_an_untouched_record_has_no_faults(chain):
    assert faults(chain) == []


def test_an_empty_record_has_no_faults(store):
    assert faults(store) == []


COLUMNS = {
    "event_time": "'2025-11-19T00:00:00.000Z'",
    "biz_step": "'shipping'",
    "disposition": "'recalled'",
    "action": "'ADD'",
    "type": "'AggregationEvent'",
    "event_offset": "'+08:00'",
    "read_point": "'urn:x:place'",
    "biz_location": "'urn:x:place'",
    "event_id": "'urn:x:other'",
    "transformation_id": "'urn:x:run'",
    "parent_uri": "'urn:x:parent'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_is_named_with_its_row(chain, column):
    tamper(chain, f"UPDATE trace_events SET {column} = {COLUMNS[column]} WHERE id = 4")
    found = first(chain)
    assert (found.row_id, found.kind) == (4, "column")
    assert "Dòng 4" in found.sentence and column in found.sentence


def test_a_changed_document_is_found(chain):
    tamper(
        chain,
        "UPDATE trace_events SET document = CAST(replace(CAST(document AS TEXT), 'Ví Dụ 4', 'Thật 4') AS "
        f"{'TEXT' if chain.embedded else 'JSONB'}) WHERE id = 4",
    )
    found = first(chain)
    assert (found.row_id, found.kind) == (4, "document")


def test_a_changed_declaration_is_found_although_the_event_hash_leaves_it_out(chain):
    tamper(
        chain,
        "UPDATE trace_events SET document = CAST(replace(CAST(document AS TEXT), 'incorrect_data', "
        f"'did_not_occur') AS {'TEXT' if chain.embedded else 'JSONB'}) WHERE is_declaration",
    )
    assert {(f.row_id, f.kind) for f in faults(chain)} >= {(8, "row_hash")}


@pytest.mark.parametrize(
    "change",
    [
        "record_time = '2025-11-22T02:00:00.000Z'",
        "captured_by = 'ai đó'",
        "row_hash = 'ab'",
        "context = NULL",
    ],
)
def test_a_changed_circumstance_of_recording_is_found(chain, change):
    tamper(chain, f"UPDATE trace_events SET {change} WHERE id = 4")
    found = first(chain)
    assert found.row_id == 4 and found.kind in ("row_hash", "document")


def test_a_changed_event_hash_is_found(chain):
    tamper(chain, "UPDATE trace_events SET hash = 'ni:///sha-256;00?ver=CBV2.0' WHERE id = 2")
    assert (first(chain).row_id, first(chain).kind) == (2, "document")


def _forget(row_id):
    tables = ("trace_event_items", "trace_event_facts", "trace_edges", "lot_links")
    return [f"DELETE FROM {table} WHERE event_id = {row_id}" for table in tables]


def test_a_missing_row_is_a_gap(chain):
    tamper(chain, *_forget(4), "DELETE FROM trace_events WHERE id = 4")
    found = first(chain)
    assert (found.row_id, found.kind) == (5, "missing")
    assert "giữa dòng 3 và dòng 5" in found.sentence


def test_missing_last_rows_are_found(chain):
    tamper(chain, *_forget(7), *_forget(8), "DELETE FROM trace_events WHERE id IN (7, 8)")
    assert "end" in {f.kind for f in faults(chain)}


@pytest.mark.parametrize("place", [0, 99])
def test_an_inserted_row_is_named(chain, place):
    columns = (
        "hash, type, action, event_time, event_offset, record_time, biz_step, document, context, captured_by, "
        "previous_hash, row_hash"
    )
    tamper(
        chain,
        f"INSERT INTO trace_events (id, event_id, is_declaration, {columns}) "
        f"SELECT {place}, 'urn:x:new', {'0' if chain.embedded else 'false'}, {columns} FROM trace_events WHERE id = 1",
    )
    found = faults(chain)
    assert found[0].row_id == place
    assert [f.row_id for f in found if f.kind == "inserted"] == [place]


def test_rows_that_changed_places_are_named(chain):
    swapped = "event_id, is_declaration, hash, event_time, document, record_time, previous_hash, row_hash"
    names = swapped.split(", ")
    with chain.engine.begin() as connection:
        rows = {
            row.id: row._mapping
            for row in connection.execute(sa.select(TraceEvent.__table__).where(TraceEvent.id.in_([1, 2])))
        }
        update = sa.update(TraceEvent.__table__)
        connection.execute(update.where(TraceEvent.id == 1).values(event_id="urn:x:aside"))
        connection.execute(update.where(TraceEvent.id == 2).values({n: rows[1][n] for n in names}))
        connection.execute(update.where(TraceEvent.id == 1).values({n: rows[2][n] for n in names}))
    found = first(chain)
    assert (found.row_id, found.kind) == (1, "reordered")


@pytest.mark.parametrize(
    ("statement", "row_id", "kind"),
    [
        (
            "UPDATE trace_event_facts SET text = 'Khác' WHERE event_id = 4 AND text = 'Cửa hàng Ví Dụ 4'",
            4,
            "facts",
        ),
        ("DELETE FROM trace_event_facts WHERE event_id = 2", 2, "facts"),
        ("UPDATE trace_event_items SET quantity = 9 WHERE event_id = 2", 2, "things"),
        ("DELETE FROM trace_event_items WHERE event_id = 6", 6, "things"),
        ("UPDATE trace_edges SET quantity_in = 9 WHERE event_id = 3", 3, "edges"),
        ("DELETE FROM trace_edges WHERE event_id = 3", 3, "edges"),
        ("UPDATE trace_events SET declared_wrong_at = NULL, wrong_reason = NULL WHERE id = 5", 5, "mark"),
        (
            "UPDATE trace_events SET declared_wrong_at = '2025-11-23T08:00:00.000Z', "
            "wrong_reason = 'incorrect_data' WHERE id = 6",
            6,
            "mark",
        ),
    ],
)
def test_what_does_not_follow_from_the_events_is_named(chain, statement, row_id, kind):
    tamper(chain, statement)
    found = first(chain)
    assert (found.row_id, found.kind) == (row_id, kind)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lot_links SET hash = 'ab' WHERE event_id = 4",
        "DELETE FROM lot_links WHERE event_id = 4",
        "UPDATE lot_links SET position = position + 40 WHERE event_id = 7",
    ],
)
def test_a_broken_chain_of_a_lot_is_found(chain, statement):
    tamper(chain, statement)
    found = faults(chain)
    assert {f.kind for f in found} == {"link"}
    assert LOT in found[0].sentence
    with chain.reading() as session:
        item = session.scalar(sa.select(TraceItem).where(TraceItem.uri == LOT))
        assert list(verification.verify_thing(session, item.id))


# ---- heads


def test_a_head_with_another_signature_is_found(chain, tmp_path):
    with chain.writing() as session:
        head = heads.latest(session)
        other = signing.kept_key(tmp_path / "other.pem")
        session.execute(sa.update(EvidenceHead).values(signature=other.signed({**head.payload, "events": 5})))
    assert [f.kind for f in faults(chain)] == ["signature"]


@pytest.mark.parametrize("change", ["events = 5", "sequence = 5", "row_hash = 'ab'", "day = '2025-11-22'"])
def test_a_head_whose_columns_differ_from_what_was_signed_is_found(chain, change):
    tamper(chain, f"UPDATE evidence_heads SET {change}")
    assert [f.kind for f in faults(chain)] == ["head"]


def _rewritten(store):
    """Change an event and recompute everything after it, as an operator with full access could."""
    with store.writing() as session:
        session.execute(sa.text("UPDATE evidence_heads SET made_at = made_at"))
        kept = list(session.scalars(sa.select(TraceEvent).order_by(TraceEvent.id)))
        whole = [(dict(row.document), row.record_time) for row in kept]
        tables = (
            "lot_links",
            "trace_edges",
            "trace_event_facts",
            "trace_event_items",
            "trace_events",
            "trace_items",
        )
        for table in (*tables, "chain_heads"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        if store.embedded:
            session.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'trace_events'"))
        else:
            session.execute(sa.text("ALTER SEQUENCE trace_events_id_seq RESTART"))
        session.expunge_all()
    whole[1][0]["ocop:dispatch"] = {"customer": "Không ai cả"}
    for document, at in whole:
        with store.writing() as session:
            capture.append(session, SYSTEM, [document], source="test", context=CONTEXT, at=at)


def test_a_record_that_was_rewritten_whole_no_longer_reaches_its_signed_head(chain):
    _rewritten(chain)
    found = faults(chain)
    assert {f.kind for f in found} == {"head"}
    assert "Dòng 6 không còn là dòng đã ký ngày 24/11/2025" in found[0].sentence


def test_heads_kept_outside_find_a_record_that_was_rewritten_and_signed_anew(chain, tmp_path):
    with chain.reading() as session:
        keys, outside = heads.read_export(heads.export_lines(session))
    _rewritten(chain)
    with chain.writing() as session:
        session.execute(sa.text("DELETE FROM evidence_heads"))
    heads.sign_due(chain, tmp_path / "evidence_key.pem", NIGHT)
    assert faults(chain) == []
    assert "head" in {f.kind for f in faults(chain, trusted=keys, outside=outside)}


def test_a_head_by_a_key_that_is_not_trusted_is_found(chain, tmp_path):
    stranger = signing.kept_key(tmp_path / "stranger.pem").public
    found = faults(chain, trusted={stranger.id: stranger})
    assert [f.kind for f in found] == ["signature"]


def test_one_head_a_day_and_only_when_something_was_added(chain, tmp_path):
    key = tmp_path / "evidence_key.pem"
    assert heads.sign_due(chain, key, NIGHT) is None
    later = heads.sign_due(chain, key, NIGHT + dt.timedelta(days=1))
    assert (later.after, later.sequence, later.events) == (6, 8, 8)
    assert heads.sign_due(chain, key, NIGHT + dt.timedelta(days=2)) is None
    assert faults(chain) == []
    with chain.reading() as session:
        assert heads.short_head(session).startswith("25/11/2025 · ")


def test_an_export_is_read_back_and_a_changed_line_is_refused(chain):
    with chain.reading() as session:
        lines = list(heads.export_lines(session))
    keys, found = heads.read_export(lines)
    assert len(keys) == 1 and [head.events for head in found] == [6]
    told = json.loads(lines[1])
    with pytest.raises(heads.HeadError):
        heads.read_export([lines[0], json.dumps({**told, "events": 7})])
    with pytest.raises(signing.BadSignature):
        heads.read_export([lines[0], json.dumps({**told, "jws": told["jws"][:-6] + "AAAAAA"})])


# ---- long checks


def test_a_check_goes_on_where_it_stopped(chain, monkeypatch):
    monkeypatch.setattr(verification, "CHUNK", 2)
    kept = []

    def hear(at):
        kept.append(json.loads(json.dumps(verification.as_json(at))))

    assert faults(chain, progress=hear) == []
    assert [at["row_id"] for at in kept] == [2, 4, 6, 8]
    tamper(chain, "UPDATE trace_events SET biz_step = 'shipping' WHERE id IN (1, 7)")
    found = faults(chain, start=verification.from_json(kept[1]))
    assert [f.row_id for f in found] == [7]


def test_a_lost_salt_key_is_told_plainly(chain):
    tamper(chain, f"DELETE FROM record_facts WHERE key = '{redaction.KEY_FACT}'")
    with pytest.raises(VerificationError, match="mất khóa muối"):
        faults(chain)


def test_a_spoilt_checkpoint_is_told_plainly():
    with pytest.raises(VerificationError):
        verification.from_json({"row_id": "x"})
    assert verification.from_json(verification.as_json(Checkpoint(3, "ab", 3))).row_id == 3


# ---- the command


@pytest.fixture
def command(chain, tmp_path, monkeypatch):
    return _command(chain, tmp_path, monkeypatch)


def _command(store, tmp_path, monkeypatch):
    monkeypatch.setenv("OCOPMAP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("OCOPMAP_DATABASE_URL", store.url.render_as_string(hide_password=False))
    return lambda *words: CliRunner().invoke(main, ["evidence", *words])


def test_the_command_says_that_all_agrees(command):
    answer = command("verify")
    assert answer.exit_code == 0 and "Khớp" in answer.output


def test_the_command_names_the_row_and_exits_with_one(command, chain, tmp_path):
    kept = tmp_path / "heads.jsonl"
    assert command("export", str(kept)).exit_code == 0
    tamper(chain, "UPDATE trace_events SET biz_step = 'shipping' WHERE id = 4")
    answer = command("verify", "--against", str(kept))
    assert answer.exit_code == 1
    assert "Dòng 4 có cột biz_step" in answer.output
    lot = command("verify", "--lot", LOT)
    assert lot.exit_code == 1 and "Dòng 4" in lot.output


def test_the_command_checks_a_read_only_copy_and_leaves_nothing_beside_it(gpkg_store, tmp_path, monkeypatch):
    chain = _filled(gpkg_store, tmp_path)
    command = _command(chain, tmp_path, monkeypatch)
    with chain.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = tmp_path / "copy"
    folder.mkdir()
    copy = folder / "province.gpkg"
    shutil.copy(chain.path, copy)
    os.chmod(copy, stat.S_IRUSR)
    os.chmod(folder, stat.S_IRUSR | stat.S_IXUSR)
    answer = command("verify", "--copy", str(copy))
    os.chmod(folder, 0o700)
    assert answer.exit_code == 0, answer.output
    assert [file.name for file in folder.iterdir()] == ["province.gpkg"]


def test_key_and_head_are_made_by_command(command, chain, tmp_path):
    made = command("key")
    assert json.loads(made.stdout.splitlines()[0])["crv"] == "Ed25519"
    assert "Đã ký đầu chuỗi" in command("head").output
    assert "Không có gì mới" in command("head").output


def test_a_file_that_is_no_record_is_refused(tmp_path):
    other = tmp_path / "x.gpkg"
    other.write_bytes(b"no database")
    with pytest.raises(StoreError, match="không phải là bản ghi"), reading_copy(other):
        pass
