"""axe-core on the main pages, in both widths: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.conftest import ROOT, lacking
from tests.web.conftest import PHONE, WIDE, Site

AXE = ROOT / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FOCUSED = "document.activeElement !== document.body"


def serious(site: Site) -> list[str]:
    """The serious and critical findings of axe-core on the page as it stands."""
    if not AXE.exists():
        lacking("axe-core (npm ci)")
    site.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = site.page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then((r) => r.violations)", RULES
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:5]
    ]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(
    "path", ["/", "/products/{id}", "/login", "/growing_areas", "/communes/1", "/search?q=tom"]
)
def test_pages_have_no_serious_barrier(
    make_site: Callable[..., Site], path: str, viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    site.open(path.format(id=site.first("products")["id"]))
    assert serious(site) == []


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_map_has_no_serious_barrier(make_site: Callable[..., Site], viewport: dict[str, int]) -> None:
    site = make_site(viewport, bypass_csp=True)
    product = site.first("products")["id"]
    page = site.open_map(f"#selected=products/{product}&choropleth=craft_villages&level=communes")
    expect(page.locator(".maplibregl-popup")).to_be_visible()
    page.locator("#twin-button").click()
    expect(page.locator("#table tbody tr").first).to_be_visible()
    assert serious(site) == []


def test_the_edit_form_has_no_serious_barrier(make_site: Callable[..., Site]) -> None:
    site = make_site(bypass_csp=True)
    site.sign_in()
    page = site.open(f"/edit/growing_areas/{site.first('growing_areas')['id']}")
    expect(page.locator("#edit-map")).to_have_attribute("data-draw-ready", "1")
    assert serious(site) == []


def test_focus_is_always_visible_on_the_way_through_the_home_page(site: Site) -> None:
    page = site.open("/")
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED)
        outlined = page.evaluate(
            "(() => { const n = document.activeElement; const s = getComputedStyle(n);"
            " const c = n.closest('.card'); return s.outlineStyle !== 'none' || s.top === '0px' ||"
            " (c && getComputedStyle(c).outlineStyle !== 'none') || n.closest('svg') !== null; })()"
        )
        assert outlined, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
