"""Progress on the map and certificates on the product's page: what each caller is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import PUBLIC, Actor, Role
from data.products import Product
from data.programme import certificates, participations
from data.programme.tables import Certificate, Participation
from data.store import Store
from layers import catalogue, statistics
from layers.edit import editing

DAY = dt.date(2026, 6, 30)
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
OF_OFFICERS = {"cycle_products", "cycle_recognised_share", "cycle_late"}


def values(store: Store, name: str, actor: Actor, level: str = "communes") -> dict[int, dict[str, Any]]:
    with store.reading() as session:
        found = statistics.on_edition(session, statistics.indicator(name), level, actor, day=DAY)
        return {entry["id"]: entry for entry in found.entries}


def test_the_map_counts_the_same_products_as_the_board(demo_store: Store) -> None:
    found = values(demo_store, "cycle_products", OFFICER)
    with demo_store.reading() as session:
        counted = participations.counts_by_commune(session, OFFICER, year=2026)
        late = participations.overdue(session, OFFICER, DAY, year=2026)
    assert {key: sum(c.values()) for key, c in counted.items()} == {
        key: e["value"] for key, e in found.items() if e["value"]
    }
    assert sum(e["late"] for e in found.values()) == len(late) > 0
    assert sum(e["value"] for e in values(demo_store, "cycle_late", OFFICER).values()) == len(late)
    districts = values(demo_store, "cycle_products", OFFICER, "districts")
    assert sum(e["value"] for e in districts.values()) == sum(e["value"] for e in found.values())


def test_the_share_of_those_recognised_is_of_those_in_the_cycle(demo_store: Store) -> None:
    counts = values(demo_store, "cycle_products", OFFICER)
    shares = values(demo_store, "cycle_recognised_share", OFFICER)
    assert any(e["value"] for e in shares.values())
    for key, entry in shares.items():
        inside, recognised = counts[key]["value"], counts[key]["recognised"]
        expected = round(100 * recognised / inside, 1) if inside else None
        assert entry["value"] == expected


def test_an_officer_of_a_commune_counts_only_their_own(demo_store: Store) -> None:
    with demo_store.reading() as session:
        home = session.scalars(sa.select(Participation.commune_id).order_by(Participation.id)).first()
    found = values(demo_store, "cycle_products", Actor(role=Role.COMMUNE_OFFICER, commune_id=home))
    assert [key for key, e in found.items() if e["value"]] == [home]


def test_certificates_that_end_within_180_days_are_counted_for_everybody(demo_store: Store) -> None:
    found = values(demo_store, "certificates_ending", PUBLIC)
    with demo_store.reading() as session:
        last = DAY + dt.timedelta(days=180)
        rule = sa.and_(Product.status == "published", Product.expires_on >= DAY, Product.expires_on <= last)
        expected = session.scalar(sa.select(sa.func.count(Product.id)).where(rule))
    assert sum(e["value"] for e in found.values()) == expected


@pytest.mark.parametrize(
    "role", [None, "producer", "council_member", "planner", "inspector", "commune_officer"]
)
def test_progress_is_listed_and_given_out_to_officers_only(
    client: FlaskClient, header_of: Callable[..., dict[str, str]], demo_store: Store, role: str | None
) -> None:
    with demo_store.reading() as session:
        code = session.scalar(sa.text("SELECT code FROM communes WHERE edition = '2020' ORDER BY id LIMIT 1"))
    facts = {"commune_officer": {"territory": code}, "producer": {"producer_id": 1}}.get(role or "", {})
    headers = header_of(role, **facts) if role else {}
    listed = {i["id"] for i in client.get("/statistics.json", headers=headers).json["indicators"]}
    officer = role in ("planner", "inspector", "commune_officer")
    assert (listed & OF_OFFICERS) == (OF_OFFICERS if officer else set())
    assert "certificates_ending" in listed
    for name in OF_OFFICERS:
        for form in ("json", "csv"):
            answer = client.get(f"/statistics/{name}.{form}", headers=headers)
            assert answer.status_code == (200 if officer else 404)


def test_a_moved_product_is_seen_on_the_map_at_once(
    client: FlaskClient, header_of: Callable[..., dict[str, str]], demo_store: Store
) -> None:
    headers = header_of("planner")
    first = client.get("/statistics/cycle_products.json", headers=headers)
    asked = {**headers, "If-None-Match": first.headers["ETag"]}
    assert client.get("/statistics/cycle_products.json", headers=asked).status_code == 304
    with demo_store.writing() as session:
        row = session.scalars(sa.select(Participation).where(Participation.status == "idea")).first()
        assert row is not None
        participations.move(session, OFFICER, row.id, "plan")
    assert client.get("/statistics/cycle_products.json", headers=asked).status_code == 200


# ---- the product's page


def certificate_in(store: Store, state: str) -> Certificate:
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    with store.reading() as session:
        rows = session.scalars(
            sa.select(Certificate)
            .join(Product, Product.id == Certificate.product_id)
            .where(Product.status == "published")
        )
        return next(row for row in rows if certificates.state_of(row, today) == state)


def test_a_product_in_force_says_so_with_the_day_it_ends(client: FlaskClient, demo_store: Store) -> None:
    certificate = certificate_in(demo_store, "in_force")
    text = client.get(f"/products/{certificate.product_id}").get_data(as_text=True)
    assert 'data-certificate="in_force"' in text
    ends = certificate.expires_on
    assert f"{ends.day}/{ends.month}/{ends.year}" in text or f"{ends:%d/%m/%Y}" in text


def test_a_revoked_certificate_shows_at_once_and_to_everybody(client: FlaskClient, demo_store: Store) -> None:
    certificate = certificate_in(demo_store, "in_force")
    address = f"/products/{certificate.product_id}"
    assert "thu hồi" not in client.get(address).get_data(as_text=True)
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    with editing(demo_store, OFFICER, "programme") as edits:
        row, facts, _in_time = certificates.revoke(
            edits.session, OFFICER, certificate.id, reason="d", note="Dùng sai nhãn", decision="300/QĐ-UBND",
            concluded_on=today, today=today,
        )  # fmt: skip
        edits.update(catalogue.layer("products"), row.product_id, {}, decided=facts)
    text = client.get(address).get_data(as_text=True)
    assert 'data-certificate="revoked"' in text and "đã bị thu hồi ngày" in text
    assert 'data-certificate="in_force"' not in text


def test_only_those_who_see_a_participation_find_the_way_to_it(
    client: FlaskClient, header_of: Callable[..., dict[str, str]], demo_store: Store
) -> None:
    with demo_store.reading() as session:
        row = session.scalars(sa.select(Participation)).first()
        assert row is not None
        key, product = row.id, row.product_id
    link = f"/programme/participations/{key}"
    assert link not in client.get(f"/products/{product}").get_data(as_text=True)
    answer = client.get(f"/products/{product}", headers=header_of("planner"))
    assert link in answer.get_data(as_text=True)
