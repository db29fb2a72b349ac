"""Recall drills: nothing is recalled, every dispatch is found, and an answer is scored as a person would score it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import PUBLIC, SYSTEM, Actor, Role
from data.programme.rights import NotYours
from data.store import Store
from data.traceability import drills
from data.traceability.drills import DrillError, Line, compare, fits, same_name
from data.traceability.sheet import sheet
from data.traceability.tables import RecallAct, RecallDrill, TraceEvent, TraceEventItem, TraceItem
from tests.services.recall_chain import Chain
from tests.services.test_programme_pages import send, signed_in

__all__ = ["signed_in"]

FORWARD = [
    Line("chợ a", dt.date(2026, 4, 4), 20, "KGM"),
    Line("Cửa hàng OCOP 1", dt.date(2026, 4, 5), 15, "KGM"),
    Line("Đại lý B", dt.date(2026, 4, 6), 10000, "GRM"),
]
BACK = [Line("Vựa Ví Dụ", dt.date(2026, 4, 1), 300, "KGM")]


@pytest.fixture
def chain(store: Store) -> Chain:
    return Chain(store)


def begun(chain: Chain, actor: Actor, **more: Any) -> int:
    with chain.store.writing() as session:
        return drills.start(session, actor, **more).id


def answered(chain: Chain, actor: Actor, drill_id: int, **said: Any) -> RecallDrill:
    with chain.store.writing() as session:
        row = drills.answer(session, actor, drill_id, **said)
        session.expunge(row)
        return row


# ---- scoring


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Cửa hàng OCOP Năm Căn", "cua hang ocop nam can", True),
        ("Đại lý Ví Dụ 003", "Ví Dụ 003", True),
        ("Siêu thị Coopmart Cà Mau", "Sieu thi Co-opmart Ca Mau", True),
        ("Chợ phường 7", "Chợ phường 9", False),
        ("Đại lý Ví Dụ 003", "Đại lý", False),
        ("Vựa Ba Phi", "", False),
        ("Chợ A", "Đại lý B", False),
    ],
)
def test_names_are_compared_as_a_person_would(one: str, other: str, alike: bool) -> None:
    assert same_name(one, other) is alike


def test_a_line_counts_by_who_when_and_how_much() -> None:
    expected = Line("Chợ A", dt.date(2026, 4, 4), 20, "KGM")
    assert fits(expected, Line("Chợ A", dt.date(2026, 4, 5), 20000, "GRM")) == 1.0
    assert fits(expected, Line("Chợ A", dt.date(2026, 4, 9), 20, "KGM")) == 0.75
    assert fits(expected, Line("Chợ A")) == 0.5
    assert fits(expected, Line("Chợ B", dt.date(2026, 4, 4), 20, "KGM")) == 0.0


def test_two_dispatches_to_one_buyer_are_both_asked_for() -> None:
    expected = [Line("Chợ A", dt.date(2026, 4, 4), 20, "KGM"), Line("Chợ A", dt.date(2026, 5, 4), 7, "KGM")]
    compared, extra = compare(expected, [Line("Chợ A", dt.date(2026, 5, 4), 7, "KGM")])
    assert [one.share for one in compared] == [0.0, 1.0] and extra == []
    _compared, extra = compare(expected[:1], [*expected, Line("Ai đó")])
    assert [one.who for one in extra] == ["Chợ A", "Ai đó"]


# ---- a drill


def test_a_drill_asks_for_the_producers_own_dispatches_and_sources_and_recalls_nothing(chain: Chain) -> None:
    events = chain.events()
    key = begun(chain, chain.officers[0], item_id=chain.item(chain.mine))
    row = answered(chain, chain.makers[0], key, forward=FORWARD, back=BACK)
    assert row.score == 100.0 and row.finished_at is not None and row.answered_by == "Người 0"
    assert drills.minutes_of(row) >= 0 and drills.passed(row) is True
    assert chain.events() == events and chain.state(chain.mine) == "free"
    with chain.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RecallAct)) == 0


def test_what_was_left_out_lowers_the_score_and_is_named(chain: Chain) -> None:
    key = begun(chain, chain.officers[0], item_id=chain.item(chain.mine))
    row = answered(chain, chain.makers[0], key, forward=[*FORWARD[:1], Line("Chợ lạ")], back=BACK)
    result = drills.result_of(row)
    assert row.score == 50.0 and drills.passed(row) is False
    assert [one.expected.who for one in result.forward if one.found is None] == [
        "Cửa hàng OCOP 1",
        "Đại lý B",
    ]
    assert [one.who for one in result.extra] == ["Chợ lạ"]


def test_a_slow_answer_does_not_pass_however_complete(chain: Chain) -> None:
    key = begun(chain, chain.officers[0], item_id=chain.item(chain.mine), direction="forward")
    with chain.store.writing() as session:
        row = session.get_one(RecallDrill, key)
        row.started_at -= dt.timedelta(minutes=121)
    row = answered(chain, chain.makers[0], key, forward=FORWARD)
    assert row.score == 100.0 and drills.passed(row) is False


def test_the_clock_stops_once(chain: Chain) -> None:
    key = begun(chain, chain.makers[0], item_id=chain.item(chain.mine))
    answered(chain, chain.makers[0], key, forward=FORWARD, back=BACK)
    with chain.store.writing() as session, pytest.raises(DrillError, match="đã kết thúc"):
        drills.answer(session, chain.makers[0], key)


def test_a_lot_is_drawn_among_those_sent_out_by_the_producer(chain: Chain) -> None:
    for _ in range(5):
        key = begun(chain, chain.inspector, producer_id=chain.producers[1])
        with chain.store.reading() as session:
            assert session.get_one(RecallDrill, key).item_id == chain.item(chain.theirs)
    key = begun(chain, chain.makers[0])
    with chain.store.reading() as session:
        assert session.get_one(RecallDrill, key).item_id == chain.item(chain.mine)
    with chain.store.writing() as session, pytest.raises(DrillError, match="Chưa có lô"):
        drills.start(session, chain.inspector, producer_id=10_000)


def test_strangers_neither_start_nor_see_nor_answer(chain: Chain) -> None:
    item = chain.item(chain.mine)
    for actor in (PUBLIC, chain.makers[1], chain.officers[1], Actor(role=Role.COUNCIL_MEMBER, account_id=1)):
        with chain.store.writing() as session, pytest.raises(NotYours):
            drills.start(session, actor, item_id=item)
    key = begun(chain, chain.officers[0], item_id=item)
    for actor in (PUBLIC, chain.makers[1], chain.officers[1]):
        with chain.store.writing() as session, pytest.raises(NotYours):
            drills.answer(session, actor, key)
    with chain.store.reading() as session:
        assert [one.id for one in drills.drills_of_actor(session, chain.makers[1])] == []


def test_the_district_sees_who_was_never_drilled_first(chain: Chain) -> None:
    key = begun(chain, chain.inspector, item_id=chain.item(chain.mine))
    answered(chain, chain.makers[0], key, forward=FORWARD, back=BACK)
    with chain.store.reading() as session:
        table = drills.standings(session, chain.inspector)
        assert [(one.name, one.last is not None) for one in table] == [
            ("Cơ sở Xã 2", False),
            ("Cơ sở Xã 1", True),
        ]
        assert [one.name for one in drills.standings(session, chain.officers[0])] == ["Cơ sở Xã 1"]


# ---- the demonstration province


def test_a_drill_over_the_demonstration_finds_every_affected_dispatch(demo_store: Store) -> None:
    """What the sheet finds is held against a plain walk over the events, without edges and recursive queries."""
    with demo_store.reading() as session:
        events = session.execute(
            sa.select(TraceEvent.id, TraceEvent.type, TraceEvent.biz_step, TraceEvent.transformation_id)
            .where(TraceEvent.declared_wrong_at.is_(None), TraceEvent.is_declaration.is_(False))
        ).all()  # fmt: skip
        roles = session.execute(
            sa.select(TraceEventItem.event_id, TraceEventItem.item_id, TraceEventItem.role)
        ).all()
        lots = session.execute(sa.select(TraceItem.id, TraceItem.uri).where(TraceItem.kind == "lot")).all()
        after, dispatches = _walked(events, roles)
        asked = found_in_all = 0
        for key, _uri in lots[::9]:
            reached = _closure(key, after)
            expected = {event for item in reached for event in dispatches.get(item, ())}
            whole = sheet(session, SYSTEM, session.get_one(TraceItem, key))
            assert {one.event for one in whole.shipped} == expected
            asked += 1
            found_in_all += len(expected)
        assert asked > 10 and found_in_all > 10


def _walked(events: Any, roles: Any) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """What came directly of each thing, and the events that sent each thing out."""
    named: dict[int, dict[str, set[int]]] = {}
    for event, item, role in roles:
        named.setdefault(event, {}).setdefault(role, set()).add(item)
    runs: dict[Any, tuple[set[int], set[int]]] = {}
    after: dict[int, set[int]] = {}
    dispatches: dict[int, set[int]] = {}
    for key, kind, step, run in events:
        own = named.get(key, {})
        if kind == "TransformationEvent":
            ins, outs = runs.setdefault(run or key, (set(), set()))
            ins |= own.get("input", set())
            outs |= own.get("output", set())
        if kind == "AggregationEvent":
            for child in own.get("child", ()):
                after.setdefault(child, set()).update(own.get("parent", ()))
        if step == "shipping":
            for item in own.get("epc", ()):
                dispatches.setdefault(item, set()).add(key)
    for ins, outs in runs.values():
        for item in ins:
            after.setdefault(item, set()).update(outs)
    return after, dispatches


def _closure(start: int, after: dict[int, set[int]]) -> set[int]:
    reached, waiting = {start}, [start]
    while waiting:
        for item in after.get(waiting.pop(), set()) - reached:
            reached.add(item)
            waiting.append(item)
    return reached


# ---- the pages


def test_a_drill_from_the_first_click_to_the_score(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    client = signed_in("province_officer")
    here = "/office/recalls/drills"
    assert "không lô nào bị thu hồi thật" in client.get(here).get_data(as_text=True)
    begun_ = send(client, here, {"direction": "both", "producer": "", "lot": ""})
    assert begun_.status_code == 303
    address = begun_.headers["Location"]
    shown = client.get(address).get_data(as_text=True)
    assert "Lô đã đi đâu?" in shown and "data-stopwatch" in shown
    with demo_store.reading() as session:
        row = session.get_one(RecallDrill, int(address.rsplit("/", 1)[1]))
        first = row.expected["forward"][0]  # type: ignore[index]
    wrong = {"forward_who": ["", "Chợ A"], "forward_day": ["2026-04-01", ""], "forward_quantity": ["", "x"],
             "forward_unit": ["kg", "kg"]}  # fmt: skip
    refused = send(client, address, wrong)
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "cần tên" in text and 'value="Chợ A"' in text
    said = {"forward_who": [first["who"], ""], "forward_day": [first["day"], ""],
            "forward_quantity": [str(first["quantity"]).replace(".", ","), ""], "forward_unit": ["", ""]}  # fmt: skip
    assert send(client, address, said).status_code == 303
    result = client.get(address).get_data(as_text=True)
    assert re.search(r"class=\"drill-score (ok|bad)\"", result) and first["who"] in result
    empty = send(client, here, {"lot": "KHONG-CO-LO-NAY", "direction": "both"})
    assert empty.status_code in (404, 422) and "Không có lô" in empty.get_data(as_text=True)
