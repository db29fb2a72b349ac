"""Lots kept from the first hour to the release and after: on both databases, through the acts that pages use."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from data.accounts import Actor, Role, add_account
from data.growing_areas import GrowingArea
from data.products import Product
from data.programme.rights import NotYours
from data.store import Store
from data.traceability import balance, checklist, clocks, recording, schemas
from data.traceability.dossier import Dossier, DossierError, dossier_of, lot_seen
from data.traceability.lotnumbers import LotNumberError, propose
from data.traceability.lots import Lot
from data.traceability.profiles import NoLots
from data.traceability.tables import TraceEdge, TraceEvent, TraceItem
from layers import acts, catalogue
from layers.edit import Invalid, editing
from layers.lots import NewLot, correct_identity, open_lot, release_lot, withdraw_release

TODAY = dt.date.today()
MADE = TODAY - dt.timedelta(days=3)
ANALYTES = ("moisture", "e_coli", "salmonella")


class Story:
    """A producer of dried shrimp, with a growing area, and others who look at the lot."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.reading() as session:
            query = sa.select(Product).where(
                Product.name.startswith("Tôm khô"),
                Product.producer_id.is_not(None),
                Product.status == "published",
            )
            product = session.scalars(query.order_by(Product.id)).first()
            assert product is not None and product.producer_id is not None
            self.product_id, self.producer_id, self.commune_id = (
                product.id,
                product.producer_id,
                product.commune_id,
            )
            self.area_id = session.scalars(
                sa.select(GrowingArea.id).where(GrowingArea.status == "published").order_by(GrowingArea.id)
            ).first()
        with store.writing() as session:
            account = add_account(session, "chu-the", "producer", password=None, producer_id=self.producer_id)
            self.producer = account.actor()
        self.stranger = Actor(role=Role.PRODUCER, producer_id=self.producer_id + 1, name="Người khác")
        self.inspector = Actor(role=Role.INSPECTOR, name="Thanh tra")
        self.officer = Actor(role=Role.COMMUNE_OFFICER, commune_id=self.commune_id, name="Cán bộ xã")

    def open(self, number: str = "TK-01", **more: Any) -> int:
        facts: dict[str, Any] = {
            "product_id": self.product_id,
            "lot_number": number,
            "produced_on": MADE,
            "expires_on": MADE + dt.timedelta(days=365),
            "quantity": 100.0,
            "unit": "hộp",
            "packaging": "hộp 500 g",
            "area_ids": (self.area_id,),
        }
        with self.store.writing() as session:
            return open_lot(session, self.producer, NewLot(**{**facts, **more}), today=TODAY).lot_id

    def record(
        self, lot_id: int, block: str, *, actor: Actor | None = None, step: str | None = None, **values: Any
    ) -> Any:
        with self.store.writing() as session:
            return recording.record(session, actor or self.producer, lot_id, block, values, step=step)

    def dossier(self, lot_id: int, actor: Actor | None = None) -> Dossier:
        with self.store.reading() as session:
            who = actor or self.producer
            return dossier_of(session, who, lot_seen(session, who, lot_id))

    def complete(self, lot_id: int) -> None:
        area = f"urn:ocop:area:{self.area_id}"
        self.record(lot_id, "input", name="Tôm đất", role="main", quantity=400.0, uom="KGM", area=area,
                    supplier="Tổ hợp tác", receivedOn=MADE.isoformat())  # fmt: skip
        self.record(lot_id, "step", step="reception", person="An")
        self.record(
            lot_id, "step", step="boiling", person="An", parameters={"temperature": 98.0, "minutes": 12.0}
        )
        self.record(
            lot_id, "step", step="drying", person="An", parameters={"temperature": 60.0, "hours": 9.0}
        )
        self.record(lot_id, "step", step="packing_step", person="An")
        self.test(lot_id)
        self.record(lot_id, "sample", quantity=1.0, uom="EA", place="Tủ A", keptOn=MADE.isoformat(), keptBy="An",
                    retainUntil=(MADE + dt.timedelta(days=400)).isoformat())  # fmt: skip
        self.record(lot_id, "packing", labelVersion="3", stampsFrom="1", stampsTo="100")

    def test(self, lot_id: int, actor: Actor | None = None, **values: str) -> None:
        told = {"moisture": "18 %", "e_coli": "KPH", "salmonella": "KPH", **values}
        limits = {"moisture": "≤ 20 %"}
        results = [
            {
                "analyte": code,
                "value": told[code],
                "limit": limits.get(code, "không phát hiện"),
                "verdict": None,
            }
            for code in ANALYTES
        ]
        self.record(lot_id, "test", actor=actor, report="PKN-7", laboratory="Phòng thử nghiệm", results=results,
                    reportedOn=TODAY.isoformat())  # fmt: skip

    def release(self, lot_id: int) -> None:
        with self.store.writing() as session:
            release_lot(session, self.producer, lot_id, remark="đủ hồ sơ", today=TODAY)


