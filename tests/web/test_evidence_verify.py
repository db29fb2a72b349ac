"""The browser recomputes a lot's chain by itself; one changed byte and it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from data.store import Store
from data.traceability import heads, signing
from data.traceability.identifiers import public_path
from data.traceability.lots import Lot
from data.traceability.tables import TraceItem
from tests.conftest import Server
from tests.web.conftest import PHONE, Site
from tests.web.test_accessibility import serious

HAS_ED25519 = """crypto.subtle.generateKey({name: "Ed25519"}, false, ["sign", "verify"])
    .then(() => true, () => false)"""


@pytest.fixture(scope="module")
def lot(live_server: Server) -> tuple[int, str]:
    """A released lot whose events a signed head covers, with the address of its page."""
    store = Store(live_server.environment["OCOPMAP_DATABASE_URL"])
    heads.sign_due(store, signing.key_file(live_server.instance))
    query = (
        sa.select(Lot.id, TraceItem.uri)
        .join(TraceItem, TraceItem.lot_id == Lot.id)
        .where(TraceItem.kind == "lot", TraceItem.state == "free", Lot.status == "published")
        .order_by(Lot.id)
    )
    with store.reading() as session:
        lot_id, uri = session.execute(query).first()  # type: ignore[misc]
    store.dispose()
    return lot_id, f"{public_path(uri)}?lang=vi"


def block(page: Page) -> Any:
    return page.locator("[data-evidence-block]")


def check(page: Page, path: str) -> None:
    page.goto(path)
    block(page).get_by_role("button", name="Tự kiểm tra hồ sơ").click()


def test_the_page_says_since_when_and_the_browser_finds_the_same(site: Site, lot: tuple[int, str]) -> None:
    page = site.open(lot[1])
    expect(block(page)).to_contain_text("Chưa bị sửa từ")
    block(page).get_by_role("button", name="Tự kiểm tra hồ sơ").click()
    expect(block(page)).to_have_attribute("data-evidence", "ok")
    expect(block(page).get_by_role("status")).to_contain_text("Đã tự tính lại trên máy này")
    signed = "Chữ ký của đầu chuỗi đúng" if page.evaluate(HAS_ED25519) else "chưa kiểm được chữ ký"
    expect(block(page).get_by_role("status")).to_contain_text(signed)


def _later_hex(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def _value(record: dict[str, Any]) -> None:
    record["events"][0]["fields"][0]["value"] = '"AggregationEvent"'


def _hidden(record: dict[str, Any]) -> None:
    hidden = record["events"][2]["hidden"]
    hidden[0] = _later_hex(hidden[0])


def _time(record: dict[str, Any]) -> None:
    record["events"][1]["recordTime"] = "2020-01-01T00:00:00.000Z"


def _taken_out(record: dict[str, Any]) -> None:
    del record["events"][1]


def _link(record: dict[str, Any]) -> None:
    record["events"][-1]["link"] = _later_hex(record["events"][-1]["link"])


def _path(record: dict[str, Any]) -> None:
    step = record["events"][0]["path"][0]
    step[1] = _later_hex(step[1])


def _signed(record: dict[str, Any]) -> None:
    head = record["heads"][0]
    start, body, signature = head["jws"].split(".")
    payload = json.loads(signing.decoded(body))
    changed = signing.encoded(json.dumps({**payload, "events": payload["events"] + 1}).encode())
    head["jws"] = f"{start}.{changed}.{signature}"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_value, "sự kiện thứ 1 không còn như lúc ghi"),
        (_hidden, "sự kiện thứ 3 không còn như lúc ghi"),
        (_time, "sự kiện thứ 2 không còn như lúc ghi"),
        (_taken_out, "trước sự kiện thứ 3 thiếu hoặc thừa"),
        (_link, "đã bị đổi"),
        (_path, "sự kiện thứ 1 không nằm trong chuỗi đã ký"),
        (_signed, "chữ ký của đầu chuỗi"),
    ],
)
def test_a_changed_record_is_refused(
    site: Site, lot: tuple[int, str], change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    def answer(route: Route) -> None:
        record = route.fetch().json()
        change(record)
        route.fulfill(json=record)

    site.page.route("**/evidence.json", answer)
    check(site.page, site.server.url + lot[1])
    if change is _signed and not site.page.evaluate(HAS_ED25519):
        expect(block(site.page)).to_contain_text("chưa kiểm được chữ ký")
        return
    expect(block(site.page)).to_have_attribute("data-evidence", "bad")
    expect(block(site.page).get_by_role("status")).to_contain_text(sentence)


def test_heads_by_a_key_that_is_not_published_are_refused(
    site: Site, lot: tuple[int, str], tmp_path: Path
) -> None:
    stranger = signing.kept_key(tmp_path / "key.pem").public.jwk
    site.page.route("**/ocop-evidence.json", lambda route: route.fulfill(json={"keys": [stranger]}))
    check(site.page, site.server.url + lot[1])
    expect(block(site.page)).to_have_attribute("data-evidence", "bad")


def test_when_the_record_cannot_be_fetched_the_page_says_so(site: Site, lot: tuple[int, str]) -> None:
    site.allowed.append("evidence.json")
    site.allowed.append("503")
    site.page.route("**/evidence.json", lambda route: route.fulfill(status=503, body="{}"))
    check(site.page, site.server.url + lot[1])
    expect(block(site.page).get_by_role("status")).to_contain_text("Chưa tải được")


def test_the_page_of_heads_works_on_a_phone_and_by_keyboard(
    make_site: Callable[..., Site], lot: tuple[int, str]
) -> None:
    site = make_site(PHONE, bypass_csp=True)
    page = site.open("/evidence?lang=vi")
    expect(page.locator("h1")).to_have_text("Chứng cứ chống sửa hồ sơ")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not serious(site)
    page.goto(site.server.url + lot[1])
    button = block(page).get_by_role("button", name="Tự kiểm tra hồ sơ")
    button.focus()
    page.keyboard.press("Enter")
    expect(block(page)).to_have_attribute("data-evidence", "ok")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not serious(site)
