"""The complete story in a browser, by role: from the idea to a certificate of four stars on the public map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from data import people as office
from data.accounts import Account
from data.admin_units import Commune
from data.products import Product
from data.programme import ballots
from data.programme.tables import AgendaItem, Dossier, Participation
from data.store import Store
from tests.conftest import Server
from tests.services import programme as play
from tests.web.conftest import PHONE, WIDE, Site

PAPERS = ("business_registration", "material_origin", "quality_declaration", "test_report")


@dataclass
class Stage:
    """The product of the story and its people's user names."""

    server: Server
    store: Store
    make_site: Callable[..., Site]
    product: int
    name: str
    people: dict[str, str]
    members: list[str] = field(default_factory=list)

    def enter(self, who: str, viewport: dict[str, int] = WIDE) -> Page:
        """A new window in which somebody is signed in."""
        site = self.make_site(viewport)
        page = site.open("/login")
        page.fill("#username", self.people.get(who, who))
        page.fill("#password", self.server.password)
        page.locator("main button[type=submit]").click()
        expect(page.locator("h1")).to_be_visible()
        return page


@pytest.fixture
def stage(live_server: Server, make_site: Callable[..., Site]) -> Stage:
    store = Store(live_server.environment["OCOPMAP_DATABASE_URL"])
    with store.reading() as session:
        product = session.scalars(
            sa.select(Product)
            .join(Commune, Commune.id == Product.commune_id)
            .where(
                Product.stars.is_(None),
                Product.producer_id.is_not(None),
                Product.status == "published",
                Product.geom.is_not(None),
                Product.id.not_in(sa.select(Participation.product_id)),
            )
            .order_by(Product.id)
        ).first()
        assert product is not None and product.commune is not None
        key, name, producer, code = product.id, product.name, product.producer_id, product.commune.code
    password = live_server.password
    office.add_person(store, "chu-the", "producer", password=password, producer_id=producer)
    office.add_person(store, "can-bo-xa", "commune_officer", password=password, territory=code)
    members = [f"uy-vien-{n}" for n in range(1, 10)]
    for member in members:
        office.add_person(
            store, member, "council_member", password=password, display_name=f"Ủy viên {member[-1]}"
        )
    found = {
        "producer": "chu-the",
        "commune": "can-bo-xa",
        "province": live_server.accounts["province_officer"],
    }
    yield Stage(live_server, store, make_site, key, name, found, members)
    store.dispose()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def choose_all(page: Page, **other: int) -> None:
    """Choose the option with the most points everywhere, but for some criteria."""
    page.evaluate(
        """(other) => {
          for (const field of document.querySelectorAll("fieldset.criterion")) {
            const options = [...field.querySelectorAll("input[type=radio]")];
            const code = options[0].name.slice(2);
            const best = options.reduce((a, b) => (Number(b.dataset.points) > Number(a.dataset.points) ? b : a));
            const chosen = code in other ? options[other[code]] : best;
            chosen.checked = true;
          }
        }""",
        {name.lstrip("c").replace("_", "."): index for name, index in other.items()},
    )


