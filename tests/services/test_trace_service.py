"""`GET /trace` and `ocopmap trace`: the graph both ways, what a recall needs, and what strangers are not told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from data.accounts import PUBLIC, SYSTEM
from data.products import Product
from data.store import Store
from data.traceability import capture, lookup
from data.traceability.identifiers import public_path
from data.traceability.items import item_of_lot
from data.traceability.lots import Lot
from data.traceability.tables import TraceItem
from services.trace import document
from tests.services.recall_chain import CARTON, Chain, sent
from tests.services.test_programme_pages import signed_in
from tests.services.trace_events import CONTEXT, amount, made
from webmap.cli import main

__all__ = ["signed_in"]

BUYER, PHONE = "Chợ Bí Mật", "0909 123 321"


@pytest.fixture
def secret_lot(demo_store: Store) -> tuple[int, str, int]:
    """A published lot of the demonstration that was sent to a buyer with a name of its own; its producer."""
    with demo_store.writing() as session:
        query = (
            sa.select(Lot)
            .join(TraceItem, TraceItem.lot_id == Lot.id)
            .where(Lot.status == "published", TraceItem.state == "free", TraceItem.kind == "lot")
            .where(Lot.producer_id.is_not(None))
        )
        lot = session.scalars(query.order_by(Lot.id)).first()
        assert lot is not None and lot.producer_id is not None
        uri = item_of_lot(session, lot).uri
        capture.append(session, SYSTEM, [sent(3, uri, BUYER, PHONE, 4321.5)], source="test", context=CONTEXT)
        return lot.id, uri, lot.producer_id


def ask(client: FlaskClient, lot: object, **more: object) -> Any:
    parameters = {"lot": lot, **more}
    return client.get("/trace", query_string=parameters)


def test_every_way_to_name_a_lot_leads_to_the_same_trace(
    client: FlaskClient, secret_lot: tuple[int, str, int], demo_store: Store
) -> None:
    key, uri, _producer = secret_lot
    ways = [key, uri, public_path(uri), "https://ocop.example.vn" + public_path(uri)]
    answers = [ask(client, way).json for way in ways]
    assert all(one == answers[0] for one in answers)
    assert answers[0]["lot"] == uri and set(answers[0]) >= {"nodes", "edges", "recall", "truncated"}
    start = next(node for node in answers[0]["nodes"] if node["id"] == answers[0]["start"])
    assert start["lotId"] == key and start["depth"] == 0


def test_strangers_get_the_nodes_but_no_buyer_no_phone_and_no_amount(
    client: FlaskClient, secret_lot: tuple[int, str, int], header_of: Callable[..., dict[str, str]]
) -> None:
    key, _uri, _producer = secret_lot
    strangers = [{}, header_of("producer", producer_id=None), header_of("council_member")]
    for header in strangers:
        answer = client.get(f"/trace?lot={key}", headers=header)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200 and answer.json is not None
        assert BUYER not in text and PHONE not in text and "4321.5" not in text
        assert answer.json["recall"] is None
        assert all("quantityIn" not in edge for edge in answer.json["edges"])
    with_own = header_of("inspector")
    own = client.get(f"/trace?lot={key}", headers=with_own)
    assert own.json is not None
    assert BUYER in [one["customer"] for one in own.json["recall"]["shipped"]]


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("", 400, "lot"),
        ("lot=", 400, "lot"),
        ("lot=1&dir=sideways", 400, "dir"),
        ("lot=1&depth=0", 400, "depth"),
        ("lot=1&depth=x", 400, "depth"),
        ("lot=1&foo=1", 400, "foo"),
        ("lot=%2F01%2F08938505974195%2F10%2FL1", 400, "lot"),
        ("lot=KHONG-CO", 404, None),
        ("lot=999999999", 404, None),
        ("lot=https%3A%2F%2Fid.gs1.org%2F01%2F08938505974194%2F10%2FKHONGCO", 404, None),
        ("lot=urn%3Aepc%3Aid%3Asgtin%3A0614141.107346.2017", 404, None),
    ],
)
def test_wrong_input_is_a_problem_with_one_sentence(
    client: FlaskClient, query: str, status: int, parameter: str | None
) -> None:
    answer = client.get(f"/trace?{query}")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None and answer.json.get("parameter") == parameter and answer.json["detail"]


def test_a_lot_that_is_not_published_is_not_there_for_strangers(
    client: FlaskClient, secret_lot: tuple[int, str, int], demo_store: Store
) -> None:
    key, uri, _producer = secret_lot
    with demo_store.writing() as session:
        session.get_one(Lot, key).status = "draft"
    assert [ask(client, way).status_code for way in (key, uri, public_path(uri))] == [404] * 3


def test_a_lot_without_events_is_answered_empty(client: FlaskClient, demo_store: Store) -> None:
    with demo_store.reading() as session:
        spoken = sa.select(TraceItem.lot_id).where(TraceItem.lot_id.is_not(None))
        key = session.scalars(
            sa.select(Lot.id).where(Lot.status == "published", Lot.id.not_in(spoken))
        ).first()
    answer = ask(client, key)
    assert answer.status_code == 200 and answer.json["nodes"] == [] and answer.json["recall"] is None


def test_the_chain_is_traced_both_ways_with_shares(store: Store) -> None:
    chain = Chain(store)
    with store.reading() as session:
        both = document(session, SYSTEM, lookup.named(session, SYSTEM, chain.mine))
        back = document(session, SYSTEM, lookup.named(session, SYSTEM, chain.mine), direction="back")
        near = document(session, SYSTEM, lookup.named(session, SYSTEM, chain.mine), depth=1)
    nodes = {node["uri"]: node for node in both["nodes"]}
    assert nodes[CARTON]["direction"] == nodes[chain.theirs]["direction"] == "forward"
    assert nodes[f"urn:ocop:area:{chain.area}"]["share"] == pytest.approx(1.0)
    assert {node["direction"] for node in back["nodes"]} == {"start", "back"}
    assert near["truncated"] and max(node["depth"] for node in near["nodes"]) == 1
    recall = both["recall"]
    assert [one["customer"] for one in recall["shipped"]] == [
        "Chợ A",
        "Cửa hàng OCOP 1",
        "Đại lý B",
        "Siêu thị C",
    ]
    assert [one["kind"] for one in recall["open"]] == ["shipment", "stock"]
    assert recall["onHand"][0]["quantity"] == pytest.approx(25.0)
    assert [one["supplier"] for one in recall["suppliers"]] == ["Vựa Ví Dụ"]


def test_a_maker_sees_of_anothers_lot_only_what_they_did_with_it(store: Store) -> None:
    chain = Chain(store)
    with store.reading() as session:
        theirs = document(session, chain.makers[1], lookup.named(session, chain.makers[1], chain.mine))
        public = document(session, PUBLIC, lookup.named(session, PUBLIC, chain.mine))
    text = json.dumps(theirs, ensure_ascii=False)
    assert "Siêu thị C" in text and "Chợ A" not in text and "Đại lý B" not in text
    assert public["recall"] is None
    assert not {"Chợ A", "Siêu thị C", "Vựa Ví Dụ"} & set(json.dumps(public, ensure_ascii=False).split('"'))


def test_the_command_prints_the_same_trace(store: Store, tmp_path: Path) -> None:
    chain = Chain(store)
    environment = {
        "OCOPMAP_DATABASE_URL": store.url.render_as_string(hide_password=False),
        "OCOPMAP_INSTANCE": str(tmp_path),
    }
    run = CliRunner(env=environment)
    told = run.invoke(main, ["trace", chain.mine])
    assert told.exit_code == 0, told.output
    for word in ("Từ đâu tới", "Vuông tôm số 7", "Đi đâu", "Siêu thị C", "Còn tại cơ sở: 25"):
        assert word in told.output
    as_json = run.invoke(main, ["trace", chain.mine, "--json", "--dir", "forward", "--depth", "3"])
    assert {node["direction"] for node in json.loads(as_json.output)["nodes"]} == {"start", "forward"}
    wrong = run.invoke(main, ["trace", "KHONG-CO"])
    assert wrong.exit_code == 1 and "Không có lô" in wrong.output


def test_the_screen_shows_trace_and_actions_to_those_who_may_and_finds_lots_by_words(
    signed_in: Callable[..., FlaskClient], secret_lot: tuple[int, str, int], demo_store: Store
) -> None:
    key, uri, _producer = secret_lot
    client = signed_in("province_officer")
    shown = client.get(f"/office/trace?lot={quote(uri)}").get_data(as_text=True)
    assert "<svg" in shown and "data-tree" in shown and "/office/recalls/new?lot=" in shown
    with demo_store.reading() as session:
        lot = session.get_one(Lot, key)
        product = session.get_one(Product, lot.product_id).name
    assert 'id="hits"' in client.get(f"/office/trace?lot={quote(product)}").get_data(as_text=True)
    nothing = client.get("/office/trace?lot=KHONG-CO-GI")
    assert nothing.status_code == 404 and "Không có lô" in nothing.get_data(as_text=True)
    planner = signed_in("council_member")
    hidden = planner.get(f"/office/trace?lot={quote(uri)}").get_data(as_text=True)
    assert BUYER not in hidden and "/office/recalls/new" not in hidden


def test_beyond_thirty_boxes_there_is_a_table_with_totals(
    signed_in: Callable[..., FlaskClient], secret_lot: tuple[int, str, int], demo_store: Store
) -> None:
    key, uri, _producer = secret_lot
    parts = [amount(f"https://id.gs1.org/01/09506000134352/10/P{number}", 2) for number in range(31)]
    with demo_store.writing() as session:
        events = [made(9, [amount(uri, 62)], parts)]
        capture.append(session, SYSTEM, events, source="test", context=CONTEXT)
    shown = signed_in("province_officer").get(f"/office/trace?lot={key}").get_data(as_text=True)
    assert 'id="totals"' in shown and "trace-diagram" not in shown
    assert all(f"P{number}<" in shown for number in range(31))
