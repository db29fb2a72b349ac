"""Products on their way through the yearly cycle, by role and territory."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from data import accounts
from data.accounts import Actor, Role
from data.products import Product
from data.programme import calendar, participations, rights
from data.programme.cycle import TransitionRefused, cycle
from data.programme.participations import Outdated, ParticipationError
from data.programme.tables import Participation
from data.store import Store
from data.tables import AuditRow
from tests.services.programme import a_free_product

YEAR = 2026
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")


def a_product(store: Store) -> Product:
    with store.reading() as session:
        return a_free_product(session)


def start(store: Store, actor: Actor = OFFICER, *, status: str = "idea") -> int:
    with store.writing() as session:
        return participations.register(session, actor, a_product(store).id, YEAR, status=status).id


def test_every_status_and_role_of_the_cycle_is_known() -> None:
    known, roles = set(cycle().statuses), set(Role)
    for transition in cycle().transitions:
        assert transition.to in known and (transition.start is None or transition.start in known)
        assert transition.roles <= roles
    assert [s.number for s in cycle().steps] == [1, 2, 3, 4, 5, 6]
    reachable = {t.to for t in cycle().transitions}
    assert reachable == known


def test_a_product_goes_from_idea_to_dossier_and_leaves_its_trail(demo_store: Store) -> None:
    key = start(demo_store)
    for to in ("plan", "carrying_out", "preparing"):
        with demo_store.writing() as session:
            participations.move(session, OFFICER, key, to)
    with demo_store.reading() as session:
        row = session.get(Participation, key)
        assert row is not None
        assert [c.to_status for c in row.changes] == ["idea", "plan", "carrying_out", "preparing"]
        reached = {s.step: (s.actual_from is not None, s.actual_to is not None) for s in row.steps}
        assert reached == {1: (False, False), 2: (True, True), 3: (True, True), 4: (True, True), 5: (True, False),
                           6: (False, False)}  # fmt: skip
        trail = session.scalars(
            sa.select(AuditRow).where(AuditRow.table_name == "participations", AuditRow.row_id == key)
        ).all()
        assert len(trail) == 4


@pytest.mark.parametrize(
    ("start_status", "to", "reason", "said"),
    [
        ("idea", "recognised", None, "Không thể chuyển"),
        ("idea", "nowhere", None, "Không thể chuyển"),
        ("idea", "withdrawn", None, "lý do"),
        ("idea", "withdrawn", "   ", "lý do"),
    ],
)
def test_a_move_that_the_law_does_not_know_is_refused(
    demo_store: Store, start_status: str, to: str, reason: str | None, said: str
) -> None:
    key = start(demo_store, status=start_status)
    with pytest.raises(TransitionRefused, match=said), demo_store.writing() as session:
        participations.move(session, OFFICER, key, to, reason=reason)
    with demo_store.reading() as session:
        assert session.get_one(Participation, key).status == start_status


def test_a_submission_cannot_be_claimed_by_hand(demo_store: Store) -> None:
    producer = Actor(role=Role.PRODUCER, producer_id=a_product(demo_store).producer_id, name="Chủ thể")
    key = start(demo_store)
    with demo_store.writing() as session:
        participations.move(session, producer, key, "preparing")
    with pytest.raises(TransitionRefused), demo_store.writing() as session:
        participations.move(session, producer, key, "at_commune")


def test_a_product_takes_part_once_a_year(demo_store: Store) -> None:
    product = a_product(demo_store)
    start(demo_store)
    with pytest.raises(ParticipationError, match="đã có"), demo_store.writing() as session:
        participations.register(session, OFFICER, product.id, YEAR)


def test_nobody_acts_outside_their_own(demo_store: Store) -> None:
    product = a_product(demo_store)
    key = start(demo_store)
    strangers = [
        Actor(role=Role.COMMUNE_OFFICER, commune_id=(product.commune_id or 0) + 1),
        Actor(role=Role.PRODUCER, producer_id=(product.producer_id or 0) + 1),
        Actor(role=Role.PLANNER),
        Actor(role=Role.INSPECTOR),
        Actor(role=Role.COUNCIL_MEMBER, account_id=99),
        accounts.PUBLIC,
    ]
    for stranger in strangers:
        with pytest.raises(rights.NotYours), demo_store.writing() as session:
            participations.move(session, stranger, key, "plan")
    own = [
        Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id),
        Actor(role=Role.PRODUCER, producer_id=product.producer_id),
    ]
    with demo_store.reading() as session:
        for actor in own:
            assert rights.row_seen(session, actor, Participation, key).id == key
        for role in (Role.COUNCIL_MEMBER, Role.PUBLIC):
            with pytest.raises(rights.NotYours):
                rights.row_seen(session, Actor(role=role, account_id=99), Participation, key)


def test_two_people_moving_at_once_do_not_overwrite_one_another(demo_store: Store) -> None:
    key = start(demo_store)
    with demo_store.reading() as session:
        version = session.get_one(Participation, key).version
    with demo_store.writing() as session:
        participations.move(session, OFFICER, key, "plan", version=version)
    with pytest.raises(Outdated), demo_store.writing() as session:
        participations.move(session, OFFICER, key, "withdrawn", reason="trùng", version=version)


def test_what_is_late_names_the_step_and_whose_turn_it_is(demo_store: Store) -> None:
    key = start(demo_store)
    planned = dt.date(2026, 3, 31)
    with demo_store.writing() as session:
        participations.plan(session, OFFICER, key, 2, planned_from=dt.date(2026, 3, 1), planned_to=planned)
    with demo_store.reading() as session:
        assert key not in {x.participation.id for x in participations.overdue(session, OFFICER, planned)}
        late = participations.overdue(session, OFFICER, planned + dt.timedelta(days=1))
        (own,) = (x for x in late if x.participation.id == key)
        assert own.due_on == planned
        assert Role.COMMUNE_OFFICER in own.roles


def test_the_board_counts_what_the_actor_sees(demo_store: Store) -> None:
    product = a_product(demo_store)
    home = Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id)
    key = start(demo_store)
    with demo_store.reading() as session:
        everywhere = participations.board(session, OFFICER, year=YEAR)
        elsewhere = participations.board(
            session, Actor(role=Role.COMMUNE_OFFICER, commune_id=(product.commune_id or 0) + 1), year=YEAR
        )
        assert key in {row.id for row in everywhere["idea"]}
        assert key not in {row.id for rows in elsewhere.values() for row in rows}
        assert participations.counts_by_commune(session, OFFICER, year=YEAR)[product.commune_id] == {
            "idea": 1
        }
        assert participations.counts_by_commune(session, home, year=YEAR) == {product.commune_id: {"idea": 1}}


@pytest.mark.parametrize(
    ("start_day", "count", "end"),
    [
        # Skips 30/4, 1/5 and weekends of 2026; 27/4 is the day in lieu of the Hùng kings' day and is not counted.
        (dt.date(2026, 4, 27), 15, dt.date(2026, 5, 20)),
        (dt.date(2026, 2, 13), 1, dt.date(2026, 2, 23)),
        (dt.date(2026, 8, 21), 1, dt.date(2026, 8, 22)),
    ],
)
def test_working_days_skip_weekends_and_holidays(start_day: dt.date, count: int, end: dt.date) -> None:
    assert calendar.add_working_days(start_day, count) == end
    assert calendar.working_days_between(start_day, end) == count


def test_36_months_from_the_29th_of_february_end_on_the_28th() -> None:
    assert calendar.add_months(dt.date(2024, 2, 29), 36) == dt.date(2027, 2, 28)


def test_the_rounds_of_a_year_are_those_of_article_5() -> None:
    days = [(r.receive_before, r.decide_before) for r in calendar.rounds_of(2026, "province")]
    assert days == [
        (dt.date(2026, 4, 30), dt.date(2026, 6, 30)),
        (dt.date(2026, 10, 30), dt.date(2026, 12, 30)),
    ]
    assert not calendar.is_in_time(dt.date(2026, 4, 30), days[0][0])
    assert calendar.is_in_time(dt.date(2026, 4, 30), days[0][0], inclusive=True)
