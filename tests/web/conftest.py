"""A real browser on the running server; a test fails when the page complains or asks another host."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.conftest import ROOT, Server, lacking

CHROMIUM = "/usr/bin/chromium"
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE = 20_000
WIDE = {"width": 1280, "height": 720}
PHONE = {"width": 360, "height": 740}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, drawing WebGL without a graphics card."""
    if shutil.which(CHROMIUM) is None:
        lacking("chromium (Debian: chromium)")
    if not (ROOT / "webmap/static/vendor/vendor.json").exists():
        lacking("browser libraries (npm ci && npm run vendor)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GL)
        yield opened
        opened.close()


@dataclass
class Site:
    """The server as seen in one tab, with what went wrong there."""

    server: Server
    page: Page
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the site."""
        self.page.goto(self.server.url + path)
        return self.page

    def open_map(self, view: str = "") -> Page:
        """Go to the planner's map and wait until it has drawn itself once."""
        self.page.goto("about:blank")
        self.open(f"/map{view}")
        expect(self.page.locator("#map")).to_have_attribute("data-map-ready", "1")
        expect(self.page.locator("#layers input").first).to_be_visible(visible=self.is_wide)
        return self.page

    @property
    def is_wide(self) -> bool:
        """Whether the side panel stands beside the map."""
        size = self.page.viewport_size
        return size is not None and size["width"] >= 800

    def view(self) -> dict[str, str]:
        """The parts of the address after '#'."""
        fragment = urlsplit(self.page.evaluate("location.href")).fragment
        return dict(part.split("=", 1) for part in fragment.split("&") if part)

    def json(self, path: str) -> Any:
        """What the server answers to a program."""
        request = urllib.request.Request(self.server.url + path, headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def first(self, layer: str, **query: str) -> dict[str, Any]:
        """The first published record of a layer."""
        arguments = "&".join(f"{key}={value}" for key, value in query.items())
        features: list[dict[str, Any]] = self.json(f"/layers/{layer}.geojson?limit=1&{arguments}")["features"]
        return features[0]

    def sign_in(self, role: str = "province_officer") -> None:
        """Sign in as the account of a role."""
        page = self.open("/login")
        page.fill("#username", self.server.accounts[role])
        page.fill("#password", self.server.password)
        page.locator("main button[type=submit]").click()
        expect(page.locator("h1")).to_be_visible()


@pytest.fixture
def make_site(browser: Browser, live_server: Server) -> Iterator[Callable[..., Site]]:
    """Open tabs of any size; in the end none of them may have complained or asked another host."""
    sites: list[Site] = []

    def make(viewport: dict[str, int] = WIDE, *, script: str | None = None, **options: Any) -> Site:
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        if script:
            context.add_init_script(script)
        site = Site(live_server, context.new_page())
        _listen(site)
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.page.context.close()
        unexpected = [c for c in site.complaints if not any(known in c for known in site.allowed)]
        assert not unexpected
        assert not site.foreign


def _listen(site: Site) -> None:
    host = urlsplit(site.server.url).netloc

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.netloc != host:
            site.foreign.append(url)

    site.page.on("request", lambda request: asked(request.url))
    site.page.on("pageerror", lambda error: site.complaints.append(str(error)))
    site.page.on(
        "console",
        lambda message: (
            site.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A wide window."""
    return make_site()


@pytest.fixture
def phone(make_site: Callable[..., Site]) -> Site:
    """A window of 360 px with touch."""
    return make_site(PHONE, has_touch=True)


def click_middle(canvas: Locator) -> None:
    """Click the middle of the map."""
    box = canvas.bounding_box()
    assert box is not None
    canvas.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