def hand_in(stage: Stage) -> None:
    """The producer: idea, plan, implementation, dossier with evidence, on a phone."""
    page = stage.enter("producer", PHONE)
    page.goto(f"{stage.server.url}/programme/new")
    page.select_option("#product", str(stage.product))
    page.fill("#year", "2026")
    page.fill("#idea", "Bao gói mới")
    press(page, "Đăng ký")
    for to in ("plan", "carrying_out", "preparing"):
        page.check(f"input[name=to][value={to}]")
        press(page, "Ghi nhận")
    page.get_by_role("link", name="Lập hồ sơ").click()
    page.select_option("#set", "8")
    press(page, "Bắt đầu")
    expect(page.get_by_role("heading", name="Còn thiếu")).to_be_visible()
    expect(page.get_by_role("button", name="Nộp hồ sơ")).to_be_disabled()
    page.locator("#scores details").evaluate_all("all => all.forEach(d => (d.open = true))")
    choose_all(page)
    press(page, "Lưu điểm tự chấm")
    expect(page.locator("#scores")).to_contain_text("dự kiến 5 sao")
    for kind in PAPERS:
        page.locator("#evidence summary").click()
        page.select_option("#kind", kind)
        page.set_input_files(
            "#file", {"name": f"{kind}.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 thu"}
        )
        press(page, "Thêm")
    values = {"representative": "Trần Thị Minh Hoạ", "address": "Ấp 1", "phone": "0290000000", "packaging": "200 g",
              "registration_number": "mh-1", "representative_ethnicity": "Kinh", "results": "Tốt", "plan": "Mở rộng",
              "organisation": "HTX Minh Hoạ"}  # fmt: skip
    for name, value in values.items():
        page.fill(f"#f-{name}", value)
    page.select_option("#f-representative_gender", "female")
    page.select_option("#f-producer_kind", index=1)
    page.check("input[name=pledge]")
    press(page, "Lưu biểu mẫu")
    expect(page.get_by_text("Hồ sơ đã đủ")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    press(page, "Nộp hồ sơ")
    expect(page.locator(".lead")).to_contain_text("Đã nộp xã")


def open_first_task(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.server.url}/programme")
    page.get_by_role("link", name=stage.name).click()
    page.get_by_role("link", name="Mở hồ sơ").click()


def check_at_commune(stage: Stage) -> None:
    """The commune: receipt, four contents, proposal."""
    page = stage.enter("commune")
    open_first_task(page, stage)
    press(page, "Tiếp nhận, cấp số phiếu")
    expect(page.get_by_text("-X/PĐK-")).to_be_visible()
    for content in ("origin", "labour", "idea", "identity"):
        page.check(f"input[name='met:{content}'][value=yes]")
    page.fill("#letter_number", "15/UBND")
    press(page, "Đề nghị tỉnh")
    expect(page.locator(".lead")).to_contain_text("Xã đề nghị tỉnh")


def seat_council(stage: Stage) -> str:
    """The province: receipt with samples, to the council; the council with nine members; the session."""
    page = stage.enter("province")
    open_first_task(page, stage)
    page.fill("#samples", "5")
    press(page, "Tiếp nhận, cấp số phiếu")
    press(page, "Giao Tổ tư vấn")
    press(page, "Trình Hội đồng")
    expect(page.locator(".lead")).to_contain_text("Chờ Hội đồng")
    page.goto(f"{stage.server.url}/programme/councils")
    page.fill("#decision_number", "100/QĐ-UBND")
    page.fill("#decision_date", "2026-06-02")
    press(page, "Thành lập")
    for (agency, role), member in zip(play.SEATS, stage.members, strict=True):
        page.locator("summary", has_text="Thêm thành viên").click()
        page.fill("#name", f"Ủy viên {member[-1]}")
        page.fill("#agency", agency)
        page.select_option("#role", role)
        page.select_option("#account", label=f"Ủy viên {member[-1]} ({member})")
        press(page, "Thêm")
    expect(page.get_by_text("chưa có thư ký")).to_be_visible()
    page.locator("summary", has_text="Thêm thành viên").click()
    page.fill("#name", "Thư ký")
    page.fill("#agency", "Văn phòng")
    page.select_option("#role", "secretary")
    press(page, "Thêm")
    expect(page.get_by_text("Thành phần chưa đúng")).to_have_count(0)
    page.fill("#starts_at", "2026-06-20T08:00")
    press(page, "Lập chương trình")
    press(page, "Mở phiên họp")
    expect(page.get_by_text("Phiên họp đã mở")).to_be_visible()
    return page.url


def judge(stage: Stage, session_url: str) -> None:
    """One member judges on a phone, the others likewise through the same rules."""
    page = stage.enter(stage.members[0], PHONE)
    page.goto(f"{stage.server.url}/programme")
    page.get_by_role("link", name=stage.name).click()
    choose_all(page, c4_1=2)
    page.locator("fieldset.criterion input[type=radio]").first.dispatch_event("change")
    live = page.locator("[data-live]")
    expect(live).to_contain_text("98 điểm")
    expect(live).to_contain_text("trần 4★")
    expect(live).to_contain_text("4.1")
    press(page, "Nộp phiếu")
    expect(page.get_by_text("mã nhận").first).to_be_visible()
    expect(page.locator("fieldset.plain-fieldset")).to_have_attribute("disabled", "")
    with stage.store.writing() as session:
        own = sa.select(AgendaItem.id).join(Dossier, Dossier.id == AgendaItem.dossier_id)
        item = session.scalars(own.where(Dossier.product_id == stage.product)).one()
        choices = play.best_choices("2026", 8, c4_1=2)
        for member in stage.members[1:]:
            actor = session.scalars(sa.select(Account).where(Account.username == member)).one().actor()
            ballots.save(session, actor, item, choices=choices)
            ballots.submit(session, actor, item)
    officer = stage.enter("province")
    officer.goto(session_url)
    press(officer, "Chốt kết quả")
    expect(officer.get_by_text("4 sao").first).to_be_visible()
    with officer.expect_download() as minutes:
        officer.get_by_role("link", name="Biên bản (PDF)").click()
    assert minutes.value.path().read_bytes().startswith(b"%PDF")
    press(officer, "Kết thúc phiên họp")
    officer.get_by_role("link", name="Ghi quyết định").click()
    officer.fill("#decision_number", "200/QĐ-UBND")
    officer.fill("#decision_date", "2026-06-30")
    officer.fill("#number", "01/GCN-2026")
    press(officer, "Ghi quyết định, cấp giấy")
    expect(officer.locator(".lead")).to_contain_text("Công nhận 3–4 sao")


def test_an_idea_becomes_four_stars_on_the_public_map_and_loses_them_when_revoked(
    stage: Stage, site: Site
) -> None:
    hand_in(stage)
    check_at_commune(stage)
    judge(stage, seat_council(stage))
    shown = site.json(f"/layers/products/{stage.product}.geojson")["properties"]
    assert (shown["stars"], shown["certificate_number"]) == (4, "01/GCN-2026")
    page = site.open(f"/products/{stage.product}")
    expect(page.locator("main")).to_contain_text("4 sao")

    officer = stage.enter("province")
    officer.goto(f"{stage.server.url}/programme/certificates")
    officer.get_by_role("link", name=stage.name).click()
    officer.locator("summary", has_text="Thu hồi").click()
    officer.check("input[name=reason][value=d]")
    officer.fill("#note", "Dùng sai nhãn")
    officer.fill("#decision", "300/QĐ-UBND")
    officer.fill("#concluded_on", dt.date.today().isoformat())
    press(officer, "Thu hồi")
    expect(officer.locator(".lead")).to_contain_text("Thu hồi")
    assert site.json(f"/layers/products/{stage.product}.geojson")["properties"]["stars"] is None
