"""Inspection: who is visited first, what a visit leaves behind, and who may do what."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import Actor, Role
from data.admin_units import Commune
from data.products import Product
from data.programme import findings, inspections, risk, standards, worklist
from data.programme.inspections import InspectionError
from data.programme.participations import Outdated
from data.programme.rights import NotYours
from data.programme.tables import Finding, Inspection, ProductStandard
from data.store import Store
from services.documents import inspection as sheets
from services.documents import to_docx, to_pdf
from tests.services.test_documents import pdf_text, word_text
from tests.services.test_programme_pages import send, signed_in

__all__ = ["signed_in"]

TODAY = dt.date(2026, 6, 1)
INSPECTOR = Actor(role=Role.INSPECTOR, name="Thanh tra Minh Hoạ")


@dataclass
class Place:
    """A product with a star, and the people around it."""

    store: Store
    product: int
    producer: Actor
    commune: Actor
    stranger: Actor


@pytest.fixture
def place(demo_store: Store) -> Place:
    with demo_store.writing() as session:
        session.execute(sa.delete(Finding))
        session.execute(sa.delete(Inspection))
        product = session.scalars(
            sa.select(Product).where(
                Product.stars == 4, Product.producer_id.is_not(None), Product.commune_id.is_not(None)
            )
        ).first()
        assert product is not None
        elsewhere = session.scalars(
            sa.select(Commune.id).where(
                Commune.id != product.commune_id, Commune.edition == product.commune.edition
            )
        ).first()
        return Place(
            demo_store,
            product.id,
            Actor(role=Role.PRODUCER, producer_id=product.producer_id, name="Chủ thể"),
            Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id, name="Cán bộ xã"),
            Actor(role=Role.COMMUNE_OFFICER, commune_id=elsewhere, name="Cán bộ xã khác"),
        )


def risk_of(place: Place, today: dt.date = TODAY) -> dict[str, int]:
    with place.store.reading() as session:
        found = {r.product.id: r for r in risk.ranking(session, INSPECTOR, today)}[place.product]
        return {reason.weight.key: reason.points for reason in found.reasons}


def plan(place: Place, **more: object) -> int:
    with place.store.writing() as session:
        facts = {"year": 2026, "planned_on": TODAY, "today": TODAY, **more}
        return inspections.plan(session, INSPECTOR, [place.product], **facts)[0].id  # type: ignore[arg-type]


def visit(place: Place, *, faults: int = 1) -> int:
    """Play a visit that finds something wrong, until the minutes are signed."""
    key = plan(place)
    with place.store.writing() as session:
        row = inspections.begin(session, INSPECTOR, key, today=TODAY, place=(105.1, 9.1))
        answers = {p.code: ("kept", "") for p in inspections.points(row)}
        answers["label"] = ("not_kept", "Thiếu tem truy xuất")
        inspections.check(session, INSPECTOR, key, answers)
        for _ in range(faults):
            findings.add(
                session, INSPECTOR, key, severity="major", text="Thiếu tem", action="Dán tem",
                due_on=dt.date(2026, 7, 1),
            )  # fmt: skip
        inspections.sign(
            session,
            INSPECTOR,
            key,
            conclusion="Phải khắc phục",
            inspector_side="A",
            producer_side="B",
            today=TODAY,
        )
    return key


def test_the_weights_are_data_and_a_score_is_the_sum_of_its_named_reasons(place: Place) -> None:
    reasons = risk_of(place)
    assert reasons["never_visited"] == risk.weights()["never_visited"].points == 20
    assert reasons["stars_4"] == 4
    with place.store.reading() as session:
        ranking = risk.ranking(session, INSPECTOR, TODAY)
    scores = [r.points for r in ranking]
    assert scores == sorted(scores, reverse=True)
    assert all(r.points == min(100, sum(x.points for x in r.reasons)) for r in ranking)


def test_expired_standards_and_certificates_near_their_end_weigh(place: Place) -> None:
    with place.store.writing() as session:
        session.get_one(Product, place.product).expires_on = TODAY + dt.timedelta(days=180)
        for days in (-1, -2, -3, 90, 91):
            session.add(
                ProductStandard(
                    product_id=place.product, code="TCCS", title="x", kind="base",
                    expires_on=TODAY + dt.timedelta(days=days),
                )
            )  # fmt: skip
    reasons = risk_of(place)
    assert reasons["certificate_near_end"] == 6
    assert reasons["evidence_expired"] == 20, "three have ended, and at most two count"
    assert reasons["evidence_expiring"] == 4, "one ends within 90 days"
    assert "certificate_near_end" not in risk_of(place, TODAY - dt.timedelta(days=1))
    assert "certificate_ended" in risk_of(place, TODAY + dt.timedelta(days=181))


def test_what_a_commune_reports_weighs_until_a_visit_takes_it_up(place: Place) -> None:
    with place.store.writing() as session:
        inspections.report(session, place.commune, place.product, "Đã ngừng sản xuất", today=TODAY)
        with pytest.raises(NotYours):
            inspections.report(session, place.stranger, place.product, "Không phải xã tôi", today=TODAY)
        with pytest.raises(NotYours):
            inspections.report(session, place.producer, place.product, "Tự khai", today=TODAY)
    assert risk_of(place)["report"] == 25
    with place.store.reading() as session:
        assert not inspections.all_of(session, place.producer)
    plan(place)
    assert "report" not in risk_of(place)


def test_a_visit_goes_from_plan_to_minutes_and_ends_with_its_last_finding(place: Place) -> None:
    key = visit(place)
    assert risk_of(place)["finding_open"] == 8
    assert risk_of(place, dt.date(2026, 7, 2))["finding_overdue"] == 15
    with place.store.writing() as session:
        row = session.get_one(Inspection, key)
        assert row.state == "visited" and re.fullmatch(r"\d{3}/BB-KT-2026", row.minutes_number or "")
        assert (row.longitude, row.latitude) == (105.1, 9.1)
        finding = findings.unsettled(session, place.producer)[0]
        with pytest.raises(InspectionError, match="không thể sau hôm nay"):
            findings.answer(
                session,
                place.producer,
                finding.id,
                text="x",
                done_on=TODAY + dt.timedelta(days=1),
                today=TODAY,
            )
        findings.answer(
            session, place.producer, finding.id, text="Đã dán tem", done_on=TODAY, today=TODAY, version=1
        )
        with pytest.raises(Outdated):
            findings.answer(
                session, place.producer, finding.id, text="lại", done_on=TODAY, today=TODAY, version=1
            )
        with pytest.raises(NotYours):
            findings.verify(session, place.producer, finding.id, accepted=True, today=TODAY)
        with pytest.raises(InspectionError, match="thời hạn mới"):
            findings.verify(session, INSPECTOR, finding.id, accepted=False, today=TODAY)
        later = dt.date(2026, 8, 1)
        findings.verify(session, INSPECTOR, finding.id, accepted=False, today=TODAY, due_on=later)
        assert (finding.due_on, finding.done_on, row.state) == (later, None, "visited")
        findings.verify(session, INSPECTOR, finding.id, accepted=True, today=TODAY)
        assert row.state == "closed"
    assert "finding_open" not in risk_of(place) and "never_visited" not in risk_of(place)


def test_minutes_need_every_point_answered_and_every_fault_explained(place: Place) -> None:
    key = plan(place)
    with place.store.writing() as session:
        row = inspections.begin(session, INSPECTOR, key, today=TODAY)
        side = {"conclusion": "x", "inspector_side": "A", "producer_side": "B", "today": TODAY}
        with pytest.raises(InspectionError, match="chưa đánh dấu"):
            inspections.sign(session, INSPECTOR, key, **side)  # type: ignore[arg-type]
        answers = {p.code: ("not_applicable", "") for p in inspections.points(row)}
        inspections.check(session, INSPECTOR, key, {**answers, "label": ("not_kept", "")})
        with pytest.raises(InspectionError, match="vì sao không đạt"):
            inspections.sign(session, INSPECTOR, key, **side)  # type: ignore[arg-type]
        inspections.check(session, INSPECTOR, key, {"label": ("not_kept", "rách")})
        with pytest.raises(InspectionError, match="cả hai bên"):
            inspections.sign(session, INSPECTOR, key, **{**side, "producer_side": " "})  # type: ignore[arg-type]
        with pytest.raises(InspectionError, match="biện pháp khắc phục"):
            findings.add(session, INSPECTOR, key, severity="critical", text="Chất cấm")
        inspections.sign(session, INSPECTOR, key, **side)  # type: ignore[arg-type]
        assert row.state == "closed", "nothing was found that must be mended"
        with pytest.raises(InspectionError):
            inspections.check(session, INSPECTOR, key, {"label": ("kept", "")})
        with pytest.raises(InspectionError, match="kết quả mẫu"):
            findings.add(session, INSPECTOR, key, severity="minor", text="muộn")


def test_the_checklist_holds_the_criteria_the_star_rests_on_and_the_standards_in_force(place: Place) -> None:
    with place.store.writing() as session:
        old = standards.add(
            session, place.producer, place.product, code="TCCS 01", title="Cũ", kind="base",
            issued_on=dt.date(2020, 1, 1),
        )  # fmt: skip
        new = standards.upgrade(
            session, place.producer, old.id, code="TCCS 02", title="Mới", kind="base", version_label="2",
            issued_on=dt.date(2026, 1, 1),
        )  # fmt: skip
        with pytest.raises(NotYours):
            standards.add(session, place.stranger, place.product, code="x", title="x", kind="base")
        assert [r.code for r in standards.of_product(session, INSPECTOR, place.product)] == [
            "TCCS 02",
            "TCCS 01",
        ]
        assert old.replaced_on == dt.date(2026, 1, 1)
        old_id, new_id = old.id, new.id
    key = plan(place)
    with place.store.writing() as session:
        row = inspections.begin(session, INSPECTOR, key, today=TODAY)
        codes = {p.code for p in inspections.points(row)}
        assert f"standard:{new_id}" in codes and f"standard:{old_id}" not in codes
        assert set(inspections.general_points()) <= codes
        assert any(code.startswith("criterion:") for code in codes)


def test_a_sample_has_a_number_a_chain_and_one_result(place: Place) -> None:
    key = plan(place)
    with place.store.writing() as session:
        inspections.begin(session, INSPECTOR, key, today=TODAY)
        numbers = [
            findings.take_sample(
                session, INSPECTOR, key, what="Tôm khô", quantity="500 g", seal=s, today=TODAY
            )
            for s in ("N1", "N2")
        ]
        assert all(re.fullmatch(r"MKT-2026-\d{4}", n) for n in numbers) and numbers[0] < numbers[1]
        row = inspections.check(
            session,
            INSPECTOR,
            key,
            {p.code: ("kept", "") for p in inspections.points(session.get_one(Inspection, key))},
        )
        inspections.sign(
            session, INSPECTOR, key, conclusion="Đạt", inspector_side="A", producer_side="B", today=TODAY
        )
        day = dt.date(2026, 6, 3)
        findings.hand_on(session, INSPECTOR, key, numbers[0], holder="Phòng kiểm nghiệm", note="", day=day)
        with pytest.raises(InspectionError, match="trước lần giao trước"):
            findings.hand_on(session, INSPECTOR, key, numbers[0], holder="X", note="", day=TODAY)
        result = {"laboratory": "PKN", "report_number": "7", "conforms": False, "text": "Vi sinh", "day": day}
        findings.enter_result(session, INSPECTOR, key, numbers[0], **result)  # type: ignore[arg-type]
        with pytest.raises(InspectionError, match="đã có kết quả"):
            findings.enter_result(session, INSPECTOR, key, numbers[0], **result)  # type: ignore[arg-type]
        findings.add(
            session, INSPECTOR, key, severity="major", text="Vi sinh vượt", action="Thu hồi lô", due_on=day
        )
        assert row.state == "visited", "a bad sample opens the visit again"
    with place.store.reading() as session:
        kept = findings.sample_of(session.get_one(Inspection, key), numbers[0])
        assert [c["holder"] for c in kept["custody"]] == ["Thanh tra Minh Hoạ", "Phòng kiểm nghiệm"]
        assert kept["result"]["conforms"] is False


def test_people_see_and_do_only_what_is_theirs(place: Place) -> None:
    hidden = plan(place, kind="ad_hoc")
    with place.store.reading() as session:
        assert not inspections.all_of(session, place.producer), "an unannounced visit stays unannounced"
        assert [r.id for r in inspections.all_of(session, place.commune)] == [hidden]
        assert not inspections.all_of(session, place.stranger)
        assert not inspections.all_of(session, Actor(role=Role.COUNCIL_MEMBER, account_id=1))
        with pytest.raises(NotYours):
            inspections.inspection_seen(session, place.stranger, hidden)
    for actor in (place.producer, place.commune, Actor(role=Role.PLANNER), Actor(role=Role.COUNCIL_MEMBER)):
        with place.store.writing() as session, pytest.raises(NotYours):
            inspections.begin(session, actor, hidden, today=TODAY)
    with place.store.writing() as session, pytest.raises(InspectionError, match="chưa làm xong"):
        inspections.plan(
            session, INSPECTOR, [place.product], year=2026, planned_on=TODAY, today=TODAY, kind="periodic"
        )


def test_a_proposal_to_revoke_needs_signed_minutes(place: Place) -> None:
    key = plan(place)
    with place.store.writing() as session, pytest.raises(InspectionError):
        inspections.propose_revocation(session, INSPECTOR, key, reason="b", text="x")
    with place.store.writing() as session:
        inspections.cancel(session, INSPECTOR, key, reason="đổi lịch")
    key = visit(place)
    with place.store.writing() as session:
        row = inspections.propose_revocation(session, INSPECTOR, key, reason="b", text="Không còn đạt")
        assert inspections.minutes_of(row)["proposal"]["reason"] == "b"


def test_the_minutes_open_as_word_and_pdf(place: Place) -> None:
    key = visit(place)
    with place.store.reading() as session:
        row = session.get_one(Inspection, key)
        made = sheets.minutes(row, province="UBND Tỉnh Minh Hoạ", place="Minh Hoạ", demo=True)
        for text in (word_text(to_docx(made)), pdf_text(to_pdf(made))):
            assert (row.minutes_number or "?") in text and "Thiếu tem truy xuất" in text and "Dán tem" in text
            assert "đại diện cơ sở" in text.lower() and "đại diện đoàn kiểm tra" in text.lower()


def test_the_pages_carry_a_visit_from_plan_to_verified_answer(
    place: Place, signed_in: Callable[..., FlaskClient]
) -> None:
    inspector = signed_in("inspector")
    producer = signed_in("producer", producer_id=place.producer.producer_id)
    index = "/programme/inspections"
    planned = {"product": place.product, "year": 2026, "kind": "periodic", "planned_on": "2026-06-01"}
    assert send(producer, index, planned, page="/programme/new").status_code == 404
    assert send(inspector, index, planned).status_code == 303
    with place.store.reading() as session:
        row = session.scalars(sa.select(Inspection)).one()
        here = f"{index}/{row.id}"
    assert send(inspector, f"{here}/begin", {}, page=here).status_code == 303
    with place.store.reading() as session:
        points = inspections.points(session.get_one(Inspection, row.id))
    picture = (io.BytesIO(b"\xff\xd8\xff minh hoa"), "anh.jpg")
    answers = {f"a:{p.code}": "kept" for p in points} | {"photo": picture, "photo_of": "label"}
    assert send(inspector, f"{here}/checklist", answers, page=here).status_code == 303
    shown = inspector.get(here).get_data(as_text=True)
    photo = re.search(rf"{here}/photos/\w+", shown)
    assert photo is not None and inspector.get(photo[0]).data.startswith(b"\xff\xd8\xff")
    stale = {"conclusion": "Giữ lại", "inspector_side": "A", "producer_side": "B", "version": 1}
    refused = send(inspector, f"{here}/sign", stale, page=here)
    assert refused.status_code == 409 and "Giữ lại" in refused.get_data(as_text=True)
    fault = {"severity": "minor", "text": "Sổ ghi chậm"}
    sample = {"what": "Tôm", "quantity": "1 kg"}
    assert send(inspector, f"{here}/findings", fault, page=here).status_code == 303
    assert send(inspector, f"{here}/samples", sample, page=here).status_code == 303
    with place.store.reading() as session:
        current = session.get_one(Inspection, row.id)
        number, version, finding = current.samples[0]["number"], current.version, current.findings[0].id
    handed = {"holder": "Phòng kiểm nghiệm"}
    assert send(inspector, f"{here}/samples/{number}/handover", handed, page=here).status_code == 303
    result = {"laboratory": "PKN", "report_number": "7", "conforms": "yes"}
    assert send(inspector, f"{here}/samples/{number}/result", result, page=here).status_code == 303
    signed = {**stale, "version": version + 2}
    assert send(inspector, f"{here}/sign", signed, page=here).status_code == 303
    for form in ("pdf", "docx"):
        assert producer.get(f"{here}/minutes.{form}").status_code == 200
    seen = producer.get(here).get_data(as_text=True)
    assert "Sổ ghi chậm" in seen and "Vì sao kiểm tra" not in seen
    answered = {"answer": "Đã ghi bổ sung"}
    assert send(producer, f"{here}/findings/{finding}/answer", answered, page=here).status_code == 303
    assert send(producer, f"{here}/findings/{finding}/accept", {}, page=here).status_code == 404
    assert send(inspector, f"{here}/findings/{finding}/accept", {}, page=here).status_code == 303
    standard = {"code": "TCCS 09", "title": "Tôm khô", "kind": "base"}
    address = f"/programme/products/{place.product}/standards"
    assert send(producer, address, standard).status_code == 303
    assert "TCCS 09" in producer.get(address).get_data(as_text=True)
    with place.store.reading() as session:
        assert session.get_one(Inspection, row.id).state == "closed"


def test_visits_and_faults_wait_in_the_queue_of_whoever_is_to_act(place: Place) -> None:
    def waiting(actor: Actor) -> list[tuple[str, int, str]]:
        with place.store.reading() as session:
            return [(t.kind, t.row_id, t.status) for t in worklist.tasks(session, actor, TODAY)]

    key = plan(place)
    assert ("inspection", key, "planned") in waiting(INSPECTOR)
    assert ("inspection", key, "planned") not in waiting(place.producer)
    with place.store.writing() as session:
        session.execute(sa.delete(Inspection))
    key = visit(place)
    assert ("finding", key, "to_answer") in waiting(place.producer)
    assert not [t for t in waiting(INSPECTOR) if t[:2] == ("finding", key)]
    with place.store.writing() as session:
        (finding,) = inspections.inspection_seen(session, INSPECTOR, key).findings
        findings.answer(session, place.producer, finding.id, text="Đã dán tem", done_on=TODAY, today=TODAY)
    assert ("finding", key, "to_verify") in waiting(INSPECTOR)
    assert not [t for t in waiting(place.producer) if t[:2] == ("finding", key)]