@pytest.fixture
def story(demo_store: Store) -> Story:
    return Story(demo_store)


def test_a_lot_is_begun_with_its_row_its_event_and_its_areas_together(story: Story) -> None:
    lot_id = story.open()
    dossier = story.dossier(lot_id)
    lot = dossier.lot
    assert (lot.lot_status, lot.status, lot.producer_id) == ("open", "draft", story.producer_id)
    assert dossier.profile.id == "dried_shrimp"
    assert dossier.identity is not None and dossier.identity.values["lotNumber"] == "TK-01"
    assert dossier.identity.values["quantity"] == 100
    assert [e.values["area"] for e in dossier.of("input")] == [f"urn:ocop:area:{story.area_id}"]
    with story.store.reading() as session:
        item = session.scalars(sa.select(TraceItem).where(TraceItem.lot_id == lot_id)).one()
        assert item.uri.endswith("/10/TK-01")
        sources = sa.select(TraceEdge).where(TraceEdge.kind == "made")
        assert session.scalars(sources).first() is not None


def test_a_form_that_is_sent_twice_begins_one_lot(story: Story) -> None:
    entry = uuid.uuid4()
    facts = NewLot(story.product_id, "TK-02", MADE, None, 5, "kg")
    with story.store.writing() as session:
        first = open_lot(session, story.producer, facts, today=TODAY, entry=entry)
    with story.store.writing() as session:
        again = open_lot(session, story.producer, facts, today=TODAY, entry=entry)
    assert (again.lot_id, again.known) == (first.lot_id, True)


def test_lot_numbers_are_of_the_standard_free_and_warned_of(story: Story) -> None:
    story.open("TK-03")
    with pytest.raises(LotNumberError):
        story.open("tk-03")
    with pytest.raises(LotNumberError):
        story.open("LÔ 3/2026")
    with story.store.writing() as session:
        session.add(Product(name="Khô cá thử", product_set=8, producer_id=story.producer_id))
        session.flush()
        other = session.scalars(sa.select(Product.id).where(Product.name == "Khô cá thử")).one()
        made = open_lot(session, story.producer, NewLot(other, "TK-03", MADE, None, 5, "kg"), today=TODAY)
        assert [lot.product_id for lot in made.same_number] == [story.product_id]
        assert propose(session, other, TODAY) == f"L{TODAY:%y%m%d}-01"


def test_services_have_no_lots(story: Story) -> None:
    with story.store.reading() as session:
        tour = session.scalars(sa.select(Product).where(Product.product_set == 26)).first()
        assert tour is not None
    owner = Actor(role=Role.PRODUCER, producer_id=tour.producer_id)
    with pytest.raises(NoLots), story.store.writing() as session:
        open_lot(session, owner, NewLot(tour.id, "T-1", MADE, None, 1, "khách"), today=TODAY)


def test_nobody_begins_or_reads_a_lot_of_somebody_else(story: Story) -> None:
    lot_id = story.open()
    with pytest.raises(NotYours), story.store.writing() as session:
        open_lot(session, story.stranger, NewLot(story.product_id, "X", MADE, None, 1, "kg"), today=TODAY)
    for actor in (story.stranger, Actor()):
        with pytest.raises(NotYours):
            story.dossier(lot_id, actor)
    for actor in (story.officer, story.inspector):
        assert story.dossier(lot_id, actor).identity is not None


def test_a_lot_is_released_when_its_dossier_is_whole(story: Story) -> None:
    lot_id = story.open()
    with pytest.raises(checklist.NotReady) as refused:
        story.release(lot_id)
    assert {p.block for p in refused.value.points} >= {"step", "test", "sample", "packing"}
    story.complete(lot_id)
    assert checklist.release_obstacles(story.dossier(lot_id), TODAY) == []
    story.release(lot_id)
    dossier = story.dossier(lot_id)
    assert dossier.is_released and (dossier.lot.lot_status, dossier.lot.status) == ("released", "published")
    with story.store.reading() as session:
        assert session.scalar(
            sa.select(TraceEvent.id).where(TraceEvent.disposition == "sellable_not_accessible")
        )


