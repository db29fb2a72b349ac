"""The choropleth on another edition of boundaries: its own shapes, and the method named in the legend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import shapely
import sqlalchemy as sa
from playwright.sync_api import expect

from data.admin_units import Commune, CommuneSuccession, Edition
from data.store import Store
from tests.conftest import Server
from tests.web.conftest import Site

NEW = "2031"


@pytest.fixture
def merged(live_server: Server) -> Iterator[str]:
    """An edition in which all communes of a district are one; it goes after the test."""
    store = Store(live_server.environment["OCOPMAP_DATABASE_URL"])
    with store.writing() as session:
        edition = Edition(code=NEW, title="Địa giới 2031", valid_from=dt.date(2031, 1, 1))
        session.add(edition)
        groups: dict[int | None, list[Commune]] = {}
        for commune in session.scalars(sa.select(Commune).where(Commune.edition == "2020")):
            groups.setdefault(commune.district_id, []).append(commune)
        for number, group in enumerate(groups.values()):
            shape = shapely.union_all([c.geom for c in group])
            new = Commune(code=f"m{number}", name=f"Xã mới {number}", kind="xã", edition=NEW)
            new.geom = shapely.MultiPolygon(list(shapely.get_parts(shape)))
            session.add(new)
            session.flush()
            for old in group:
                share = old.geom.area / new.geom.area
                session.add(
                    CommuneSuccession(old_id=old.id, new_id=new.id, share_of_old=1.0, share_of_new=share)
                )
        count = len(groups)
    yield str(count)
    with store.writing() as session:
        fresh = sa.select(Commune.id).where(Commune.edition == NEW)
        session.execute(sa.delete(CommuneSuccession).where(CommuneSuccession.new_id.in_(fresh)))
        session.execute(sa.delete(Commune).where(Commune.edition == NEW))
        session.execute(sa.delete(Edition).where(Edition.code == NEW))
    store.dispose()


def test_the_legend_names_the_method_and_counts_the_units_of_the_edition(site: Site, merged: str) -> None:
    page = site.open_map("#choropleth=growing_area_ha&level=communes")
    legend = page.locator("#choropleth-legend")
    expect(legend).to_contain_text("theo danh sách")
    page.locator("#tab-theme").click()
    page.select_option("#edition", NEW)
    expect(legend.locator("[data-method=list]")).to_contain_text(NEW)
    page.select_option("#method", "area")
    expect(legend.locator("[data-method=area]")).to_contain_text("diện tích")
    counts = legend.locator("[data-class-count]").evaluate_all("all => all.map((e) => +e.dataset.classCount)")
    assert sum(counts) == int(merged)
    assert site.view()["edition"] == NEW and site.view()["method"] == "area"
    expect(legend.get_by_role("link")).to_have_attribute(
        "href", f"/statistics/growing_area_ha.csv?level=communes&edition={NEW}&method=area"
    )
    page = site.open_map(f"#choropleth=growing_area_ha&level=communes&edition={NEW}&method=area")
    expect(legend.locator("[data-method=area]")).to_contain_text(NEW)


def test_with_one_edition_there_is_nothing_to_choose(site: Site) -> None:
    page = site.open_map("#choropleth=growing_area_ha&level=communes")
    expect(page.locator("#choropleth-legend")).to_be_visible()
    expect(page.locator("#edition-choice")).to_have_attribute("hidden", "")
