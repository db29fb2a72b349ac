"""The demonstration's programme: whole, consistent with the products, by the real rules."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter

import pytest
import sqlalchemy as sa

from data import codes, migrate
from data.accounts import SYSTEM
from data.demo.build import build
from data.demo.ledger import AS_OF
from data.integrity import Verdict, look_over
from data.products import Product
from data.programme import ballots, certificates, councils, criteria, dossiers, participations, scoring
from data.programme.cycle import cycle
from data.programme.tables import (
    AgendaItem,
    BallotPaper,
    Certificate,
    Council,
    CouncilMember,
    CouncilSession,
    CycleStep,
    Dossier,
    Finding,
    Inspection,
    NumberSeries,
    Participation,
    Receipt,
    Reminder,
    Round,
)
from data.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Store(f"gpkg:///{tmp_path_factory.mktemp('programme')}/province.gpkg")
    migrate.upgrade(opened)
    build(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def session(store):
    with store.reading() as session:
        yield session


def rows(session, model):
    return list(session.scalars(sa.select(model).order_by(model.id)))


def test_every_certified_product_has_a_certificate_that_says_the_same(session):
    ended = {"revoked", "replaced"}
    current = {
        c.product_id: c for c in rows(session, Certificate) if certificates.state_of(c, AS_OF) not in ended
    }
    certified = [p for p in rows(session, Product) if p.certificate_number]
    assert set(current) == {p.id for p in certified}
    for product in certified:
        facts = certificates.product_facts(current[product.id])
        assert {name: getattr(product, name) for name in facts} == facts
    numbers = [c.number for c in rows(session, Certificate)]
    assert len(set(numbers)) == len(numbers)


def test_certificates_show_every_state_that_can_be(session):
    found = Counter(certificates.state_of(c, AS_OF) for c in rows(session, Certificate))
    assert {"in_force", "expiring", "late", "expired", "replaced", "revoked"} <= set(found)
    revoked = [c for c in rows(session, Certificate) if c.revoked_on]
    assert all(c.product.certificate_number is None and c.product.stars is None for c in revoked)
    assert {c.revocation_reason for c in revoked} <= set(codes.code_list("revocation_reason"))
    for reminder in rows(session, Reminder):
        certificate = session.get_one(Certificate, reminder.certificate_id)
        assert reminder.sent_at.date() <= AS_OF < certificate.expires_on


def test_products_stand_at_every_status_of_the_cycle(session):
    taking_part = rows(session, Participation)
    assert {p.status for p in taking_part} == set(cycle().statuses)
    assert {p.year for p in taking_part} == {2026}
    for row in taking_part:
        known = {(t.start, t.to) for t in cycle().transitions}
        moves = [(c.from_status, c.to_status) for c in row.changes]
        assert set(moves) <= known, moves
        assert row.changes[-1].to_status == row.status
        days = [c.at.date() for c in row.changes]
        assert days == sorted(days) and days[-1] <= AS_OF
        assert (row.producer_id, row.commune_id) == (row.product.producer_id, row.product.commune_id)
        assert row.product.status == "published"


def test_the_six_steps_are_planned_and_some_are_late(session):
    steps = rows(session, CycleStep)
    assert Counter(s.step for s in steps) == dict.fromkeys(range(1, 7), len(rows(session, Participation)))
    assert all(s.actual_to is None or s.actual_from <= s.actual_to for s in steps)
    late = participations.overdue(session, SYSTEM, AS_OF)
    assert 5 <= len(late) <= 25
    by_sql = set(session.scalars(sa.select(Participation.id).where(participations.is_late(AS_OF))))
    assert by_sql == {entry.participation.id for entry in late}


def test_some_products_stay_out_so_that_the_cycle_can_be_tried(session):
    inside = sa.select(Participation.product_id)
    free = sa.select(Product.id).where(
        Product.stars.is_(None), Product.status == "published", Product.id.not_in(inside)
    )
    assert len(session.scalars(free).all()) >= 5


def test_dossiers_that_were_handed_in_are_complete_and_frozen(session):
    submitted = [d for d in rows(session, Dossier) if d.submitted_on]
    assert len(submitted) >= 25
    assert {d.kind for d in rows(session, Dossier)} == set(dossiers.KINDS)
    for dossier in submitted:
        open_items = [r for r in dossier.returns if r.settled_at is None]
        lacking = [
            item for item in dossiers.missing(session, dossier, AS_OF) if not str(item).startswith("trả lời")
        ]
        assert lacking == [], (dossier.id, lacking)
        assert bool(open_items) == dossier.participation.status.startswith(("returned_by_c", "returned_by_p"))
        assert [v.number for v in dossier.versions] == list(range(1, len(dossier.versions) + 1))
        assert all(v.sha256 == dossiers.digest(json.loads(json.dumps(v.document))) for v in dossier.versions)
        assert dossier.edition == criteria.edition_at(dossier.submitted_on).edition
        assert dossiers.expected(session, dossier).stars >= 3


def test_numbers_of_receipts_follow_the_pattern_and_the_series_go_on_after_them(session):
    last: Counter[str] = Counter()
    for receipt in rows(session, Receipt):
        found = re.fullmatch(r"(\d{3})-([XT])/PĐK-(96)-(\d+)-(2026)", receipt.number)
        assert found, receipt.number
        number, letter, *rest = found.groups()
        series = f"PĐK-{letter}-{'-'.join(rest)}"
        last[series] = max(last[series], int(number))
    kept = {row.series: row.last for row in rows(session, NumberSeries) if row.series.startswith("PĐK")}
    assert kept == dict(last)


def test_the_council_is_composed_by_the_rule_and_judged_with_nine_ballots_each(session):
    (council,) = rows(session, Council)
    assert councils.faults(council) == [] and len(councils.voters(council)) == 9
    assert sorted(s.state for s in rows(session, CouncilSession)) == ["closed", "planned"]
    closed = [i for i in rows(session, AgendaItem) if i.state == "closed"]
    assert len(closed) >= 8
    for item in closed:
        papers = ballots.submitted(item)
        assert len(papers) == 9 and ballots.awaited(session, item) == []
        result = ballots.result_of(session, item)
        assert result.spread <= 10 and (result.stars, float(result.average)) == (
            item.result["stars"],
            item.result["average"],
        )
        assert all(not marks.missing for marks in result.marks)
    for paper in rows(session, BallotPaper):
        one = dossiers.product_set(session, paper.item.dossier)
        assert paper.total == scoring.mark(one, scoring.Ballot(paper.choices)).total
        assert len({one.criteria[c].options[k].case_key for c, k in paper.choices.items()} - {None}) <= 1


def test_what_the_council_found_is_what_became_of_the_product(session):
    for item in rows(session, AgendaItem):
        status = item.dossier.participation.status
        if item.state != "closed":
            assert status == "awaiting_council"
        elif status in ("recognised", "promotion"):
            certificate = session.scalars(
                sa.select(Certificate).where(Certificate.dossier_id == item.dossier_id)
            ).one()
            assert certificate.stars == item.result["stars"] == item.dossier.product.stars
            assert certificate.points == item.result["average"]
        elif status == "rejected":
            assert item.result["rejected"]
        elif status == "not_reached":
            assert item.result["stars"] < 3
        elif "ministry" in status:
            assert item.result["stars"] == 5


def test_rounds_have_the_dates_of_the_law(session):
    found = {(r.year, r.number): (r.receive_before, r.decide_before) for r in rows(session, Round)}
    assert set(found) == {(2025, 1), (2025, 2), (2026, 1), (2026, 2)}
    assert found[2026, 2] == (dt.date(2026, 10, 30), dt.date(2026, 12, 30))


def test_inspections_name_known_kinds_and_states_and_findings_have_actions(session):
    found = rows(session, Inspection)
    assert {i.state for i in found} == {"planned", "visited", "closed"}
    assert {i.kind for i in found} <= set(codes.code_list("inspection_kind"))
    for fault in rows(session, Finding):
        assert fault.severity in codes.code_list("finding_severity")
        assert fault.action and fault.due_on
    for row in found:
        open_faults = [f for f in row.findings if f.verified_on is None]
        assert bool(open_faults) == (row.state == "visited")


def test_everything_is_made_up_and_says_so(session):
    for member in rows(session, CouncilMember):
        assert "Ví Dụ" in member.name and member.account_id is None
    for model in (Round, Participation, Dossier, Council, Certificate, Inspection):
        assert {row.source for row in rows(session, model)} == {"dữ liệu minh hoạ"}


def test_the_check_of_the_record_finds_nothing_wrong(store):
    assert [f for f in look_over(store) if f.verdict == Verdict.ERROR] == []


@pytest.mark.parametrize(
    ("subject", "check", "change"),
    [
        ("certificates", "khớp với sản phẩm", "UPDATE products SET stars = 5 WHERE stars = 3"),
        (
            "dossier_versions",
            "mã băm của bản nộp",
            "UPDATE dossier_versions SET document = '{}' WHERE id = 1",
        ),
        ("ballot_papers", "mã băm của phiếu", "UPDATE ballot_papers SET choices = '{}' WHERE id = 1"),
        ("agenda_items", "kết quả tính lại", "UPDATE ballot_papers SET choices = '{}' WHERE item_id = 1"),
        ("agenda_items", "đủ phiếu", "DELETE FROM ballot_papers WHERE id = 1"),
    ],
)
def test_the_check_of_the_record_notices_what_was_tampered_with(store, tmp_path, subject, check, change):
    import shutil

    copy = shutil.copy(store.path, tmp_path / "copy.gpkg")
    young = Store(f"gpkg:///{copy}")
    with young.writing() as session:
        session.execute(sa.text(change))
    found = {(f.subject, f.check): f.verdict for f in look_over(young)}
    young.dispose()
    assert found[subject, check] == Verdict.ERROR
