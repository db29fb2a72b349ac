"""The events of the demonstration province: plausible, consistent with its lots, and plainly made up."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from data import migrate
from data.accounts import SYSTEM
from data.demo.build import build
from data.demo.ledger import MOMENT
from data.store import Store
from data.traceability import graph, verification
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.tables import (
    ProblemReport,
    RecallAct,
    RecallDrill,
    Scan,
    TraceEdge,
    TraceEvent,
    TraceItem,
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    store = Store(f"gpkg:///{tmp_path_factory.mktemp('demo')}/province.gpkg")
    migrate.upgrade(store)
    build(store)
    yield store
    store.dispose()


@pytest.fixture
def session(demo):
    with demo.reading() as opened:
        yield opened


def events(session, **equal):
    query = sa.select(TraceEvent).filter_by(**equal).order_by(TraceEvent.id)
    return list(session.scalars(query))


def lots_with_events(session):
    query = (
        sa.select(Lot, TraceItem).join(TraceItem, TraceItem.lot_id == Lot.id).where(TraceItem.kind == "lot")
    )
    return session.execute(query).all()


def test_enough_lots_tell_a_whole_story(session):
    assert len(lots_with_events(session)) >= 150
    kinds = {(kind, step) for kind, step in session.execute(sa.select(TraceEvent.type, TraceEvent.biz_step))}
    wanted = {
        ("ObjectEvent", "commissioning"),
        ("ObjectEvent", "receiving"),
        ("TransformationEvent", "creating_class_instance"),
        ("ObjectEvent", "inspecting"),
        ("ObjectEvent", "sampling"),
        ("ObjectEvent", "packing"),
        ("AggregationEvent", "packing"),
        ("ObjectEvent", "shipping"),
        ("ObjectEvent", "holding"),
        ("ObjectEvent", "destroying"),
    }
    assert wanted <= kinds


def test_the_chain_of_the_demonstration_is_whole(session):
    assert list(verification.verify(session)) == []


def test_events_are_recorded_after_they_happened_and_none_in_the_future(session):
    last = dt.datetime.min.replace(tzinfo=dt.UTC)
    for event in events(session):
        assert event.event_time <= event.record_time <= MOMENT
        assert event.record_time >= last
        last = event.record_time


def test_states_of_things_agree_with_the_status_of_their_lots(session):
    states = {"released": "free", "held": "held", "recalled": "recalled"}
    for lot, item in lots_with_events(session):
        assert item.state == states[lot.lot_status]


def test_every_hold_and_recall_has_an_act_and_an_event(session):
    stopped = {lot.id for lot, item in lots_with_events(session) if item.state != "free"}
    acts = list(session.scalars(sa.select(RecallAct)))
    assert {act.lot_id for act in acts} == stopped
    for act in acts:
        event = session.get(TraceEvent, act.event_id)
        assert event.biz_step == "holding"
        assert (event.disposition == "recalled") == (act.kind == "recall")
        assert (act.document is not None) == act.is_mandatory


def test_recalled_lots_had_a_test_that_failed(session):
    recalled = [item for lot, item in lots_with_events(session) if lot.lot_status == "recalled"]
    failed = {
        event.document["quantityList"][0]["epcClass"]
        for event in events(session, disposition="non_conformant")
    }
    assert recalled and {item.uri for item in recalled if not item.uri.startswith("urn:")} & failed


def test_material_comes_from_the_areas_that_the_lot_names(session):
    areas = set(session.scalars(sa.select(LotGrowingArea.growing_area_id)))
    told = {}
    for event in events(session, biz_step="receiving"):
        area = event.document.get("ocop:input", {}).get("area")
        if area:
            told[event.document["quantityList"][0]["epcClass"]] = int(area.rpartition(":")[2])

    assert told and set(told.values()) <= areas


def test_one_chain_leads_over_several_producers_both_ways(session):
    maker = sa.orm.aliased(TraceItem)
    crossing = (
        sa.select(TraceEdge, TraceItem.id, maker.id)
        .join(TraceItem, TraceItem.id == TraceEdge.source_id)
        .join(maker, maker.id == TraceEdge.target_id)
        .where(TraceItem.kind == "lot")
    )
    found = []
    for _edge, source_id, _ in session.execute(crossing):
        source = session.get(TraceItem, source_id)
        nodes = graph.trace(session, SYSTEM, source.uri, direction="forward").nodes
        owners = {
            item.producer_id
            for item in session.scalars(sa.select(TraceItem).where(TraceItem.uri.in_([n.uri for n in nodes])))
            if item.kind == "lot"
        }
        found.append(len(owners))
    assert max(found) >= 2


def test_one_event_was_declared_wrong_and_another_stands_instead(session):
    (said,) = events(session, is_declaration=True)
    (wrong,) = [e for e in events(session, event_id=said.event_id) if not e.is_declaration]
    assert wrong.declared_wrong_at is not None
    (corrective,) = said.document["errorDeclaration"]["correctiveEventIDs"]
    assert len(events(session, event_id=corrective)) == 1


def test_no_lot_sends_out_more_than_was_made(session):
    made = {item.uri: lot.quantity for lot, item in lots_with_events(session)}
    sent = dict.fromkeys(made, 0.0)
    for event in events(session, biz_step="shipping"):
        if event.declared_wrong_at is None and not event.is_declaration:
            for part in event.document.get("quantityList", ()):
                sent[part["epcClass"]] += part["quantity"]
    assert any(sent.values())
    assert not [uri for uri, quantity in sent.items() if quantity > made[uri]]


def test_buyers_are_plainly_made_up(session):
    for event in events(session, biz_step="shipping"):
        told = event.document["ocop:dispatch"]
        assert re.search("Minh Hoạ|Ví Dụ", told["customer"])
        assert re.fullmatch(r"0900 \d{3} \d{3}", told.get("phone", "0900 000 000"))
    assert set(session.scalars(sa.select(TraceEvent.captured_by).distinct())) == {"dữ liệu minh hoạ"}


def test_there_are_readings_reports_and_a_drill(session):
    assert session.scalar(sa.select(sa.func.count()).select_from(Scan)) > 100
    assert {row.state for row in session.scalars(sa.select(ProblemReport))} >= {"new", "answered"}
    (drill,) = session.scalars(sa.select(RecallDrill))
    assert drill.finished_at > drill.started_at and 0 < drill.score <= 100
