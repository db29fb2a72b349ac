"""The pages of the cycle, asked by people of every role."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data import people as office
from data.accounts import Role
from data.admin_units import Commune
from data.products import Product
from data.programme.tables import Participation, Round
from data.store import Store
from tests.services.programme import a_free_product

PASSWORD = "mot-mat-khau-dai"


@pytest.fixture
def signed_in(app: Any, demo_store: Store) -> Callable[..., FlaskClient]:
    """A browser in which somebody of a role is signed in."""

    def make(role: str, **facts: Any) -> FlaskClient:
        name = f"nguoi-{role}"
        office.add_person(demo_store, name, role, password=PASSWORD, **facts)
        client: FlaskClient = app.test_client()
        send(client, "/login", {"username": name, "password": PASSWORD})
        return client

    return make


def send(client: FlaskClient, address: str, values: dict[str, Any], *, page: str | None = None) -> Any:
    """Fill in a form as a browser does, with the token of the page that shows it."""
    shown = client.get(page or address).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', shown)
    assert token is not None, shown[:400]
    return client.post(address, data={**values, "csrf_token": token.group(1)})


@pytest.fixture
def product(demo_store: Store) -> int:
    with demo_store.reading() as session:
        return a_free_product(session).id


def test_an_idea_is_registered_moved_and_planned(
    signed_in: Callable[..., FlaskClient], demo_store: Store, product: int
) -> None:
    client = signed_in("province_officer")
    answer = send(
        client, "/programme/new", {"product": product, "year": 2026, "idea": "Tôm khô hút chân không"}
    )
    assert answer.status_code == 303
    address = answer.headers["Location"]
    shown = client.get(address).get_data(as_text=True)
    assert "Tôm khô hút chân không" in shown and "Ý tưởng sản phẩm" in shown
    assert send(client, f"{address}/move", {"to": "plan", "version": 1}, page=address).status_code == 303
    stale = send(
        client, f"{address}/move", {"to": "carrying_out", "version": 1, "reason": "vội"}, page=address
    )
    assert stale.status_code == 409 and "người khác sửa" in stale.get_data(as_text=True)
    assert "vội" in stale.get_data(as_text=True)
    planned = {"planned_from": "2026-03-01", "planned_to": "2026-03-31", "responsible": "Phòng Kinh tế"}
    assert send(client, f"{address}/steps/4", planned, page=address).status_code == 303
    assert "Phòng Kinh tế" in client.get(address).get_data(as_text=True)
    with demo_store.reading() as session:
        own = sa.select(Participation.status).where(Participation.product_id == product)
        assert session.scalars(own).all() == ["plan"]


def test_wrong_input_is_told_in_one_sentence_and_loses_nothing(
    signed_in: Callable[..., FlaskClient], product: int
) -> None:
    client = signed_in("province_officer")
    twice = {"product": product, "year": 2026, "idea": "Giữ lại"}
    send(client, "/programme/new", twice)
    again = send(client, "/programme/new", twice)
    text = again.get_data(as_text=True)
    assert again.status_code == 422 and "đã có trong chu trình" in text and "Giữ lại" in text
    dates = {"year": 2026, "name": "Đợt thử", "receive_before": "2026-10-30", "decide_before": "2026-10-01"}
    wrong = send(client, "/programme/rounds", dates)
    assert wrong.status_code == 422 and "Đợt thử" in wrong.get_data(as_text=True)


def test_a_round_is_opened_with_the_laws_dates(
    signed_in: Callable[..., FlaskClient], demo_store: Store
) -> None:
    client = signed_in("province_officer")
    assert "30/4/2026" in client.get("/programme/rounds?year=2026").get_data(as_text=True)
    dates = {"year": 2026, "receive_before": "2026-10-30", "decide_before": "30/12/2026"}
    assert send(client, "/programme/rounds", dates, page="/programme/rounds?year=2026").status_code == 303
    with demo_store.reading() as session:
        row = session.scalars(sa.select(Round).order_by(Round.id.desc())).first()
        assert row is not None
        # The demonstration has the two rounds that the law names.
        assert (row.name, row.edition, row.number) == ("Đợt 3 năm 2026", "2026", 3)
    address = f"/programme/rounds/{row.id}/state"
    page = "/programme/rounds?year=2026"
    assert send(client, address, {"state": "closed", "version": 1}, page=page).status_code == 303
    assert send(client, address, {"state": "nonsense", "version": 2}, page=page).status_code == 422


@pytest.mark.parametrize("role", [r.value for r in Role if r != Role.PUBLIC])
def test_every_role_has_a_queue_and_sees_only_its_own(
    signed_in: Callable[..., FlaskClient], demo_store: Store, product: int, role: str
) -> None:
    send(signed_in("administrator") if role != "administrator" else signed_in(role), "/programme/new",
         {"product": product, "year": 2026})  # fmt: skip
    with demo_store.reading() as session:
        key = session.scalars(sa.select(Participation.id).where(Participation.product_id == product)).one()
        found = session.get_one(Product, product)
        name, home = found.name, found.commune
        assert home is not None
        elsewhere = session.scalars(
            sa.select(Commune).where(Commune.edition == home.edition, Commune.district_id != home.district_id)
        ).first()
        assert elsewhere is not None and elsewhere.district is not None
        codes = {"commune_officer": elsewhere.code, "district_officer": elsewhere.district.code}
    facts = {"territory": codes[role]} if role in codes else {}
    client = signed_in(role, **facts) if role != "administrator" else None
    if client is None:
        return
    assert client.get("/programme").status_code == 200
    board = client.get("/programme/board?year=2026").get_data(as_text=True)
    everywhere = role in ("province_officer", "planner", "inspector")
    assert (name in board) is everywhere
    assert client.get(f"/programme/participations/{key}").status_code == (200 if everywhere else 404)


def test_nobody_gets_in_without_signing_in(client: FlaskClient) -> None:
    for address in ("/programme", "/programme/board", "/programme/new", "/programme/rounds"):
        assert client.get(address).status_code in (302, 401)