def test_a_failed_test_blocks_until_a_new_one_passes(story: Story) -> None:
    lot_id = story.open()
    story.complete(lot_id)
    story.test(lot_id, moisture="24")
    with pytest.raises(checklist.NotReady):
        story.release(lot_id)
    assert len(story.dossier(lot_id).of("test")) == 2
    story.test(lot_id, actor=story.inspector, moisture="19,5")
    story.release(lot_id)


def test_a_verdict_that_the_numbers_deny_is_refused(story: Story) -> None:
    lot_id = story.open()
    result = {"analyte": "moisture", "value": "31", "limit": "≤ 20", "verdict": "conformant"}
    with pytest.raises(DossierError, match="không đạt"):
        story.record(
            lot_id, "test", report="1", laboratory="A", reportedOn=TODAY.isoformat(), results=[result]
        )


def test_a_sample_is_kept_beyond_the_expiry_and_its_clock_runs(story: Story) -> None:
    lot_id = story.open(expires_on=TODAY + dt.timedelta(days=20))
    sample = {"quantity": 200.0, "uom": "GRM", "place": "Tủ A", "keptOn": MADE.isoformat(), "keptBy": "An"}
    with pytest.raises(DossierError, match="ít nhất đến"):
        story.record(lot_id, "sample", **sample, retainUntil=(TODAY + dt.timedelta(days=40)).isoformat())
    until = TODAY + dt.timedelta(days=50)
    story.record(lot_id, "sample", **sample, retainUntil=until.isoformat())
    uri = story.dossier(lot_id).of("sample")[0].uri
    assert uri is not None and uri.endswith("/21/MAU-01")

    def due() -> set[tuple[str, dt.date]]:
        with story.store.reading() as session:
            found = clocks.calendar(session, story.producer, TODAY)
        return {(d.kind, d.day) for d in found if d.lot_id == lot_id}

    assert due() == {("sample", until), ("expiry", TODAY + dt.timedelta(days=20))}
    story.record(lot_id, "sample_disposal", sample=uri, reason="hết hạn lưu", by="An")
    assert ("sample", until) not in due()
    with pytest.raises(DossierError, match="đã hủy"):
        story.record(lot_id, "sample_disposal", sample=uri, reason="lần nữa", by="An")


def test_more_cannot_leave_than_there_is(story: Story) -> None:
    lot_id = story.open()
    with pytest.raises(DossierError, match="chưa được xuất xưởng"):
        story.record(lot_id, "dispatch", customer="Cửa hàng", quantity=5.0, uom="EA")
    story.complete(lot_id)
    story.release(lot_id)
    story.record(lot_id, "dispatch", customer="Cửa hàng A", phone="0290 000 000", quantity=90.0, uom="EA")
    with pytest.raises(DossierError, match="chỉ còn 9 hộp"):
        story.record(lot_id, "dispatch", customer="Cửa hàng B", quantity=10.0, uom="EA")
    # Nine boxes of 500 g are 4.5 kg: units are converted by what a box holds.
    story.record(lot_id, "dispatch", customer="Cửa hàng B", quantity=4.5, uom="KGM")
    found = balance.balance(story.dossier(lot_id))
    assert (found.produced, found.dispatched, found.samples, found.on_hand) == (100, 99, 1, 0)
    # 50 kg of product from 400 kg of shrimp.
    assert found.ratio == 0.125 and found.alarms == ()


def test_more_product_than_the_material_can_give_is_told(story: Story) -> None:
    lot_id = story.open()
    story.record(lot_id, "input", name="Tôm", role="main", quantity=60.0, uom="KGM", supplier="B",
                 receivedOn=MADE.isoformat())  # fmt: skip
    found = balance.balance(story.dossier(lot_id))
    assert found.ratio is not None and found.ratio > 0.8
    assert "nhiều hơn mức thường thấy" in str(found.alarms[0])


