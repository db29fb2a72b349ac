"""What buyers report reaches the officer of the place, and the answer reaches the buyer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image

from data import people
from data.accounts import Actor, Role
from data.admin_units import Commune
from data.media import Photo
from data.products import Product
from data.programme import criteria, dossiers, participations, worklist
from data.store import Store
from data.tables import AuditRow
from data.traceability import problems, scoringlinks
from data.traceability.lots import Lot
from data.traceability.tables import ProblemReport, TraceEvent
from tests.services.programme import TODAY, cast
from webmap.security import limiter

PASSWORD = "mot-mat-khau-dai"
TEXT, CONTACT = "Mở hũ ra thấy mốc xanh", "0999 888 777"


@pytest.fixture(autouse=True)
def fresh_limits(app: Any) -> None:
    limiter.reset()


@pytest.fixture
def lot(demo_store: Store) -> Lot:
    with demo_store.reading() as session:
        query = sa.select(Lot).join(Commune, Commune.id == Lot.commune_id)
        found = session.scalars(query.where(Lot.status == "published").order_by(Lot.id)).first()
        assert found is not None and found.commune is not None
        return found


def signed_in(app: Any, store: Store, role: str, **facts: Any) -> FlaskClient:
    people.add_person(store, f"nguoi-{role}", role, password=PASSWORD, **facts)
    client: FlaskClient = app.test_client()
    send(client, "/login", {"username": f"nguoi-{role}", "password": PASSWORD})
    return client


def send(client: FlaskClient, address: str, values: dict[str, Any], *, page: str | None = None) -> Any:
    shown = client.get(page or address).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', shown)
    assert token is not None, shown[:300]
    return client.post(address, data={**values, "csrf_token": token.group(1)})


def report(client: FlaskClient, lot_id: int, **more: Any) -> Any:
    values = {"kind": "food_safety", "text": TEXT, "contact": CONTACT, **more}
    return send(client, f"/lots/{lot_id}/report", values)


def kept(store: Store) -> ProblemReport:
    with store.reading() as session:
        return session.scalars(sa.select(ProblemReport).order_by(ProblemReport.id.desc())).first()  # type: ignore[return-value]


def test_a_report_goes_to_the_commune_and_its_answer_comes_back(
    app: Any, client: FlaskClient, demo_store: Store, lot: Lot
) -> None:
    answer = report(client, lot.id)
    own_page = answer.headers["Location"]
    row = kept(demo_store)
    assert answer.status_code == 303 and row.number in own_page and row.commune_id == lot.commune_id
    assert re.fullmatch(r"VD-\d{4}-\d{5,}", row.number)
    shown = client.get(own_page)
    assert TEXT in shown.get_data(as_text=True) and CONTACT not in shown.get_data(as_text=True)
    assert shown.headers["Referrer-Policy"] == "no-referrer"

    with demo_store.reading() as session:
        code = session.get_one(Commune, lot.commune_id).code
        elsewhere = session.scalars(
            sa.select(Commune.code).where(Commune.edition == "2020", Commune.district_id.is_not(None))
            .where(Commune.district_id != session.get_one(Commune, lot.commune_id).district_id)
        ).first()  # fmt: skip
    officer = signed_in(app, demo_store, "commune_officer", territory=code)
    home = officer.get("/office").get_data(as_text=True)
    waiting = re.search(r'data-problems="(\d+)"', home)
    assert waiting is not None and int(waiting.group(1)) >= 1
    assert row.number in officer.get("/office/problems").get_data(as_text=True)
    assert row.number in officer.get("/programme").get_data(as_text=True)
    page = f"/office/problems/{row.id}"
    seen = officer.get(page).get_data(as_text=True)
    assert CONTACT in seen and f"/office/recalls/new?lot={lot.id}" in seen
    assert send(officer, f"{page}/take", {"version": 1}, page=page).status_code == 303
    stale = send(officer, f"{page}/answer", {"version": 1, "text": "Đã thu mẫu đi kiểm"}, page=page)
    assert stale.status_code == 409 and "Đã thu mẫu đi kiểm" in stale.get_data(as_text=True)
    assert (
        send(officer, f"{page}/answer", {"version": 2, "text": "Đã thu mẫu đi kiểm"}, page=page).status_code
        == 303
    )
    assert "Đã thu mẫu đi kiểm" in client.get(own_page).get_data(as_text=True)
    assert send(officer, f"{page}/close", {"version": 3, "text": "Mẫu đạt"}, page=page).status_code == 303
    assert kept(demo_store).state == "closed"

    other = signed_in(app, demo_store, "district_officer", territory=_district(demo_store, elsewhere))
    assert other.get(page).status_code in (403, 404)
    assert row.number not in other.get("/office/problems").get_data(as_text=True)
    with demo_store.reading() as session:
        trail = session.scalars(
            sa.select(AuditRow).where(AuditRow.table_name == "problem_reports", AuditRow.row_id == row.id)
        ).all()
    assert [one.action for one in trail] == ["insert", "update", "update", "update"]


def _district(store: Store, commune_code: str | None) -> str:
    with store.reading() as session:
        commune = session.scalars(
            sa.select(Commune).where(Commune.code == commune_code, Commune.edition == "2020")
        ).one()
        assert commune.district is not None
        return commune.district.code


def test_a_key_that_is_not_the_reports_opens_nothing(
    client: FlaskClient, demo_store: Store, lot: Lot
) -> None:
    report(client, lot.id)
    number = kept(demo_store).number
    assert client.get(f"/reports/{number}/{'0' * 24}").status_code == 404
    assert client.get(f"/reports/{number}/ấ").status_code == 404
    assert problems.key_of(number, "a" * 32) != problems.key_of(number, "b" * 32)


def test_producers_planners_and_the_public_do_not_read_reports(
    app: Any, client: FlaskClient, demo_store: Store, lot: Lot
) -> None:
    report(client, lot.id)
    row = kept(demo_store)
    assert client.get(f"/office/problems/{row.id}").status_code in (302, 401, 403)
    for role, facts in (("producer", {"producer_id": lot.producer_id}), ("planner", {})):
        somebody = signed_in(app, demo_store, role, **facts)
        for address in ("/office/problems", f"/office/problems/{row.id}"):
            answer = somebody.get(address)
            assert answer.status_code == 403 and CONTACT not in answer.get_data(as_text=True)
    for address in (f"/lots/{lot.id}", f"/products/{lot.product_id}"):
        assert TEXT not in client.get(address).get_data(as_text=True)


def test_wrong_input_is_told_in_one_sentence_and_loses_nothing(
    client: FlaskClient, demo_store: Store, lot: Lot
) -> None:
    before = kept(demo_store)
    wrong = report(client, lot.id, kind="nonsense")
    assert (
        wrong.status_code == 422
        and TEXT in wrong.get_data(as_text=True)
        and CONTACT in wrong.get_data(as_text=True)
    )
    assert report(client, lot.id, text=" ").status_code == 422
    no_picture = {"photos": (io.BytesIO(b"khong phai anh"), "a.jpg")}
    assert report(client, lot.id, **no_picture).status_code == 422
    assert (kept(demo_store) and kept(demo_store).id) == (before and before.id)


def test_a_form_that_a_program_filled_in_is_dropped(client: FlaskClient, demo_store: Store, lot: Lot) -> None:
    before = kept(demo_store)
    assert report(client, lot.id, website="http://spam.example").status_code == 200
    assert (kept(demo_store) and kept(demo_store).id) == (before and before.id)


def test_reports_are_limited(client: FlaskClient, lot: Lot) -> None:
    answers = [report(client, lot.id, text=f"Lần thứ {n}").status_code for n in range(7)]
    assert answers[:5] == [303] * 5 and 429 in answers[5:]


def test_a_picture_is_for_the_officers_alone(
    app: Any, client: FlaskClient, demo_store: Store, lot: Lot
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (900, 600), (12, 200, 90)).save(picture, "JPEG")
    picture.seek(0)
    assert report(client, lot.id, photos=(picture, "hu.jpg")).status_code == 303
    row = kept(demo_store)
    with demo_store.reading() as session:
        photo = session.scalars(sa.select(Photo).where(Photo.table_name == "problem_reports")).one()
    assert (photo.status, photo.longitude, photo.row_id) == ("draft", None, row.id)
    assert client.get(f"/media/{photo.sha256}/640.webp").status_code == 404
    address = f"/office/problems/{row.id}/photos/0.webp"
    assert client.get(address).status_code in (302, 401)
    officer = signed_in(app, demo_store, "province_officer")
    shown = officer.get(address)
    assert shown.status_code == 200 and shown.mimetype == "image/webp"


def test_a_report_becomes_a_complaint_in_the_dossier_once(
    app: Any, client: FlaskClient, demo_store: Store
) -> None:
    with demo_store.reading() as session:
        told = sa.select(TraceEvent.producer_id)
        found = (
            session.scalars(
                sa.select(Lot).where(
                    Lot.status == "published", Lot.lot_status == "released", Lot.producer_id.in_(told)
                )
            ).first()
            or session.scalars(sa.select(Lot).where(Lot.status == "published")).first()
        )
        assert found is not None
    report(client, found.id)
    row = kept(demo_store)
    province = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
    for _ in range(2):
        with demo_store.writing() as session:
            problems.write_into_dossier(session, province, row.id)
    with demo_store.reading() as session:
        events = [e for e in session.scalars(sa.select(TraceEvent)) if row.number in str(e.document)]
    assert len(events) == 1 and events[0].document["ocop:complaint"]["contact"] == CONTACT
    assert TEXT not in client.get(f"/lots/{found.id}").get_data(as_text=True)


def test_a_code_that_leads_nowhere_is_reported_to_the_province(
    client: FlaskClient, demo_store: Store
) -> None:
    values = {"kind": "counterfeit", "text": "Tem lạ ở chợ", "code": "/01/09520123456788/10/GIA"}
    assert send(client, "/report", values, page="/report?code=x").status_code == 303
    row = kept(demo_store)
    assert row.uri == "/01/09520123456788/10/GIA" and row.lot_id is None and row.commune_id is None
    with demo_store.reading() as session:
        province = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
        assert row.id in [t.row_id for t in worklist.tasks(session, province, TODAY) if t.kind == "problem"]


def test_food_safety_waits_a_day_and_not_longer(client: FlaskClient, demo_store: Store, lot: Lot) -> None:
    """Circular 17/2021/TT-BNNPTNT: the authority decides within 24 hours."""
    report(client, lot.id)
    row = kept(demo_store)
    assert row.created_at is not None and (problems.due_on(row) - row.created_at.date()).days == 1


@pytest.mark.parametrize("edition", ["2019", "2026"])
def test_links_with_scoring_name_criteria_that_say_so(edition: str) -> None:
    """Where the links say that so many points need a trace code, the law's text of that level says it."""
    for number in range(1, 27):
        known = criteria.edition(edition).set(number).criteria
        for link in scoringlinks.links_of(edition, number):
            criterion = known[link.criterion]
            words = "truy xuất" if link.offers == "lot" else "câu chuyện"
            level = [o.label for o in criterion.options if o.points == link.least_points]
            said = " ".join([*level, *([] if level else [criterion.name])]).lower()
            assert words in said, (edition, number, link.criterion)
        asking = {
            c.code for c in known.values()
            for o in c.options
            if "truy xuất nguồn gốc" in o.label.lower() and "kiểm soát nội bộ" not in o.label.lower()
        }  # fmt: skip
        assert asking == {k.criterion for k in scoringlinks.links_of(edition, number) if k.offers == "lot"}


