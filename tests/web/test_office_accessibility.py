"""axe-core and the width of the phone on the pages behind the sign-in: the desk and the programme."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.web.conftest import PHONE, WIDE, Site
from tests.web.test_accessibility import serious

DESK = (
    "/office",
    "/office/batches",
    "/office/boundaries",
    "/office/boundaries/changes",
    "/office/export",
    "/office/import",
    "/office/import/register",
    "/office/qgis",
    "/office/quality",
    "/office/table/products",
    "/history/growing_areas",
    "/jobs",
    "/views",
)
PROGRAMME = (
    "/programme",
    "/programme/advisory",
    "/programme/board",
    "/programme/certificates",
    "/programme/certificates/1",
    "/programme/councils",
    "/programme/councils/1",
    "/programme/criteria",
    "/programme/criteria/2026/3",
    "/programme/criteria/2026/3/revise",
    "/programme/dossiers/1",
    "/programme/dossiers/1/decision",
    "/programme/inspections",
    "/programme/inspections/1",
    "/programme/new",
    "/programme/participations/1",
    "/programme/products/1/standards",
    "/programme/reports",
    "/programme/rounds",
    "/programme/self-check",
    "/programme/sessions/1",
    "/programme/sessions/1/compare",
)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("paths", [DESK, PROGRAMME], ids=["desk", "programme"])
def test_pages_behind_the_sign_in_have_no_serious_barrier_and_fit(
    make_site: Callable[..., Site], paths: tuple[str, ...], viewport: dict[str, int]
) -> None:
    site = make_site(viewport, bypass_csp=True)
    site.sign_in("administrator")
    found = {}
    for path in paths:
        answer = site.page.goto(site.server.url + path)
        assert answer is not None and answer.status == 200, path
        wrong = serious(site)
        if site.page.evaluate(WIDER) > 0:
            wrong.append("wider than the window")
        if wrong:
            found[path] = wrong
    assert not found
