"""Keys of people and machines: made and shown once, limited to their account, listed, and revoked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from data import keys, people
from data.accounts import Account, AccountError, Role, add_account, check_api_key
from data.store import Store
from data.tables import AuditRow
from tests.services.conftest import PASSWORD
from tests.services.epcis_client import Epcis

Browser = Callable[..., Any]


@pytest.fixture
def browser(app: Any, demo_store: Store) -> Browser:
    app.config["WTF_CSRF_ENABLED"] = False

    def sign_in(name: str, role: str) -> Any:
        with demo_store.writing() as session:
            add_account(session, name, role, password=PASSWORD)
        found = app.test_client()
        assert found.post("/login", data={"username": name, "password": PASSWORD}).status_code == 303
        return found

    return sign_in


def shown(page: Any) -> str:
    found = re.search(r'<code id="new-key">(ocop_[^<]+)</code>', page.text)
    assert page.status_code == 201 and found, page.text
    return found[1]


def account_of(store: Store, key: str) -> Account | None:
    with store.reading() as session:
        account = check_api_key(session, key)
        session.expunge_all()
    return account


def test_a_machine_of_a_producer_is_made_with_its_key(demo_store: Store, app: Any) -> None:
    with demo_store.reading() as session:
        producer = session.scalar(sa.text("SELECT min(id) FROM producers"))
    key = people.add_key(demo_store, "may-kho", role="producer", producer_id=producer)
    account = account_of(demo_store, key)
    assert account is not None and account.password_hash is None
    assert (account.role, account.producer_id) == (Role.PRODUCER, producer)
    assert Epcis(app, {"Authorization": f"Bearer {key}"}).get("/events").status_code == 200
    again = people.add_key(demo_store, "may-kho", role="producer", producer_id=producer)
    assert again != key and account_of(demo_store, again) is not None


def test_a_machine_of_a_commune_has_its_territory(demo_store: Store) -> None:
    with demo_store.reading() as session:
        code = session.scalar(sa.text("SELECT min(code) FROM communes WHERE edition = '2020'"))
    key = people.add_key(demo_store, "may-xa", role="commune_officer", territory=code)
    account = account_of(demo_store, key)
    assert account is not None and account.commune_id is not None


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"role": "king"},
        {"role": "commune_officer"},
        {"role": "commune_officer", "territory": "nowhere"},
        {"role": "producer", "producer_id": 999_999},
        {"role": "inspector", "producer_id": 1},
    ],
)
def test_a_machine_that_makes_no_sense_is_not_made(demo_store: Store, wish: dict[str, Any]) -> None:
    with pytest.raises(AccountError):
        people.add_key(demo_store, "may", **wish)
    with demo_store.reading() as session:
        assert session.scalar(sa.select(Account.id).where(Account.username == "may")) is None


def test_a_key_for_an_account_is_not_made_under_another_producer(demo_store: Store) -> None:
    with demo_store.reading() as session:
        one, other = session.scalars(sa.text("SELECT id FROM producers ORDER BY id LIMIT 2")).all()
    people.add_key(demo_store, "may", role="producer", producer_id=one)
    with pytest.raises(AccountError):
        people.add_key(demo_store, "may", role="producer", producer_id=other)


def test_a_key_is_listed_by_its_beginning_and_revoked_by_it(demo_store: Store, app: Any) -> None:
    key = people.add_key(demo_store, "may", role="planner")
    with demo_store.reading() as session:
        (row,) = keys.everybodys(session)
        assert key.startswith(f"ocop_{row.prefix}") and row.key_hash not in key
    assert keys.revoke_named(demo_store, key[:13]) == "may"
    assert account_of(demo_store, key) is None
    assert Epcis(app, {"Authorization": f"Bearer {key}"}).get("/events").status_code == 401
    with pytest.raises(AccountError):
        keys.revoke_named(demo_store, key[:13])
    with demo_store.reading() as session:
        actions = session.scalars(
            sa.select(AuditRow.action).where(AuditRow.table_name == "api_keys").order_by(AuditRow.id)
        ).all()
    assert actions == ["insert", "update"]


def test_an_administrator_makes_and_revokes_keys_of_machines(browser: Browser, demo_store: Store) -> None:
    admin = browser("quan-tri", "administrator")
    made = admin.post("/office/keys/machine", data={"account": "may-quet", "role": "inspector"})
    key = shown(made)
    assert account_of(demo_store, key) is not None
    page = admin.get("/office/keys")
    assert key not in page.text and "may-quet" in page.text and page.headers["Cache-Control"] == "no-store"
    number = re.search(r"/office/keys/(\d+)/revoke", page.text)
    assert number and admin.post(f"/office/keys/{number[1]}/revoke").status_code == 303
    assert account_of(demo_store, key) is None


def test_a_wish_that_is_refused_keeps_what_was_filled_in(browser: Browser) -> None:
    admin = browser("quan-tri", "administrator")
    answer = admin.post("/office/keys/machine", data={"account": "may-xa", "role": "commune_officer"})
    assert answer.status_code == 422 and 'value="may-xa"' in answer.text and 'role="alert"' in answer.text
    answer = admin.post("/office/keys/machine", data={"account": "m", "role": "producer", "producer": "bảy"})
    assert answer.status_code == 422 and 'value="bảy"' in answer.text


def test_others_see_and_revoke_their_own_keys_only(browser: Browser, demo_store: Store) -> None:
    people.add_key(demo_store, "may-la", role="planner")
    with demo_store.reading() as session:
        (foreign,) = (one.id for one in keys.everybodys(session))
    officer = browser("can-bo", "province_officer")
    key = shown(officer.post("/office/keys", data={"name": "kho"}))
    page = officer.get("/office/keys").text
    assert "kho" in page and "may-la" not in page and "/office/keys/machine" not in page
    assert officer.post(f"/office/keys/{foreign}/revoke").status_code == 422
    assert (
        officer.post("/office/keys/machine", data={"account": "m", "role": "administrator"}).status_code
        == 403
    )
    account = account_of(demo_store, key)
    assert account is not None and account.username == "can-bo"


def test_nobody_gets_a_key_without_signing_in(client: Any) -> None:
    assert client.get("/office/keys", headers={"Accept": "text/html"}).status_code in (302, 401)
    assert (
        client.post("/office/keys/machine", data={"account": "m", "role": "administrator"}).status_code != 201
    )