def test_lots_with_pages_and_the_story_are_offered_as_evidence(demo_store: Store) -> None:
    made = cast(demo_store)
    with demo_store.writing() as session:
        product = session.get_one(Product, made.product_id)
        for known in session.scalars(sa.select(Lot).where(Lot.product_id == product.id)):
            known.lot_status = "recalled"
        product.story, product.status = "Ông cố đóng đáy từ năm 1930.", "published"
        session.add(
            Lot(
                product_id=product.id,
                producer_id=product.producer_id,
                lot_number="L-MOI",
                lot_status="released",
                status="published",
                produced_on=TODAY,
            )
        )
        session.add(
            Lot(
                product_id=product.id,
                producer_id=product.producer_id,
                lot_number="L-KIN",
                status="draft",
                produced_on=TODAY,
            )
        )
        session.flush()
        row = participations.register(session, made.producer, made.product_id, TODAY.year)
        for to in ("plan", "carrying_out", "preparing"):
            participations.move(session, made.producer, row.id, to)
        dossier = dossiers.open_dossier(session, made.producer, row.id, "first", made.set_number, TODAY)
        offers = scoringlinks.offers(session, dossier)
        titles = {offer.title for offer in offers}
        # Lots that are recalled or not published show nothing in favour of the product.
        lots = {t for t in titles if t.startswith("Trang")}
        assert lots == {"Trang truy xuất lô L-MOI"}
        story = next(o for o in offers if o.link.offers == "story")
        assert (story.table, story.row_id) in {known[:2] for known in dossiers.linkable(session, dossier)}
        dossiers.add_evidence(
            session, made.producer, dossier.id, kind=story.link.evidence, title=story.title,
            criterion=story.link.criterion, link=(story.table, story.row_id),
        )  # fmt: skip
        session.refresh(dossier)
        assert story not in scoringlinks.offers(session, dossier)


def test_reports_and_readings_are_no_layers(
    client: FlaskClient, header_of: Callable[..., dict[str, str]]
) -> None:
    own = header_of("province_officer")
    for name in ("problem_reports", "scans", "scan_alarms"):
        assert client.get(f"/layers/{name}.geojson", headers=own).status_code == 404