def test_a_correction_keeps_both_and_takes_the_wrong_edges_away(story: Story) -> None:
    lot_id = story.open(area_ids=())
    story.record(lot_id, "input", name="Tôm", role="main", quantity=60.0, uom="KGM", supplier="B",
                 receivedOn=MADE.isoformat())  # fmt: skip
    wrong = story.dossier(lot_id).of("input")[0]
    with story.store.writing() as session:
        values = {k: v for k, v in wrong.values.items() if k != "uri"} | {"quantity": 600.0}
        recording.correct(
            session, story.producer, lot_id, wrong.row.id, reason="gõ thiếu số 0", values=values
        )
    after = story.dossier(lot_id)
    assert [e.values["quantity"] for e in after.of("input")] == [600]
    assert [(e.values["quantity"], e.is_wrong) for e in after.all_of("input")] == [(60, True), (600, False)]
    with story.store.reading() as session:
        said = [
            e.document["errorDeclaration"]
            for e in session.scalars(sa.select(TraceEvent).where(TraceEvent.is_declaration))
        ]
        # The delivery was received and put into the run: both were wrong.
        assert [d["ocop:reason"] for d in said].count("gõ thiếu số 0") == 2
    with pytest.raises(DossierError, match="vì sao"), story.store.writing() as session:
        recording.correct(session, story.producer, lot_id, after.of("input")[0].row.id, reason=" ")


def test_after_the_release_identity_changes_only_by_a_correction(story: Story) -> None:
    lot_id = story.open()
    story.complete(lot_id)
    story.release(lot_id)
    layer = catalogue.layer("lots")
    admin = Actor(role=Role.ADMINISTRATOR, name="Quản trị")
    with pytest.raises(Invalid, match="đính chính"), editing(story.store, admin, "thử") as edits:
        edits.update(layer, lot_id, {"quantity": 5})
    with editing(story.store, admin, "thử") as edits:
        edits.update(layer, lot_id, {"quantity": 100, "note": "giữ nguyên", "lot_status": "recalled"})
    assert story.dossier(lot_id).lot.lot_status == "released"
    with pytest.raises(DossierError, match="xuất xưởng"):
        story.record(lot_id, "step", step="washing", person="An")
    with story.store.writing() as session:
        correct_identity(session, story.producer, lot_id, {"quantity": 98.0}, reason="đếm lại", today=TODAY)
    dossier = story.dossier(lot_id)
    assert dossier.lot.quantity == 98 and dossier.is_released
    assert [e.is_wrong for e in dossier.all_of("identity")] == [True, False]


def test_a_release_is_taken_back_only_while_nothing_left(story: Story) -> None:
    lot_id = story.open()
    story.complete(lot_id)
    story.release(lot_id)
    with story.store.writing() as session:
        withdraw_release(session, story.producer, lot_id, reason="quên ghi hao hụt")
    assert story.dossier(lot_id).lot.lot_status == "open"
    story.release(lot_id)
    story.record(lot_id, "dispatch", customer="A", quantity=1.0, uom="EA")
    with pytest.raises(DossierError, match="thu hồi"), story.store.writing() as session:
        withdraw_release(session, story.producer, lot_id, reason="muộn rồi")


def test_a_held_lot_neither_leaves_nor_is_released(story: Story) -> None:
    lot_id = story.open()
    story.complete(lot_id)
    with story.store.writing() as session:
        acts.show(session, story.officer, "lots", {lot_id: {"lot_status": "held"}}, source="thử")
        session.execute(sa.update(TraceItem).where(TraceItem.lot_id == lot_id).values(state="held"))
    with pytest.raises(DossierError, match="tạm giữ"):
        story.release(lot_id)
    story.test(lot_id)


def test_inspectors_add_tests_and_samples_and_nothing_else(story: Story) -> None:
    lot_id = story.open()
    story.test(lot_id, actor=story.inspector)
    with pytest.raises(NotYours):
        story.record(lot_id, "waste", actor=story.inspector, quantity=1.0, uom="EA", reason="x")
    with pytest.raises(NotYours):
        story.record(lot_id, "step", actor=Actor(role=Role.PLANNER), step="washing", person="x")


def test_what_is_typed_wrong_is_told_for_each_field(story: Story) -> None:
    lot_id = story.open()
    with pytest.raises(schemas.Faulty) as refused:
        story.record(lot_id, "step", step="boiling", parameters={"temperature": 980.0})
    assert list(refused.value.faults) == ["person", "p:temperature", "p:minutes"]
    assert "từ 50 đến 120 °C" in str(refused.value.faults["p:temperature"])


def test_lots_of_before_have_a_dossier_too(story: Story) -> None:
    with story.store.reading() as session:
        lot = session.scalars(sa.select(Lot).where(Lot.lot_status == "released").order_by(Lot.id)).first()
        assert lot is not None
        dossier = dossier_of(session, story.inspector, lot)
        assert dossier.is_released
        assert checklist.checklist(dossier, TODAY)
