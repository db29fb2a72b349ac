"""A producer with a phone in one hand: a lot in a few touches, its steps from the card, a test with its photo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious

#: Touches and typed fields that one may need, so that a lot takes less than a minute.
MOST_TOUCHES = 4


class Hand:
    """Counts what somebody has to do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.touches = 0

    def tap(self, name: str, *, role: str = "button") -> None:
        self.page.get_by_role(role, name=name, exact=True).first.tap()  # type: ignore[arg-type]
        self.touches += 1

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).first.fill(text)
        self.touches += 1


def narrow(page: Page) -> bool:
    """Whether nothing sticks out at the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def begin(site: Site, quantity: str = "120") -> Hand:
    page = site.open("/office/lots/new")
    hand = Hand(page)
    hand.fill("Số lượng", quantity)
    hand.tap("Mở lô")
    expect(page.locator("#checklist")).to_be_visible()
    return hand


@pytest.fixture
def producer(phone: Site) -> Site:
    phone.sign_in("producer")
    return phone


def test_a_lot_is_begun_with_few_touches(producer: Site) -> None:
    page = producer.open("/office")
    page.get_by_role("link", name="Lô và hồ sơ lô").tap()
    hand = Hand(page)
    hand.touches = 1
    hand.tap("Mở lô mới", role="link")
    assert page.get_by_label("Số lô").input_value().startswith("L")
    assert page.get_by_label("Ngày sản xuất").input_value() != ""
    assert narrow(page)
    hand.fill("Số lượng", "120")
    hand.tap("Mở lô")
    expect(page.locator("h1")).to_contain_text("Lô L")
    assert hand.touches <= MOST_TOUCHES
    assert narrow(page)


def test_a_step_is_recorded_from_the_lots_page_and_comes_filled_in_next_time(producer: Site) -> None:
    for round_ in range(2):
        page = begin(producer).page
        page.locator("#checklist a[href*='/steps/']").first.tap()
        expect(page.get_by_role("button", name="Lưu vào hồ sơ")).to_be_visible()
        assert narrow(page)
        for number in page.locator("input[inputmode=decimal]:visible").all():
            if not number.input_value():
                number.fill("60")
        if round_:
            expect(page.get_by_text("Điền sẵn như lô")).to_be_visible()
        page.get_by_role("button", name="Lưu vào hồ sơ").tap()
        expect(page.locator("#step .entries li").first).to_be_visible()


def test_a_test_report_is_photographed_and_its_result_judged(producer: Site, tmp_path: Path) -> None:
    page = begin(producer).page
    address = page.url
    photo = tmp_path / "phieu.jpg"
    page.screenshot(path=photo, type="jpeg")
    page.goto(f"{address}/record/test")
    page.get_by_label("Số phiếu kiểm nghiệm").fill("PKN-1")
    page.get_by_label("Phòng thử nghiệm").fill("Phòng minh hoạ")
    first = page.locator("fieldset").first
    first.get_by_label("Kết quả").fill("50")
    first.get_by_label("Giới hạn").fill("≤ 20")
    first.get_by_label("Đạt", exact=True).check()
    page.locator("#file").set_input_files(photo)
    producer.allowed.append("422")
    page.get_by_role("button", name="Lưu vào hồ sơ").tap()
    expect(page.get_by_role("alert")).to_contain_text("không đạt")
    expect(page.get_by_text("Đã có tệp")).to_be_visible()
    assert page.get_by_label("Số phiếu kiểm nghiệm").input_value() == "PKN-1"
    page.locator("fieldset").first.get_by_label("Không đạt").check()
    page.get_by_role("button", name="Lưu vào hồ sơ").tap()
    expect(page.locator("#test .badge.bad")).to_be_visible()
    expect(page.get_by_role("link", name="xem tệp")).to_be_visible()
    assert narrow(page)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_pages_of_lots_have_no_serious_barrier(
    make_site: Callable[..., Site], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    site.sign_in("producer")
    page = site.open("/office/lots/new")
    assert serious(site) == []
    page.get_by_label("Số lượng").fill("10")
    page.get_by_role("button", name="Mở lô").click()
    expect(page.locator("#checklist")).to_be_visible()
    assert serious(site) == [] and narrow(page)
    lot = page.url
    step = page.locator("#checklist a[href*='/steps/']").first.get_attribute("href")
    for path in (
        step or "",
        *(f"{lot}/record/{b}" for b in ("input", "test", "waste")),
        f"{lot}/inspection",
        f"{lot}/identity",
    ):
        page.goto(path if path.startswith("http") else site.server.url + path)
        assert serious(site) == [], path
        assert narrow(page), path
    for path in ("/office/lots", "/office/lots/calendar"):
        site.open(path)
        assert serious(site) == [], path
        assert narrow(page), path
