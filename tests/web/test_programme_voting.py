"""The ballot and the self-check in a browser: by keyboard, on a phone, with locks, cases and live points."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from data.accounts import Account, Actor, Role, hash_password
from data.products import Product
from data.programme.tables import Participation
from data.store import Store
from tests.conftest import Server
from tests.services import programme as play
from tests.web.conftest import PHONE, WIDE, Site


@pytest.fixture
def store(live_server: Server) -> Iterator[Store]:
    store = Store(live_server.environment["OCOPMAP_DATABASE_URL"])
    yield store
    store.dispose()


def cast(store: Store) -> play.Cast:
    """The people around a product that no other test plays with."""
    with store.reading() as session:
        taken = sa.select(Participation.product_id)
        product = session.scalars(
            sa.select(Product)
            .where(
                Product.producer_id.is_not(None), Product.commune_id.is_not(None), Product.id.not_in(taken)
            )
            .order_by(Product.id.desc())
        ).first()
        assert product is not None
        return play.Cast(
            store,
            product.id,
            Actor(role=Role.PRODUCER, producer_id=product.producer_id, name="Chủ thể"),
            Actor(role=Role.COMMUNE_OFFICER, commune_id=product.commune_id, name="Cán bộ xã"),
            Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh"),
        )


def enter(server: Server, site: Site, member: Actor, store: Store) -> Page:
    """Sign in as a member of the council."""
    with store.writing() as session:
        account = session.get_one(Account, member.account_id)
        account.password_hash = hash_password(server.password)
        name = account.username
    page = site.open("/login")
    page.fill("#username", name)
    page.fill("#password", server.password)
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_be_visible()
    return page


def chosen(page: Page, code: str) -> str | None:
    found = page.locator(f"[name='c:{code}']:checked")
    return found.get_attribute("value") if found.count() else None


def test_ballots_are_filled_in_by_keyboard_and_on_a_phone(
    live_server: Server, make_site: Callable[..., Site], store: Store
) -> None:
    people = cast(store)
    key = play.to_council(people)
    council_id, members = play.seat_council(people)
    item = play.open_meeting(people, council_id, key)
    page = enter(live_server, make_site(WIDE), members[0], store)
    page.goto(f"{live_server.url}/programme/items/{item}/ballot")
    page.keyboard.press("j")
    page.keyboard.press("2")
    assert chosen(page, "1.1") == "1"
    page.keyboard.press("j")
    page.keyboard.press("1")
    assert chosen(page, "1.2") == "0"
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    assert chosen(page, "1.1") == "2"
    expect(page.locator("[data-progress]")).to_have_text("2/32")
    story = page.locator("[name='c:5.2']").first
    expect(story).to_be_enabled()
    page.locator("[name='c:5.1']").first.check()
    expect(page.locator("[data-progress]")).to_have_text("4/32")
    expect(story).to_be_disabled()
    expect(page.locator("[data-criterion='5.2']")).to_have_attribute("data-locked", "")
    page.locator("[name='c:5.1']").last.check()
    expect(story).to_be_enabled()
    # Letters that are typed into a note stay letters.
    page.locator("[data-criterion='1.1'] summary").click()
    page.locator("[name='n:1.1']").fill("")
    page.locator("[name='n:1.1']").press_sequentially("jk1")
    assert page.locator("[name='n:1.1']").input_value() == "jk1"
    phone = enter(live_server, make_site(PHONE), members[1], store)
    phone.goto(f"{live_server.url}/programme/items/{item}/ballot")
    expect(phone.locator("[data-progress]")).to_have_text("0/32")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_case_is_chosen_before_its_options_and_the_self_check_counts_live(site: Site) -> None:
    site.sign_in("province_officer")
    page = site.open("/programme/self-check?set=26")
    options = page.locator("[name='c:15']")
    expect(options.nth(0)).to_be_disabled()
    expect(options.nth(3)).to_be_disabled()
    page.locator("[name=case]").nth(1).check()
    expect(options.nth(0)).to_be_disabled()
    options.nth(3).check()
    expect(page.locator("[data-live]")).to_contain_text("3 điểm")
    page.locator("[name=case]").nth(0).check()
    expect(options.nth(3)).to_be_disabled()
    expect(options.nth(3)).not_to_be_checked()
    options.nth(0).check()
    expect(page.locator("[data-live]")).to_contain_text("1 điểm")
    expect(page.locator("[data-result]")).to_contain_text("1★")
