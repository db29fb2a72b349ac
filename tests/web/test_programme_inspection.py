"""Inspection and reports in a browser: a visit made on a phone, and figures that lead to their rows."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.web.conftest import PHONE, Site


def test_a_visit_is_planned_and_begun_on_a_phone(make_site: Callable[..., Site]) -> None:
    site = make_site(PHONE)
    site.sign_in()
    page = site.open("/programme/inspections")
    page.locator("input[name=product]").first.check()
    page.locator("form[action='/programme/inspections'][method=post] button[type=submit]").click()
    expect(page.locator(".notice.ok, .flash").first).to_be_visible()
    row = page.locator("tr", has_text="đã lên kế hoạch").last
    row.locator("th a").click()
    page.get_by_role("button", name="Bắt đầu kiểm tra").click()
    expect(page.locator("#checklist fieldset").first).to_be_visible()
    page.locator("#checklist fieldset").first.get_by_label("Đạt", exact=True).check()
    page.get_by_role("button", name="Lưu bảng kiểm").click()
    expect(page.locator("#checklist fieldset input[value=kept]").first).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_figure_of_the_report_leads_to_its_rows(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.sign_in()
    page = site.open("/programme/reports?by=stars")
    figure = page.locator("tbody tr", has_text="4 sao").locator("td a").first
    number = figure.inner_text()
    figure.click()
    expect(page.locator("#count")).to_contain_text(number)
