"""Advisory group, rules of a council's regulation, written opinions, and the ministry's level."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data import accounts
from data import people as office
from data.accounts import Account, Actor
from data.products import Product
from data.programme import (
    advice,
    ballots,
    certificates,
    councils,
    criteria,
    ministry,
    rights,
)
from data.programme.ballot_checks import BallotRefused
from data.programme.certificates import CertificateError
from data.programme.councils import CouncilError
from data.programme.tables import (
    AdvisoryReport,
    AgendaItem,
    Certificate,
    Council,
    CouncilSession,
    Dossier,
)
from data.store import Store
from gis.errors import Refusal
from tests.services import programme as play
from tests.services.conftest import PASSWORD
from tests.services.test_programme_pages import send


@pytest.fixture
def people(demo_store: Store) -> play.Cast:
    return play.cast(demo_store)


@pytest.fixture
def enter(app: Any, demo_store: Store) -> Callable[..., FlaskClient]:
    """A browser in which an account is signed in; made where there is none."""

    def make(name: str, role: str = "council_member", **facts: Any) -> FlaskClient:
        with demo_store.reading() as session:
            known = session.scalar(sa.select(Account.id).where(Account.username == name))
        if known is None:
            office.add_person(demo_store, name, role, password=PASSWORD, **facts)
        else:
            with demo_store.writing() as session:
                session.get_one(Account, known).password_hash = accounts.hash_password(PASSWORD)
        client: FlaskClient = app.test_client()
        send(client, "/login", {"username": name, "password": PASSWORD})
        return client

    return make


def adviser(people: play.Cast, name: str = "to-tu-van") -> tuple[int, Actor]:
    """Seat somebody on an advisory group; return the seat and the person."""
    with people.store.writing() as session:
        group = councils.create(
            session, people.province, name="Tổ tư vấn", composition="advisory",
            decision_number="90/QĐ-UBND", decision_date=dt.date(2026, 6, 1),
        )  # fmt: skip
        account = accounts.add_account(session, name, "council_member", password=None)
        member = councils.add_member(
            session, people.province, group.id, name="Chuyên viên", agency="Chi cục", account_id=account.id
        )
        return member.id, account.actor()


def advise(people: play.Cast, key: int, choices: dict[str, int], remarks: dict[str, str]) -> Actor:
    """Give a dossier to an adviser, who writes and finishes a report."""
    seat, actor = adviser(people)
    with people.store.writing() as session:
        row = advice.assign(session, people.province, key, seat)
        advice.save(
            session, actor, row.id, survey="Đã đến xưởng.", remarks=remarks, choices=choices, conclusion="Đủ."
        )
        advice.finish(session, actor, row.id)
    return actor


def set_rules(people: play.Cast, council_id: int, **rules: object) -> None:
    with people.store.writing() as session:
        session.get_one(Council, council_id).rules = rules


# ---- the advisory group


def test_only_the_adviser_who_was_given_a_dossier_sees_it_and_writes(people: play.Cast) -> None:
    key = play.to_council(people)
    seat, actor = adviser(people)
    with people.store.writing() as session:
        other = accounts.add_account(session, "nguoi-khac", "council_member", password=None).actor()
        with pytest.raises(rights.NotYours):
            rights.row_seen(session, actor, Dossier, key)
        with pytest.raises(CouncilError):
            advice.assign(session, actor, key, seat)
        row = advice.assign(session, people.province, key, seat)
        assert advice.assign(session, people.province, key, seat).id == row.id
        assert rights.row_seen(session, actor, Dossier, key).id == key
        with pytest.raises(rights.NotYours):
            rights.row_seen(session, other, Dossier, key)
        for stranger in (other, people.producer, people.commune, people.province):
            with pytest.raises(Refusal):
                advice.save(session, stranger, row.id, survey="không")
        advice.save(session, actor, row.id, survey="Đã khảo sát", choices={"1.1": 0}, remarks={"1.1": "Ít"})
        assert (row.survey, row.choices, row.remarks) == ("Đã khảo sát", {"1.1": 0}, {"1.1": "Ít"})


def test_a_report_is_finished_with_a_conclusion_and_all_test_results_and_then_locked(
    people: play.Cast,
) -> None:
    key = play.to_council(people)
    seat, actor = adviser(people)
    with people.store.writing() as session:
        row = advice.assign(session, people.province, key, seat)
        with pytest.raises(CouncilError, match="kết luận"):
            advice.finish(session, actor, row.id)
        tests = [{"name": "Vi sinh", "asked_on": "2/6/2026"}, {"name": ""}]
        advice.save(session, actor, row.id, conclusion="Đủ", tests=tests)
        with pytest.raises(CouncilError) as refused:
            advice.finish(session, actor, row.id)
        assert refused.value.facts["tests"] == "Vi sinh"
        advice.save(session, actor, row.id, tests=[{**tests[0], "result": "Đạt"}])
        advice.finish(session, actor, row.id)
        with pytest.raises(CouncilError, match="đã hoàn thành"):
            advice.save(session, actor, row.id, survey="thêm")
        advice.reopen(session, people.province, row.id, "Thiếu ảnh")
        advice.save(session, actor, row.id, survey="thêm")


def test_unknown_criteria_and_options_are_refused(people: play.Cast) -> None:
    key = play.to_council(people)
    seat, actor = adviser(people)
    with people.store.writing() as session:
        row = advice.assign(session, people.province, key, seat)
        for wrong in ({"choices": {"1.1": 99}}, {"choices": {"9.99": 0}}, {"remarks": {"9.99": "?"}}):
            with pytest.raises(Refusal):
                advice.save(session, actor, row.id, **wrong)  # type: ignore[arg-type]


def test_departing_from_the_advice_needs_a_note_where_the_regulation_says_so(people: play.Cast) -> None:
    key = play.to_council(people)
    best = play.best_choices("2026", 8)
    one = criteria.edition("2026").set(8).criteria["4.1"]
    low = min(range(len(one.options)), key=lambda n: one.options[n].points)
    advise(people, key, {"4.1": low}, {"4.1": "Chỉ bán trong xã"})
    council_id, members = play.seat_council(people)
    set_rules(people, council_id, show_advice=True, note_over=2)
    item = play.open_meeting(people, council_id, key)
    with people.store.writing() as session:
        ballots.save(session, members[0], item, choices=best)
        with pytest.raises(BallotRefused) as refused:
            ballots.submit(session, members[0], item)
        assert refused.value.facts["codes"] == "4.1"
        ballots.save(session, members[0], item, notes={"4.1": "Có hợp đồng ngoài tỉnh"})
        assert ballots.submit(session, members[0], item).state == "submitted"
        # A member who follows the advice has nothing to explain.
        ballots.save(session, members[1], item, choices={**best, "4.1": low})
        assert ballots.submit(session, members[1], item).state == "submitted"
    with people.store.writing() as session, pytest.raises(CouncilError, match="Chỉ bắt ghi chú"):
        councils.create(
            session, people.province, name="", composition="province-2026", decision_number=None,
            decision_date=None, rules={"note_over": 2},
        )  # fmt: skip


@pytest.mark.parametrize("permitted", [True, False])
def test_advice_and_own_scores_are_hidden_until_submission_unless_permitted(
    people: play.Cast, enter: Callable[..., FlaskClient], permitted: bool
) -> None:
    key = play.to_council(people)
    advise(people, key, {"4.1": 1}, {"4.1": "Chỉ bán trong xã"})
    council_id, members = play.seat_council(people)
    if permitted:
        set_rules(people, council_id, show_advice=True, show_own_scores=True)
    item = play.open_meeting(people, council_id, key)
    client = enter("hoi-dong-1")
    shown = client.get(f"/programme/items/{item}/ballot").get_data(as_text=True)
    assert ("Chỉ bán trong xã" in shown) is permitted
    assert ("Chủ thể tự chấm" in shown) is permitted
    play.vote(people, members[0], item, play.best_choices("2026", 8))
    after = client.get(f"/programme/items/{item}/ballot").get_data(as_text=True)
    assert "Chỉ bán trong xã" in after and "Chủ thể tự chấm" in after


def test_a_report_is_written_on_its_page(people: play.Cast, enter: Callable[..., FlaskClient]) -> None:
    key = play.to_commune(people)
    with people.store.writing() as session:
        session.get_one(Dossier, key).participation.status = "advisory"
    seat, _actor = adviser(people)
    officer = enter("can-bo-tinh", "province_officer")
    dossier = f"/programme/dossiers/{key}"
    assert send(officer, f"{dossier}/advisers", {"member": seat}, page=dossier).status_code == 303
    wrong = send(officer, f"{dossier}/advisers", {"member": 999}, page=dossier)
    assert wrong.status_code == 422 and "thành viên của Tổ tư vấn" in wrong.get_data(as_text=True)
    client = enter("to-tu-van")
    assert "Chuyên viên" in client.get("/programme/advisory").get_data(as_text=True)
    with people.store.reading() as session:
        own = sa.select(AdvisoryReport.id).where(AdvisoryReport.dossier_id == key)
        page = f"/programme/advisory/{session.scalars(own).one()}"
    values = {"survey": "Xưởng sạch", "surveyed_on": "2026-06-15", "c:1.1": "1", "r:1.1": "Có hợp đồng",
              "test_name": ["Kim loại nặng", ""], "test_result": ["", ""], "conclusion": "Đủ điều kiện"}  # fmt: skip
    refused = send(client, page, {**values, "then": "finish"})
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422 and "Kim loại nặng" in text and "Xưởng sạch" in text
    done = send(client, page, {**values, "test_result": ["Đạt", ""], "then": "finish"})
    assert done.status_code == 303
    assert client.get(f"{page}/report.pdf").data.startswith(b"%PDF")
    assert client.get(f"{page}/report.docx").data.startswith(b"PK")
    assert enter("nguoi-la").get(page).status_code == 422


# ---- cases, outliers, comparison


def test_a_tourism_ballot_holds_to_one_case(people: play.Cast) -> None:
    people.set_number = 26
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, key)
    one = criteria.edition("2026").set(26)
    first, second = one.cases
    of_second = next(n for n, o in enumerate(one.criteria["15"].options) if o.case_key == second)
    with people.store.writing() as session:
        ballots.save(session, members[0], item, choices=play.best_choices("2026", 26, c15=of_second))
        with pytest.raises(BallotRefused, match="cùng một trường hợp"):
            ballots.submit(session, members[0], item)
        kept = ballots.save(session, members[0], item, case=second)
        assert "15" in kept.choices and "8" not in kept.choices and "9" not in kept.choices
        kept = ballots.save(session, members[0], item, choices=play.best_choices("2026", 26), case=first)
        assert ballots.submit(session, members[0], item).total == 100 == kept.total


def test_the_outlier_is_told_only_in_the_second_turn(people: play.Cast) -> None:
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    item_id = play.open_meeting(people, council_id, key)
    best = play.best_choices("2026", 8)
    for member in members[:8]:
        play.vote(people, member, item_id, best)
    play.vote(people, members[8], item_id, {**best, "5.1": 0, "2.3": 0, "1.2": 0, "3.5": 0, "4.2": 0})
    with people.store.writing() as session:
        item = session.get_one(AgendaItem, item_id)
        seats = {m.account_id: m for m in councils.voters(item.session.council)}
        assert ballots.outlier(session, item, seats[members[8].account_id]) is None
        ballots.second_turn(session, people.province, item_id, "Đã thảo luận câu chuyện")
        far = ballots.outlier(session, item, seats[members[8].account_id])
        assert far is not None and far[0] < far[1] - 10
        assert ballots.outlier(session, item, seats[members[0].account_id]) is None


def test_members_compare_their_own_ballots_and_the_officer_all(
    people: play.Cast, enter: Callable[..., FlaskClient]
) -> None:
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, key)
    best = play.best_choices("2026", 8)
    play.vote(people, members[0], item, best)
    play.vote(people, members[1], item, {**best, "4.1": 0})
    with people.store.reading() as session:
        meeting = session.get_one(AgendaItem, item).session_id
    address = f"/programme/sessions/{meeting}/compare?a={item}&b={item}"
    assert "<strong>100,00</strong>" in enter("hoi-dong-1").get(address).get_data(as_text=True)
    other = enter("hoi-dong-2").get(address).get_data(as_text=True)
    assert "<strong>100,00</strong>" not in other and "4.1" in other
    assert "trung bình" in enter("can-bo", "province_officer").get(address).get_data(as_text=True)
    assert enter("nguoi-la").get(address).status_code == 422


# ---- written opinions


def re_evaluation(people: play.Cast, *, kind: str = "re_evaluation") -> tuple[int, list[Actor], int]:
    """A dossier of re-evaluation before a council that is asked in writing: (session, members, item)."""
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    with people.store.writing() as session:
        session.get_one(Dossier, key).kind = kind
        session.flush()
        meeting = councils.plan_session(
            session, people.province, council_id, starts_at=dt.datetime(2026, 6, 20, 1, tzinfo=dt.UTC),
            mode="written", dossier_ids=[key],
        )  # fmt: skip
        councils.open_session(session, people.province, meeting.id, [])
        item = session.scalars(sa.select(AgendaItem.id).where(AgendaItem.session_id == meeting.id)).one()
        return meeting.id, members, item


def write(people: play.Cast, member: Actor, item: int, choices: dict[str, int]) -> None:
    with people.store.writing() as session:
        ballots.save(session, member, item, choices=choices, opinion="Đồng ý")
        ballots.submit(session, member, item)


def test_only_re_evaluations_are_decided_in_writing(people: play.Cast) -> None:
    with pytest.raises(CouncilError, match="Chỉ lấy ý kiến"):
        re_evaluation(people, kind="first")


def test_agreeing_written_opinions_are_closed_without_roll_call_or_meeting(people: play.Cast) -> None:
    meeting, members, item = re_evaluation(people)
    best = play.best_choices("2026", 8, c4_1=2)
    with people.store.writing() as session:
        ballots.save(session, members[0], item, choices=best)
        with pytest.raises(BallotRefused, match="ý kiến"):
            ballots.submit(session, members[0], item)
    for member in members[:-1]:
        write(people, member, item, best)
    with people.store.writing() as session, pytest.raises(CouncilError, match="Chưa có phiếu"):
        ballots.close_item(session, people.province, item)
    write(people, members[-1], item, best)
    with people.store.writing() as session:
        row = ballots.close_item(session, people.province, item)
        assert row.result is not None and row.result["stars"] == 4
        with pytest.raises(CouncilError):
            ballots.call_meeting(
                session, people.province, meeting, starts_at=dt.datetime.now(dt.UTC), reason="thử"
            )
        ballots.close_session(session, people.province, meeting, {})


def test_differing_written_opinions_call_for_a_meeting_with_a_second_ballot(
    people: play.Cast, enter: Callable[..., FlaskClient]
) -> None:
    meeting, members, item = re_evaluation(people)
    best = play.best_choices("2026", 8)
    for member in members[:-1]:
        write(people, member, item, {**best, "4.1": 2})
    write(people, members[-1], item, {**best, "2.3": 2})
    with people.store.writing() as session, pytest.raises(CouncilError, match="phải họp"):
        ballots.close_item(session, people.province, item)
    officer = enter("can-bo", "province_officer")
    page = f"/programme/sessions/{meeting}"
    assert "Các ý kiến khác nhau" in officer.get(page).get_data(as_text=True)
    refused = send(officer, f"{page}/meeting", {"starts_at": "2026-07-01T08:00", "reason": ""}, page=page)
    assert refused.status_code == 422
    values = {"starts_at": "2026-07-01T08:00", "reason": "Truy xuất nguồn gốc"}
    assert send(officer, f"{page}/meeting", values, page=page).status_code == 303
    with people.store.writing() as session:
        row = session.get_one(CouncilSession, meeting)
        assert (row.mode, row.state) == ("meeting", "planned")
        seats = [m.id for m in councils.voters(row.council)]
        with pytest.raises(councils.QuorumMissing):
            councils.open_session(session, people.province, meeting, seats[:3])
    with people.store.writing() as session:
        councils.open_session(session, people.province, meeting, seats)
        for member in members:
            assert ballots.own_ballot(session, member, item).turn == 2  # type: ignore[union-attr]
            ballots.save(session, member, item, choices={**best, "4.1": 2})
            ballots.submit(session, member, item)
        closed = ballots.close_item(session, people.province, item)
        assert closed.result is not None and closed.result["stars"] == 4


def test_a_written_session_is_opened_on_its_page_without_roll_call(
    people: play.Cast, enter: Callable[..., FlaskClient]
) -> None:
    key = play.to_council(people)
    council_id, _members = play.seat_council(people)
    with people.store.writing() as session:
        session.get_one(Dossier, key).kind = "re_evaluation"
    officer = enter("can-bo", "province_officer")
    council = f"/programme/councils/{council_id}"
    values = {"starts_at": "2026-06-20T08:00", "mode": "written", "dossier": key}
    planned = send(officer, f"{council}/sessions", values, page=council)
    page = planned.headers["Location"]
    assert "không cần điểm danh" in officer.get(page).get_data(as_text=True)
    assert send(officer, f"{page}/open", {}, page=page).status_code == 303
    with people.store.reading() as session:
        item = session.scalars(sa.select(AgendaItem.id).where(AgendaItem.dossier_id == key)).one()
    text = enter("hoi-dong-1").get(f"/programme/items/{item}/ballot").get_data(as_text=True)
    assert "Ý kiến bằng văn bản" in text
    assert officer.get(f"{page}/minutes.pdf").data.startswith(b"%PDF")


# ---- the ministry


def to_ministry(people: play.Cast) -> int:
    """Play until a dossier of five stars is sent to the ministry; return it."""
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, key)
    for member in members:
        play.vote(people, member, item, play.best_choices("2026", 8))
    with people.store.writing() as session:
        ballots.close_item(session, people.province, item)
        certificates.send_to_ministry(session, people.province, key)
    return key


def test_five_stars_come_from_the_ministry_with_every_document_sent(
    people: play.Cast, enter: Callable[..., FlaskClient]
) -> None:
    key = to_ministry(people)
    officer = enter("can-bo", "province_officer")
    base, page = f"/programme/dossiers/{key}", f"/programme/dossiers/{key}/decision"
    early = send(officer, f"{base}/ministry/received", {"received_on": "2026-07-10"}, page=page)
    assert early.status_code == 422 and "còn thiếu" in early.get_data(as_text=True)
    with people.store.reading() as session:
        wanted = [name for name, _title in ministry.wanted(session.get_one(Dossier, key))]
        version = session.get_one(Dossier, key).version
    assert len(wanted) == 7
    values = {"sent": wanted, "letter_number": "300/UBND", "sent_on": "2026-07-01", "version": version}
    assert send(officer, f"{base}/ministry/sent", values, page=page).status_code == 303
    assert officer.get(f"{base}/ministry.docx").data.startswith(b"PK")
    assert officer.get(f"{base}/ministry.pdf").data.startswith(b"%PDF")
    answer = send(officer, f"{base}/ministry/received", {"received_on": "2026-07-10"}, page=page)
    assert answer.status_code == 303
    decided = {"act": "decide", "stars": 5, "decision_number": "5/QĐ-BNNMT", "decision_date": "2026-09-01",
               "issued_by": "Bộ Nông nghiệp và Môi trường", "number": "TW-01"}  # fmt: skip
    assert send(officer, page, decided).status_code == 303
    with people.store.reading() as session:
        row = session.scalars(sa.select(Certificate).where(Certificate.dossier_id == key)).one()
        assert (row.stars, row.issued_by) == (5, "Bộ Nông nghiệp và Môi trường")
        product = session.get_one(Product, people.product_id)
        assert (product.stars, product.certificate_number) == (5, "TW-01")
        assert session.get_one(Dossier, key).participation.status == "recognised_national"


def at_ministry(people: play.Cast) -> int:
    key = to_ministry(people)
    with people.store.writing() as session:
        wanted = [name for name, _title in ministry.wanted(session.get_one(Dossier, key))]
        ministry.keep_sent(session, people.province, key, sent=wanted, letter_number="1", sent_on=play.TODAY)
        ministry.receive(session, people.province, key, dt.date(2026, 7, 10))
    return key


def test_a_dossier_returned_with_a_central_result_is_recognised_by_it(
    people: play.Cast, enter: Callable[..., FlaskClient]
) -> None:
    key = at_ministry(people)
    officer = enter("can-bo", "province_officer")
    base, page = f"/programme/dossiers/{key}", f"/programme/dossiers/{key}/decision"
    back = {"reason": "Thiếu chứng nhận xuất khẩu", "central_stars": 4, "central_points": "86,5"}
    refused = send(officer, f"{base}/ministry/returned", {**back, "central_points": "nhiều"}, page=page)
    assert refused.status_code == 422 and "Thiếu chứng nhận xuất khẩu" in refused.get_data(as_text=True)
    assert send(officer, f"{base}/ministry/returned", back, page=page).status_code == 303
    decided = {"act": "decide", "decision_number": "9/QĐ-UBND", "decision_date": "2026-10-01",
               "issued_by": "UBND tỉnh"}  # fmt: skip
    assert send(officer, page, {**decided, "stars": 3}).status_code == 422
    assert send(officer, page, {**decided, "stars": 4}).status_code == 303
    with people.store.reading() as session:
        row = session.scalars(sa.select(Certificate).where(Certificate.dossier_id == key)).one()
        assert (row.stars, row.points) == (4, 86.5)


def test_a_returned_dossier_may_be_evaluated_again_and_the_first_result_stays(people: play.Cast) -> None:
    key = at_ministry(people)
    with people.store.writing() as session:
        with pytest.raises(CertificateError, match="lý do"):
            ministry.send_back(session, people.province, key, reason=" ", returned_on=play.TODAY)
        ministry.send_back(session, people.province, key, reason="Chưa đủ", returned_on=play.TODAY)
        with pytest.raises(Refusal, match="lý do"):
            ministry.evaluate_again(session, people.province, key, "")
    with people.store.writing() as session:
        with pytest.raises(CertificateError):
            ministry.evaluate_again(session, people.producer, key, "x")
        ministry.evaluate_again(session, people.province, key, "Bổ sung kiểm nghiệm")
        dossier = session.get_one(Dossier, key)
        assert dossier.participation.status == "awaiting_council"
        assert certificates.result_of(session, key)["stars"] == 5  # type: ignore[index]
        council_id = session.scalars(
            sa.select(Council.id).where(Council.kind == "council").order_by(Council.id.desc())
        ).first()
    item = play.open_meeting(people, council_id, key)
    with people.store.reading() as session:
        assert len(session.scalars(sa.select(AgendaItem).where(AgendaItem.dossier_id == key)).all()) == 2
        assert session.get_one(AgendaItem, item).state == "open"


def test_samples_and_council_papers_are_not_asked_where_the_law_does_not() -> None:
    tourism = Dossier(kind="first", edition="2026", set_number=26, remarks={})
    again = Dossier(kind="re_evaluation", edition="2026", set_number=8, remarks={})
    assert "samples" not in dict(ministry.wanted(tourism))
    assert set(dict(ministry.wanted(again))) == {"letter", "advisory_report", "dossier", "tests", "samples"}
