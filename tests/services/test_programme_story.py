"""The administrative heart: from an idea to a certificate, and the ways on which it fails."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from data.accounts import Actor, Role
from data.products import Product
from data.programme import ballots, certificates, councils, dossiers, participations, receiving, revisions
from data.programme.ballots import BallotRefused
from data.programme.certificates import CertificateError, CertificateState
from data.programme.councils import CouncilError, QuorumMissing
from data.programme.criteria import CriteriaError
from data.programme.dossiers import DossierError, Incomplete
from data.programme.rights import NotYours
from data.programme.tables import AgendaItem, BallotPaper, Certificate, Dossier, DossierVersion, Participation
from data.store import Store
from layers import catalogue
from layers.edit import editing
from tests.services import programme as play
from tests.services.programme import TODAY, Cast


@pytest.fixture
def people(demo_store: Store) -> Cast:
    return play.cast(demo_store)


def status(people: Cast, dossier_id: int) -> str:
    with people.store.reading() as session:
        return session.get_one(Dossier, dossier_id).participation.status


def recognise(people: Cast, dossier_id: int, day: dt.date = dt.date(2026, 6, 30)) -> int:
    """Decide on a scored dossier, through the one edit path for what the product shows."""
    layer = catalogue.layer("products")
    with editing(people.store, people.province, "programme") as edits:
        certificate, facts = certificates.decide(
            edits.session, people.province, dossier_id, decision_number="200/QĐ-UBND", decision_date=day,
            issued_by="UBND tỉnh (minh hoạ)", number=f"01/GCN-{day.year}-{dossier_id}",
        )  # fmt: skip
        edits.update(layer, certificate.product_id, {}, decided=facts)
        return certificate.id


def four_stars(people: Cast) -> tuple[int, int]:
    """Play until the certificate; return dossier and certificate."""
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    # Without an international market (4.1) the ceiling is four stars.
    choices = play.best_choices("2026", 8, c4_1=2)
    for member in members:
        play.vote(people, member, item, choices)
    with people.store.writing() as session:
        closed = ballots.close_item(session, people.province, item)
        assert closed.result is not None
        assert (closed.result["average"], closed.result["ceiling"], closed.result["stars"]) == (98, 4, 4)
        assert [b["criterion"] for b in closed.result["blockers"]] == ["4.1"]
    return dossier_id, recognise(people, dossier_id)


# ---- the good story


def test_an_idea_becomes_a_certificate_of_four_stars_that_the_map_shows(people: Cast) -> None:
    dossier_id, certificate_id = four_stars(people)
    assert status(people, dossier_id) == "recognised"
    with people.store.reading() as session:
        certificate = session.get_one(Certificate, certificate_id)
        assert certificate.expires_on == dt.date(2029, 6, 30)
        product = session.get_one(Product, people.product_id)
        assert (product.stars, product.decision_number) == (4, "200/QĐ-UBND")
        row = session.scalars(
            sa.select(Participation).where(Participation.product_id == people.product_id)
        ).one()
        assert [c.to_status for c in row.changes] == [
            "idea", "plan", "carrying_out", "preparing", "at_commune", "proposed", "received", "advisory",
            "awaiting_council", "scored", "recognised",
        ]  # fmt: skip


def test_numbers_follow_the_pattern_of_the_form_and_never_come_twice(people: Cast) -> None:
    dossier_id = play.to_council(people)
    with people.store.writing() as session:
        dossier = session.get_one(Dossier, dossier_id)
        numbers = [r.number for r in dossier.receipts]
        province, commune = numbers[0].split("PĐK-")[1].split("-")[:2]
        assert numbers == [f"001-X/PĐK-{province}-{commune}-2026", f"001-T/PĐK-{province}-{commune}-2026"]
        assert receiving.next_number(session, f"PĐK-X-{province}-{commune}-2026") == 2
        assert dossier.checks[0].contents["product_number"] == f"{province}-{commune}-01-2026"


def test_the_commune_has_15_working_days(people: Cast) -> None:
    dossier_id = play.to_commune(people, today=dt.date(2026, 5, 25))
    with people.store.reading() as session:
        assert session.get_one(Dossier, dossier_id).participation.due_on == dt.date(2026, 6, 15)


def test_a_dossier_too_late_for_a_round_goes_to_the_next(people: Cast) -> None:
    dossier_id = play.to_council(people)
    with people.store.reading() as session:
        row = session.get_one(Dossier, dossier_id).participation
        assert row.round_id is not None and row.due_on == dt.date(2026, 12, 30)


def test_what_was_submitted_is_frozen_and_known_by_its_hash(people: Cast) -> None:
    dossier_id = play.to_commune(people)
    with pytest.raises(DossierError, match="đã nộp"), people.store.writing() as session:
        dossiers.save(session, people.producer, dossier_id, forms={"plan": "Sửa sau khi nộp"})
    with people.store.writing() as session:
        receiving.send_back(session, people.commune, dossier_id, "commune", [("1.1", "Thiếu hợp đồng")])
    with pytest.raises(Incomplete, match="Thiếu hợp đồng"), people.store.writing() as session:
        dossiers.submit(session, people.producer, dossier_id, TODAY)
    with people.store.writing() as session:
        item = session.get_one(Dossier, dossier_id).returns[0]
        dossiers.answer_return(session, people.producer, item.id, "Đã bổ sung")
        dossiers.save(session, people.producer, dossier_id, forms={"plan": "Kế hoạch mới"})
        dossiers.submit(session, people.producer, dossier_id, TODAY)
    with people.store.reading() as session:
        query = sa.select(DossierVersion).where(DossierVersion.dossier_id == dossier_id)
        first, second = session.scalars(query.order_by(DossierVersion.number))
        assert (first.document["forms"]["plan"], second.document["forms"]["plan"]) == (
            "Mở rộng.",
            "Kế hoạch mới",
        )
        assert first.sha256 == dossiers.digest(first.document) != second.sha256


# ---- the sad stories


def test_an_incomplete_dossier_names_everything_that_is_missing(people: Cast) -> None:
    with people.store.writing() as session:
        row = participations.register(session, people.producer, people.product_id, 2026)
        participations.move(session, people.producer, row.id, "preparing")
        key = dossiers.open_dossier(session, people.producer, row.id, "first", 8, TODAY).id
    with pytest.raises(Incomplete) as refused, people.store.writing() as session:
        dossiers.submit(session, people.producer, key, TODAY)
    assert "Giấy chứng nhận đăng ký kinh doanh" in refused.value.items
    assert any("1.1" in item for item in refused.value.items)
    assert status(people, key) == "preparing"


def test_a_meeting_of_six_of_nine_has_no_quorum(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, _members = play.seat_council(people)
    with pytest.raises(QuorumMissing, match="75"):
        play.open_meeting(people, council_id, dossier_id, present=6)
    play.open_meeting(people, council_id, dossier_id, present=7)


def test_a_council_without_a_required_agency_does_not_meet(people: Cast) -> None:
    dossier_id = play.to_council(people)
    seats = [s for s in play.SEATS if s[0] != "Sở Y tế"]
    council_id, _members = play.seat_council(people, seats)
    with pytest.raises(CouncilError, match="Sở Y tế"):
        play.open_meeting(people, council_id, dossier_id)


def test_a_spread_over_ten_points_needs_a_discussion_and_a_second_ballot(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    high = play.best_choices("2026", 8)
    low = {**high, "4.3": 0, "4.2": 0, "5.3": 1}
    for member in members[:-1]:
        play.vote(people, member, item, high)
    play.vote(people, members[-1], item, low)
    with pytest.raises(CouncilError, match="chênh 12"), people.store.writing() as session:
        ballots.close_item(session, people.province, item)
    with pytest.raises(CouncilError, match="thảo luận"), people.store.writing() as session:
        ballots.second_turn(session, people.province, item, " ")
    with people.store.writing() as session:
        ballots.second_turn(session, people.province, item, "Thống nhất về phân phối.")
    for member in members:
        with people.store.writing() as session:
            ballots.save(session, member, item, choices=high)
            ballots.submit(session, member, item)
    with people.store.writing() as session:
        assert (ballots.close_item(session, people.province, item).result or {})["spread"] == 0
    with people.store.reading() as session:
        assert len(session.scalars(sa.select(BallotPaper).where(BallotPaper.item_id == item)).all()) == 18


def test_a_member_with_an_interest_does_not_judge(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    seats = play.seat_ids(people, council_id)
    with pytest.raises(CouncilError, match="chính mình"), people.store.writing() as session:
        councils.declare_conflict(session, members[1], seats[0], dossier_id, "người nhà")
    with people.store.writing() as session:
        councils.declare_conflict(session, members[0], seats[0], dossier_id, "người nhà")
    with pytest.raises(BallotRefused, match="xung đột"):
        play.vote(people, members[0], item, play.best_choices("2026", 8))
    for member in members[1:]:
        play.vote(people, member, item, play.best_choices("2026", 8))
    with people.store.writing() as session:
        assert len((ballots.close_item(session, people.province, item).result or {})["ballots"]) == 8


def test_a_submitted_ballot_changes_only_after_it_was_reopened_with_a_reason(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    choices = play.best_choices("2026", 8)
    play.vote(people, members[0], item, choices)
    with pytest.raises(BallotRefused, match="đã nộp"), people.store.writing() as session:
        ballots.save(session, members[0], item, choices={"1.1": 0})
    with people.store.reading() as session:
        ballot = session.scalars(sa.select(BallotPaper).where(BallotPaper.item_id == item)).one()
        key, frozen = ballot.id, ballot.sha256
    for actor, reason in ((members[0], "nhầm"), (people.province, " ")):
        with pytest.raises(CouncilError), people.store.writing() as session:
            ballots.reopen(session, actor, key, reason)
    with people.store.writing() as session:
        ballots.reopen(session, people.province, key, "chọn nhầm dòng")
        ballots.save(session, members[0], item, choices={"1.1": 0})
        assert ballots.submit(session, members[0], item).sha256 != frozen


def test_a_ballot_with_open_criteria_is_not_taken(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    with people.store.writing() as session:
        ballots.save(session, members[0], item, choices={"1.1": 0})
    with pytest.raises(BallotRefused, match="chưa chấm"), people.store.writing() as session:
        ballots.submit(session, members[0], item)


def test_a_majority_of_knock_outs_rejects_the_dossier(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    choices = play.best_choices("2026", 8)
    for member in members:
        with people.store.writing() as session:
            ballots.save(session, member, item, choices=choices, rejected=["1.1"])
            ballots.submit(session, member, item)
    with people.store.writing() as session:
        assert (ballots.close_item(session, people.province, item).result or {})["stars"] == 0
    with pytest.raises(CertificateError):
        recognise(people, dossier_id)
    with people.store.writing() as session:
        certificates.decline(session, people.province, dossier_id)
    assert status(people, dossier_id) == "rejected"


def test_two_stars_get_no_certificate(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    weak = {**play.best_choices("2026", 8), "9": 0, "8": 0, "2.3": 0, "4.1": 0}
    for member in members:
        play.vote(people, member, item, weak)
    with people.store.writing() as session:
        closed = ballots.close_item(session, people.province, item)
        assert (closed.result or {})["stars"] == 2
    with pytest.raises(CertificateError, match="từ 3 sao"):
        recognise(people, dossier_id)


def test_five_stars_are_the_ministrys(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    for member in members:
        play.vote(people, member, item, play.best_choices("2026", 8))
    with people.store.writing() as session:
        assert (ballots.close_item(session, people.province, item).result or {})["stars"] == 5
    with pytest.raises(CertificateError, match="Bộ công nhận"):
        recognise(people, dossier_id)
    with people.store.writing() as session:
        certificates.send_to_ministry(session, people.province, dossier_id)
        key = session.get_one(Dossier, dossier_id).participation_id
        participations.move(session, people.province, key, "at_ministry")
    recognise(people, dossier_id)
    assert status(people, dossier_id) == "recognised_national"


# ---- after the decision


def test_a_revoked_certificate_leaves_the_product_at_once(people: Cast) -> None:
    _dossier, certificate_id = four_stars(people)
    layer = catalogue.layer("products")
    today = dt.date(2026, 9, 1)
    with pytest.raises(CertificateError, match="Điều 8"), people.store.writing() as session:
        certificates.revoke(
            session,
            people.province,
            certificate_id,
            reason="x",
            note="?",
            decision="1",
            concluded_on=today,
            today=today,
        )
    with editing(people.store, people.province, "programme") as edits:
        certificate, facts, in_time = certificates.revoke(
            edits.session, people.province, certificate_id, reason="d", note="Dùng sai nhãn", decision="300/QĐ-UBND",
            concluded_on=today - dt.timedelta(days=16), today=today,
        )  # fmt: skip
        edits.update(layer, certificate.product_id, {}, decided=facts)
        assert not in_time
    with people.store.reading() as session:
        product = session.get_one(Product, people.product_id)
        assert (product.stars, product.certificate_number, product.expires_on) == (None, None, None)
        assert (
            certificates.state_of(session.get_one(Certificate, certificate_id), today)
            == CertificateState.REVOKED
        )


@pytest.mark.parametrize(
    ("days_left", "state"),
    [
        (181, CertificateState.IN_FORCE),
        (180, CertificateState.EXPIRING),
        (120, CertificateState.EXPIRING),
        (119, CertificateState.LATE),
        (0, CertificateState.LATE),
        (-1, CertificateState.EXPIRED),
    ],
)
def test_a_certificate_ages_by_the_decree(days_left: int, state: CertificateState) -> None:
    today = dt.date(2026, 6, 1)
    certificate = Certificate(expires_on=today + dt.timedelta(days=days_left))
    assert certificates.state_of(certificate, today) == state


def test_a_re_evaluation_is_taken_from_180_days_before_the_end(people: Cast) -> None:
    _dossier, certificate_id = four_stars(people)
    with people.store.reading() as session:
        end = session.get_one(Certificate, certificate_id).expires_on
    too_early, first_day = end - dt.timedelta(days=181), end - dt.timedelta(days=180)
    with people.store.writing() as session:
        row = participations.register(session, people.producer, people.product_id, first_day.year)
        participations.move(session, people.producer, row.id, "preparing")
        key = row.id
    with pytest.raises(DossierError, match="nộp được từ"), people.store.writing() as session:
        dossiers.open_dossier(session, people.producer, key, "re_evaluation", 8, too_early)
    with people.store.writing() as session:
        dossiers.open_dossier(session, people.producer, key, "re_evaluation", 8, first_day)
    assert not dossiers.is_late_for_re_evaluation(end, end - dt.timedelta(days=120))
    assert dossiers.is_late_for_re_evaluation(end, end - dt.timedelta(days=119))


def test_reminders_come_at_180_120_and_30_days_and_once_each(people: Cast) -> None:
    _dossier, certificate_id = four_stars(people)
    with people.store.reading() as session:
        end = session.get_one(Certificate, certificate_id).expires_on
    sent = []
    for left in (181, 180, 150, 120, 31, 30, 29):
        with people.store.writing() as session:
            due = certificates.due_reminders(session, end - dt.timedelta(days=left))
            own = [d for d in due if d.certificate.id == certificate_id]
            certificates.note_reminders(session, people.province, own)
            sent += [(left, d.days_before) for d in own]
    assert sent == [(180, 180), (120, 120), (30, 30)]


# ---- editions


def test_a_corrected_revision_leaves_dossiers_that_began_before_alone(people: Cast) -> None:
    dossier_id = play.to_commune(people)
    administrator = Actor(role=Role.ADMINISTRATOR, name="Quản trị")
    import json
    from importlib import resources

    law = json.loads((resources.files("data") / "reference/criteria/2026.json").read_text())
    document = next(s for s in law["sets"] if s["number"] == 8)
    document["name"] = "Đã đính chính"
    for actor, reason, said in ((people.province, "sửa", "quản trị"), (administrator, " ", "lý do")):
        with pytest.raises(CriteriaError, match=said), people.store.writing() as session:
            revisions.publish(session, actor, "2026", document, reason, TODAY)
    broken = json.loads(json.dumps(document))
    broken["parts"][0]["max"] = 41
    with pytest.raises(CriteriaError, match="101"), people.store.writing() as session:
        revisions.publish(session, administrator, "2026", broken, "sửa", TODAY)
    with people.store.writing() as session:
        assert revisions.publish(session, administrator, "2026", document, "sửa tên", TODAY).revision == 1
    with people.store.reading() as session:
        old = session.get_one(Dossier, dossier_id)
        assert dossiers.product_set(session, old).name != "Đã đính chính"
        assert (
            revisions.product_set(session, "2026", 8, revisions.latest(session, "2026", 8)).name
            == "Đã đính chính"
        )


# ---- together


def test_two_members_submitting_in_the_same_second_lose_and_double_nothing(people: Cast) -> None:
    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, dossier_id)
    choices = play.best_choices("2026", 8)
    gate = threading.Barrier(len(members) * 2)
    failed: list[Exception] = []

    def act(member: Actor) -> None:
        gate.wait()
        try:
            play.vote(people, member, item, choices)
        except BallotRefused:
            pass  # The other device of the same member was first.
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=(m,)) for m in members for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with people.store.reading() as session:
        papers = session.scalars(sa.select(BallotPaper).where(BallotPaper.item_id == item)).all()
        assert len(papers) == len(members)
        assert {p.state for p in papers} == {"submitted"}


@pytest.mark.parametrize("role", list(Role))
def test_who_may_do_what_with_somebody_elses_dossier(people: Cast, role: Role) -> None:
    """Every role from elsewhere is refused every act; the province's own may act everywhere."""
    dossier_id = play.to_commune(people)
    stranger = Actor(role=role, commune_id=999_999, district_id=999_999, producer_id=999_999)
    acts = {
        "return": lambda s: receiving.send_back(s, stranger, dossier_id, "commune", [(None, "Thiếu")]),
        "check": lambda s: receiving.check_contents(s, stranger, dossier_id, {"origin": {"met": True}}),
        "receive": lambda s: receiving.receive(s, stranger, dossier_id, "commune", TODAY),
        "save": lambda s: dossiers.save(s, stranger, dossier_id, forms={"plan": "x"}),
    }
    everywhere = role in (Role.PROVINCE_OFFICER, Role.ADMINISTRATOR)
    for name in ("receive", "check"):
        if everywhere:
            with people.store.writing() as session:
                acts[name](session)
        else:
            with pytest.raises((NotYours, DossierError)), people.store.writing() as session:
                acts[name](session)
    with pytest.raises((NotYours, DossierError)), people.store.writing() as session:
        acts["save"](session)
    if not everywhere:
        with pytest.raises((NotYours, DossierError)), people.store.writing() as session:
            acts["return"](session)
        with pytest.raises(CouncilError), people.store.writing() as session:
            councils.create(
                session,
                stranger,
                name="",
                composition="province-2026",
                decision_number=None,
                decision_date=None,
            )


def test_a_council_member_sees_only_what_is_on_their_agenda(people: Cast) -> None:
    from data.programme import rights

    dossier_id = play.to_council(people)
    council_id, members = play.seat_council(people)
    with people.store.reading() as session, pytest.raises(NotYours):
        rights.row_seen(session, members[0], Dossier, dossier_id)
    item = play.open_meeting(people, council_id, dossier_id)
    with people.store.reading() as session:
        assert rights.row_seen(session, members[0], Dossier, dossier_id).id == dossier_id
        assert session.get_one(AgendaItem, item).dossier_id == dossier_id
