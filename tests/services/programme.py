"""People and shortcuts for tests that play the programme."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import accounts
from data.accounts import Actor, Role
from data.products import Product
from data.programme import ballots, councils, criteria, dossiers, participations, receiving
from data.programme.tables import AgendaItem, Council, CouncilMember, Dossier, Participation, Round
from data.store import Store

TODAY = dt.date(2026, 6, 1)
SEATS = (
    ("Phó Chủ tịch UBND tỉnh", councils.CHAIR),
    ("Sở Nông nghiệp và Môi trường", councils.DEPUTY),
    ("Sở Công Thương", councils.MEMBER),
    ("Sở Y tế", councils.MEMBER),
    ("Sở Khoa học và Công nghệ", councils.MEMBER),
    ("Sở Văn hóa, Thể thao và Du lịch", councils.MEMBER),
    ("Cơ quan tham mưu OCOP tỉnh", councils.MEMBER),
    ("Hội Nông dân tỉnh", councils.MEMBER),
    ("Chuyên gia tư vấn", councils.MEMBER),
)


@dataclass
class Cast:
    """The people of a story, around one product."""

    store: Store
    product_id: int
    producer: Actor
    commune: Actor
    province: Actor
    set_number: int = 8


def a_free_product(session: Session) -> Product:
    """A product without a star that takes part in no cycle, in a commune where none does."""
    busy = sa.select(Participation.commune_id)
    query = sa.select(Product).where(
        Product.commune_id.not_in(busy), Product.producer_id.is_not(None), Product.stars.is_(None)
    )
    found = session.scalars(query.order_by(Product.id)).first()
    assert found is not None
    return found


def cast(store: Store) -> Cast:
    """Choose a product with producer and commune, and the people who deal with it."""
    with store.reading() as session:
        product = a_free_product(session)
        return Cast(
            store,
            product.id,
            Actor(role=Role.PRODUCER, producer_id=product.producer_id, name="Chủ thể"),
            Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id, name="Cán bộ xã"),
            Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh"),
        )


def best_choices(edition: str, set_number: int, **other: int) -> dict[str, int]:
    """The options with the most points, but for some criteria (c2_3 is 2.3)."""
    one = criteria.edition(edition).set(set_number)
    found = {
        c.code: max(range(len(c.options)), key=[o.points for o in c.options].__getitem__)
        for c in one.criteria.values()
    }
    return {**found, **{name.lstrip("c").replace("_", "."): index for name, index in other.items()}}


def fill(session: sa.orm.Session, actor: Actor, dossier: Dossier, choices: dict[str, int]) -> None:  # type: ignore[name-defined]
    """Fill in everything that a dossier needs."""
    values: dict[str, object] = {
        "representative": "Trần Thị Minh Hoạ",
        "address": "Ấp Minh Hoạ",
        "phone": "0290 000 000",
        "pledge": True,
        "representative_gender": "female",
        "representative_ethnicity": "Kinh",
        "registration_number": "minh-hoa-1",
        "packaging": "Gói 200 g",
        "results": "Đạt kế hoạch.",
        "plan": "Mở rộng.",
        "producer_kind": "cooperative",
    }
    dossiers.save(session, actor, dossier.id, forms=values, choices=choices)
    for kind in ("business_registration", "material_origin", "quality_declaration", "test_report"):
        file = (f"{kind}.pdf", "application/pdf", b"%PDF minh hoa " + kind.encode())
        dossiers.add_evidence(session, actor, dossier.id, kind=kind, title=kind, file=file)


def to_commune(people: Cast, *, today: dt.date = TODAY, kind: str = "first") -> int:
    """Play from the idea to the submission; return the dossier."""
    with people.store.writing() as session:
        row = participations.register(session, people.producer, people.product_id, today.year)
        for to in ("plan", "carrying_out", "preparing"):
            participations.move(session, people.producer, row.id, to)
        dossier = dossiers.open_dossier(session, people.producer, row.id, kind, people.set_number, today)
        fill(session, people.producer, dossier, best_choices(dossier.edition, people.set_number))
        dossiers.submit(session, people.producer, dossier.id, today)
        return dossier.id


def to_council(people: Cast, *, today: dt.date = TODAY) -> int:
    """Play on until the dossier waits for the council; return the dossier."""
    key = to_commune(people, today=today)
    with people.store.writing() as session:
        _open_round(session)
        receiving.receive(session, people.commune, key, "commune", today)
        contents = {c: {"met": True, "remark": "Đạt"} for c in ("origin", "labour", "idea", "identity")}
        receiving.check_contents(session, people.commune, key, contents, letter_number="12/UBND")
        receiving.propose(session, people.commune, key, today)
        receiving.receive(session, people.province, key, "province", today, samples=5)
        dossier = session.get_one(Dossier, key)
        for to in ("advisory", "awaiting_council"):
            participations.move(session, people.province, dossier.participation_id, to)
    return key


def _open_round(session: sa.orm.Session) -> None:  # type: ignore[name-defined]
    """Open the second round of 2026, where the record does not have it yet."""
    known = sa.select(Round.id).where(Round.level == "province", Round.year == 2026, Round.number == 2)
    if session.scalar(known) is None:
        session.add(
            Round(
                name="Đợt 2", level="province", year=2026, number=2, edition="2026",
                receive_before=dt.date(2026, 10, 30), decide_before=dt.date(2026, 12, 30), rules={},
            )
        )  # fmt: skip
        session.flush()


def seat_council(people: Cast, seats: Sequence[tuple[str, str]] = SEATS) -> tuple[int, list[Actor]]:
    """Set up the province's council with a secretary; return it and its voting members as actors."""
    members = []
    with people.store.writing() as session:
        council = councils.create(
            session, people.province, name="Hội đồng OCOP tỉnh", composition="province-2026",
            decision_number="100/QĐ-UBND", decision_date=dt.date(2026, 6, 2),
        )  # fmt: skip
        for number, (agency, role) in enumerate(seats, start=1):
            account = accounts.add_account(session, f"hoi-dong-{number}", "council_member", password=None)
            councils.add_member(
                session, people.province, council.id, name=f"Thành viên {number}", agency=agency, role=role,
                account_id=account.id,
            )  # fmt: skip
            members.append(account.actor())
        councils.add_member(
            session, people.province, council.id, name="Thư ký", agency="Văn phòng", role=councils.SECRETARY
        )
        return council.id, members


def open_meeting(people: Cast, council_id: int, dossier_id: int, *, present: int | None = None) -> int:
    """Open a meeting on one dossier with the first so many members there, else all; return the agenda item."""
    with people.store.writing() as session:
        meeting = councils.plan_session(
            session, people.province, council_id, starts_at=dt.datetime(2026, 6, 20, 1, tzinfo=dt.UTC),
            dossier_ids=[dossier_id],
        )  # fmt: skip
        seats = councils.voters(session.get_one(Council, council_id))
        councils.open_session(session, people.province, meeting.id, [m.id for m in seats[:present]])
        return session.scalars(sa.select(AgendaItem.id).where(AgendaItem.session_id == meeting.id)).one()


def vote(people: Cast, member: Actor, item_id: int, choices: dict[str, int]) -> None:
    """Judge and submit as one member."""
    with people.store.writing() as session:
        ballots.save(session, member, item_id, choices=choices)
        ballots.submit(session, member, item_id)


def seat_ids(people: Cast, council_id: int) -> list[int]:
    """The seats of a council in their order."""
    with people.store.reading() as session:
        query = sa.select(CouncilMember.id).where(CouncilMember.council_id == council_id)
        return list(session.scalars(query.order_by(CouncilMember.id)))
