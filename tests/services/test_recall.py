"""Hold, release and recall: what they change at once, who may, and whom the sheet of a recall names."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import PUBLIC, Actor, Role
from data.base import now
from data.programme.rights import NotYours
from data.store import Store
from data.tables import AuditRow
from data.traceability import decisions, recall
from data.traceability.capture import Blocked
from data.traceability.described import describe
from data.traceability.lots import Lot
from data.traceability.recall import Outcome, RecallError
from data.traceability.sheet import Sheet, sheet
from data.traceability.tables import RecallAct, TraceEvent, TraceEventItem, TraceItem
from layers import acts
from services.documents import to_pdf
from services.documents.recall import notice_text, sheet_csv, sheet_paper
from tests.services.recall_chain import CARTON, MATERIAL, Chain, sent
from tests.services.test_documents import pdf_text
from tests.services.test_programme_pages import send, signed_in

__all__ = ["signed_in"]

OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")


@pytest.fixture
def chain(store: Store) -> Chain:
    return Chain(store)


def hold(chain: Chain, actor: Actor, uri: str, **more: object) -> int:
    with chain.store.writing() as session:
        facts = {"reason": "chờ kết quả kiểm nghiệm", **more}
        outcome = recall.hold(session, actor, chain.item(uri), **facts)  # type: ignore[arg-type]
        return shown(session, actor, outcome)


def call_back(chain: Chain, actor: Actor, uri: str, **more: object) -> int:
    with chain.store.writing() as session:
        facts = {"reason": "vượt ngưỡng histamine", "document": "12/QĐ-TH", **more}
        outcome = recall.recall(session, actor, chain.item(uri), **facts)  # type: ignore[arg-type]
        return shown(session, actor, outcome)


def shown(session: sa.orm.Session, actor: Actor, outcome: Outcome) -> int:  # type: ignore[name-defined]
    acts.show(session, actor, "lots", outcome.lots, source=recall.SOURCE)
    return outcome.acts[0].id


def lot_status(chain: Chain, number: int = 0) -> str:
    with chain.store.reading() as session:
        return session.get_one(Lot, chain.lots[number]).lot_status


def drawn_up(chain: Chain, actor: Actor, uri: str, act_id: int | None = None) -> Sheet:
    with chain.store.reading() as session:
        act = None if act_id is None else session.get_one(RecallAct, act_id)
        return sheet(session, actor, session.get_one(TraceItem, chain.item(uri)), act=act)


def customers(found: Sheet) -> list[str | None]:
    return [one.customer for one in found.shipped]


def names_of(found: Sheet) -> set[str]:
    """Who supplied or grew something, by name; that a published pond is a source is no secret."""
    return {name for one in found.suppliers for name in (one.name, one.household) if name}


# ---- the acts


def test_a_hold_stops_the_lot_at_once_and_leaves_event_act_and_audit(chain: Chain) -> None:
    events = chain.events()
    act_id = hold(chain, chain.makers[0], chain.mine)
    assert chain.state(chain.mine) == lot_status(chain) == "held"
    assert chain.events() == events + 1
    with chain.store.reading() as session:
        act = session.get_one(RecallAct, act_id)
        event = session.get_one(TraceEvent, act.event_id)
        assert (event.biz_step, event.producer_id) == ("holding", chain.producers[0])
        assert event.document["ocop:hold"]["reason"] == "chờ kết quả kiểm nghiệm"
        tables = set(session.scalars(sa.select(AuditRow.table_name).where(AuditRow.actor == "Người 0")))
        assert {"recall_acts", "trace_items", "lots"} <= tables
    with pytest.raises(Blocked):
        chain.put(sent(9, chain.mine, "Chợ D", "0901", 1))
    with pytest.raises(Blocked):
        chain.put(sent(9, CARTON, "Chợ D", "0901", None))


def test_a_lifted_hold_gives_back_what_the_lot_was(chain: Chain) -> None:
    before = lot_status(chain)
    act_id = hold(chain, chain.makers[0], chain.mine)
    with chain.store.writing() as session:
        shown(session, chain.makers[0], recall.release(session, chain.makers[0], act_id, reason="mẫu đạt"))
    assert chain.state(chain.mine) == "free" and lot_status(chain) == before
    chain.put(sent(9, chain.mine, "Chợ D", "0901", 1))
    with chain.store.writing() as session, pytest.raises(RecallError, match="đã kết thúc"):
        recall.release(session, chain.makers[0], act_id, reason="lần nữa")


def test_a_producer_does_not_lift_what_the_authority_holds(chain: Chain) -> None:
    act_id = hold(chain, chain.officers[0], chain.mine)
    with chain.store.writing() as session, pytest.raises(RecallError, match="cơ quan quản lý"):
        recall.release(session, chain.makers[0], act_id, reason="tôi thấy ổn")
    assert chain.state(chain.mine) == "held"


def test_who_has_nothing_to_do_with_a_lot_decides_nothing(chain: Chain) -> None:
    strangers = [
        chain.makers[1],
        chain.officers[1],
        PUBLIC,
        Actor(role=Role.PLANNER),
        Actor(role=Role.PRODUCER),
    ]
    for actor in strangers:
        with chain.store.writing() as session, pytest.raises(NotYours):
            recall.hold(session, actor, chain.item(chain.mine), reason="không phải của tôi")
        with chain.store.writing() as session, pytest.raises(NotYours):
            recall.recall(session, actor, chain.item(chain.mine), reason="x", document="1/QĐ")
    assert chain.state(chain.mine) == "free"


def test_a_recall_by_the_authority_needs_its_document_and_is_timed(chain: Chain) -> None:
    with pytest.raises(RecallError, match="số quyết định"):
        call_back(chain, chain.inspector, chain.mine, document=" ")
    with pytest.raises(RecallError, match="sau lúc này"):
        call_back(chain, chain.inspector, chain.mine, known_at=now() + dt.timedelta(hours=1))
    in_time = call_back(
        chain, chain.inspector, chain.mine, known_at=now() - dt.timedelta(hours=23, minutes=30)
    )
    late = call_back(chain, OFFICER, chain.spare_lot(), known_at=now() - dt.timedelta(hours=25))
    with chain.store.reading() as session:
        hours = [decisions.hours_taken(session, session.get_one(RecallAct, key)) for key in (in_time, late)]
    assert [kept for _hours, kept in hours if _hours] == [True, False]


def test_a_producer_recalls_by_themselves_without_a_document(chain: Chain) -> None:
    act_id = call_back(chain, chain.makers[0], chain.mine, document=None)
    assert chain.state(chain.mine) == lot_status(chain) == "recalled"
    with chain.store.reading() as session:
        act = session.get_one(RecallAct, act_id)
        event = session.get_one(TraceEvent, act.event_id)
        assert not act.is_mandatory and event.disposition == "recalled"
        assert event.document["persistentDisposition"] == {"set": ["recalled"]}


def test_a_recall_spreads_to_what_was_ticked_and_ends_with_it(chain: Chain) -> None:
    also = [chain.item(chain.theirs), chain.item(CARTON)]
    act_id = call_back(chain, OFFICER, chain.mine, also=also)
    assert [chain.state(u) for u in (chain.mine, chain.theirs, CARTON)] == ["recalled"] * 3
    assert lot_status(chain, 2) == "recalled"
    with chain.store.reading() as session:
        parts = decisions.parts_of(session, session.get_one(RecallAct, act_id))
        assert {part.item_id for part in parts} == set(also)
        listed = [act.id for act in decisions.acts_of_actor(session, OFFICER)]
        assert listed == [act_id]
    with chain.store.writing() as session:
        outcome = recall.close(session, OFFICER, act_id, handling="destroyed", report="đã tiêu hủy 65 kg")
        shown(session, OFFICER, outcome) if outcome.acts else None
    assert chain.state(chain.mine) == lot_status(chain) == "recalled"


def test_a_producer_cannot_spread_a_recall_to_another_makers_lot(chain: Chain) -> None:
    with pytest.raises(NotYours):
        call_back(chain, chain.makers[0], chain.mine, also=[chain.item(chain.theirs)])
    assert chain.state(chain.mine) == "free"


@pytest.mark.parametrize(("handling", "state"), [("remedied", "free"), ("repurposed", "recalled"),
                                                 ("re_exported", "recalled"), ("destroyed", "recalled")])  # fmt: skip
def test_only_corrected_goods_are_sold_again(chain: Chain, handling: str, state: str) -> None:
    before = lot_status(chain)
    hold(chain, OFFICER, chain.mine)
    act_id = call_back(chain, OFFICER, chain.mine)
    with chain.store.writing() as session:
        with pytest.raises(RecallError, match="hình thức"):
            recall.close(session, OFFICER, act_id, handling="eaten", report="x")
        with pytest.raises(RecallError, match="báo cáo"):
            recall.close(session, OFFICER, act_id, handling=handling, report=" ")
        outcome = recall.close(session, OFFICER, act_id, handling=handling, report="đã thu về 60/65 kg")
        acts.show(session, OFFICER, "lots", outcome.lots, source=recall.SOURCE)
    assert chain.state(chain.mine) == state
    assert lot_status(chain) == (before if state == "free" else "recalled")
    with chain.store.reading() as session:
        assert decisions.open_acts(session, chain.item(chain.mine)) == []


def test_what_is_refused_leaves_nothing_behind(chain: Chain) -> None:
    events = chain.events()
    with pytest.raises(NotYours):
        call_back(chain, chain.makers[0], chain.mine, also=[chain.item(chain.theirs)])
    with pytest.raises(RecallError):
        hold(chain, OFFICER, chain.mine, reason=" ")
    assert chain.events() == events
    with chain.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RecallAct)) == 0


# ---- the sheet


def test_the_sheet_names_every_buyer_of_the_lot_and_of_what_became_of_it(chain: Chain) -> None:
    found = drawn_up(chain, OFFICER, chain.mine)
    assert customers(found) == ["Chợ A", "Cửa hàng OCOP 1", "Đại lý B", "Siêu thị C"]
    assert [one.quantity for one in found.shipped] == [20, 15, 10, 40]
    assert found.shipped[1].phone == "0290 111 222"
    assert [one.customer for one in found.stoppable] == ["Cửa hàng OCOP 1"]
    assert [(stock.name, stock.left) for stock in found.lots] == [("L01", 10.0)]
    assert found.on_hand is not None
    # 100 made, less 20 and 15 sent, 10 in the carton that left, 30 that went into the other lot.
    assert found.on_hand.left == pytest.approx(25.0)
    assert [(one.name, one.household, one.area_id) for one in found.suppliers] == [
        ("Vựa Ví Dụ", "Hộ ông Bảy", chain.area)
    ]
    assert found.hidden == 0 and not found.truncated


def test_the_sheet_of_the_material_reaches_the_same_buyers(chain: Chain) -> None:
    assert customers(drawn_up(chain, OFFICER, MATERIAL)) == customers(drawn_up(chain, OFFICER, chain.mine))


def test_what_was_sent_yesterday_may_still_be_on_its_way(chain: Chain) -> None:
    at = (now() - dt.timedelta(hours=20)).astimezone(dt.timezone(dt.timedelta(hours=7)))
    chain.put(
        {
            **sent(0, chain.mine, "Chợ E", "0901 000 005", 5),
            "eventTime": at.isoformat(timespec="milliseconds"),
        }
    )
    assert "Chợ E" in [one.customer for one in drawn_up(chain, OFFICER, chain.mine).stoppable]


def test_a_dispatch_that_was_declared_wrong_reached_nobody(chain: Chain) -> None:
    from tests.services.trace_events import declared_wrong

    wrong = {
        **sent(8, chain.mine, "Chợ sai", "0", 5),
        "eventID": "urn:uuid:00000000-0000-4000-8000-000000000099",
    }
    chain.put(wrong)
    assert "Chợ sai" in customers(drawn_up(chain, OFFICER, chain.mine))
    chain.put(declared_wrong(wrong))
    assert "Chợ sai" not in customers(drawn_up(chain, OFFICER, chain.mine))


def test_nobody_outside_the_chain_sees_buyers_and_each_maker_sees_only_their_own(chain: Chain) -> None:
    mine = drawn_up(chain, chain.makers[0], chain.mine)
    assert customers(mine) == ["Chợ A", "Cửa hàng OCOP 1", "Đại lý B"] and mine.hidden == 1
    theirs = drawn_up(chain, chain.makers[1], chain.mine)
    assert customers(theirs) == ["Siêu thị C"] and names_of(theirs) == set()
    for actor in (
        PUBLIC,
        Actor(role=Role.PRODUCER, producer_id=10_000),
        Actor(role=Role.COUNCIL_MEMBER, account_id=1),
    ):
        found = drawn_up(chain, actor, chain.mine)
        assert found.shipped == () and names_of(found) == set()
        assert found.on_hand is None and not found.is_insider


def test_reached_counts_who_was_told(chain: Chain) -> None:
    act_id = call_back(chain, OFFICER, chain.mine)
    found = drawn_up(chain, OFFICER, chain.mine, act_id)
    assert found.reached == 0.0
    with chain.store.writing() as session:
        recall.inform(session, OFFICER, act_id, found.shipped[0].event)
        recall.inform(session, chain.makers[0], act_id, found.shipped[0].event, returned=18, uom="KGM")
        with pytest.raises(NotYours):
            recall.inform(session, chain.makers[1], act_id, found.shipped[3].event)
        with pytest.raises(RecallError, match="không thể âm"):
            recall.inform(session, OFFICER, act_id, found.shipped[0].event, returned=-1)
    found = drawn_up(chain, OFFICER, chain.mine, act_id)
    assert found.reached == 25.0 and found.shipped[0].returned == 18


def test_the_sheet_goes_on_paper_and_into_a_sortable_file(chain: Chain) -> None:
    act_id = call_back(chain, OFFICER, chain.mine)
    found = drawn_up(chain, OFFICER, chain.mine, act_id)
    with chain.store.reading() as session:
        act = session.get_one(RecallAct, act_id)
        thing = describe(session, OFFICER, [act.item_id])[act.item_id]
        paper = sheet_paper(found, thing, act, province="UBND Tỉnh Ví Dụ", place="Ví Dụ", demo=True)
        notices = [notice_text(thing, act, lang) for lang in ("vi", "en")]
    text = pdf_text(to_pdf(paper))
    for word in ("Chợ A", "0901 000 003", "Vựa Ví Dụ", "vượt ngưỡng histamine"):
        assert word in text
    assert "12/QĐ-TH" in notices[0] and notices[1].startswith("RECALL NOTICE.")
    body = sheet_csv(found)
    rows = list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))
    assert [row["recipient"] for row in rows] == customers(found)
    assert [row["date_shipped"] for row in rows] == sorted(row["date_shipped"] for row in rows)
    assert rows[0]["traceability_lot_code"] == "L01" and rows[0]["quantity"] == "20.0"


def test_a_text_that_looks_like_a_formula_stays_a_text_in_the_file(chain: Chain) -> None:
    chain.put(sent(8, chain.mine, "=HYPERLINK(1)", "+84 9", 1))
    rows = list(
        csv.DictReader(io.StringIO(sheet_csv(drawn_up(chain, OFFICER, chain.mine)).removeprefix("\ufeff")))
    )
    assert rows[-1]["recipient"] == "'=HYPERLINK(1)" and rows[-1]["recipient_phone"] == "'+84 9"


# ---- the pages


def test_a_lot_is_held_recalled_and_closed_by_forms_and_its_public_page_says_so(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    client, key = signed_in("province_officer"), a_free_lot(demo_store)
    form = f"/office/recalls/new?lot={key}"
    here = "/office/recalls"
    refused = send(client, here, {"lot": key, "act": "recall", "reason": "mốc trắng"}, page=form)
    assert refused.status_code == 422 and "mốc trắng" in refused.get_data(as_text=True)
    held = send(client, here, {"lot": key, "act": "hold", "reason": "mốc trắng"}, page=form)
    assert held.status_code == 303
    address = held.headers["Location"]
    assert send(client, f"{address}/release", {"reason": "mẫu đạt"}, page=address).status_code == 303
    called = send(
        client, here, {"lot": key, "act": "recall", "reason": "mốc trắng", "document": "9/QĐ"}, page=form
    )
    address = called.headers["Location"]
    shown_page = client.get(address).get_data(as_text=True)
    assert "RECALL NOTICE" in shown_page and "THÔNG BÁO THU HỒI" in shown_page
    public = client.application.test_client().get(f"/lots/{key}").get_data(as_text=True)
    assert "THU HỒI" in public
    for form_, media in (("csv", "text/csv"), ("pdf", "application/pdf")):
        answer = client.get(f"{here}/sheet.{form_}?act={address.rsplit('/', 1)[1]}")
        assert answer.status_code == 200 and answer.mimetype == media
    dispatch = re.search(r'name="dispatch" value="(\d+)"', shown_page)
    if dispatch:
        told = {"dispatch": dispatch[1], "returned": "1,5", "uom": "KGM"}
        assert send(client, f"{address}/inform", told, page=address).status_code == 303
    closed = {"handling": "destroyed", "report": "đã tiêu hủy"}
    assert send(client, f"{address}/close", closed, page=address).status_code == 303
    assert "đã tiêu hủy" in client.get(address).get_data(as_text=True)
    assert send(client, f"{address}/close", closed, page=form).status_code == 422


def a_free_lot(store: Store) -> int:
    with store.reading() as session:
        query = sa.select(Lot.id).join(TraceItem, TraceItem.lot_id == Lot.id).join(
            TraceEventItem, TraceEventItem.item_id == TraceItem.id
        ).join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)  # fmt: skip
        query = query.where(TraceItem.state == "free", TraceItem.kind == "lot", Lot.status == "published")
        return session.scalars(query.where(TraceEvent.biz_step == "shipping").order_by(Lot.id)).first() or 0


def test_strangers_do_not_open_the_sheet_of_a_lot(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    key = a_free_lot(demo_store)
    client = signed_in("producer", producer_id=None)
    for path in (
        f"/office/recalls/new?lot={key}",
        f"/office/recalls/sheet.csv?lot={key}",
        "/office/recalls/1",
    ):
        assert client.get(path).status_code == 404
    anonymous = client.application.test_client()
    assert anonymous.get(f"/office/recalls/sheet.csv?lot={key}").status_code in (302, 303, 401)
