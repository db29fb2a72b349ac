"""Figures on either edition of boundaries: the sums stay, and the method is named."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from data.accounts import SYSTEM
from data.admin_units import Commune, CommuneSuccession, Edition
from data.store import Store
from gis.errors import Refusal
from layers import statistics
from layers.redistribution import AREA, LIST

NEW = "2031"


@pytest.fixture
def merged(demo_store: Store) -> Store:
    """The demonstration province with an edition in which every three communes are one, the last split in two."""
    import datetime as dt

    with demo_store.writing() as session:
        if not session.scalar(sa.select(Edition.id).where(Edition.code == NEW)):
            session.add(Edition(code=NEW, title="Địa giới 2031", valid_from=dt.date(2031, 1, 1)))
        old = session.scalars(
            sa.select(Commune).where(Commune.edition == "2020").order_by(Commune.code)
        ).all()
        for start in range(0, len(old), 3):
            group = old[start : start + 3]
            shape: Any = shapely.union_all([c.geom for c in group])
            west, south, east, north = shape.bounds
            middle = (west + east) / 2
            halves = [
                shapely.box(west - 1, south, middle, north),
                shapely.box(middle, south, east + 1, north),
            ]
            pieces = [shape] if start else [shapely.intersection(shape, half) for half in halves]
            for number, piece in enumerate(pieces):
                new = Commune(code=f"n{start}-{number}", name=f"Xã {start}", kind="xã", edition=NEW)
                new.geom = shapely.MultiPolygon([p for p in shapely.get_parts(piece) if p.area > 0])
                session.add(new)
                session.flush()
                for commune in group:
                    part = shapely.intersection(commune.geom, new.geom).area
                    if part > 1e-12:
                        session.add(
                            CommuneSuccession(
                                old_id=commune.id,
                                new_id=new.id,
                                share_of_old=part / commune.geom.area,
                                share_of_new=part / new.geom.area,
                            )
                        )
    return demo_store


@pytest.mark.parametrize("method", [LIST, AREA])
@pytest.mark.parametrize("name", ["products_by_star", "growing_area_ha", "craft_villages", "producers"])
def test_sums_are_the_same_on_both_editions(merged: Store, name: str, method: str) -> None:
    chosen = statistics.indicator(name)
    with merged.reading() as session:
        before = statistics.on_edition(session, chosen, "communes", SYSTEM)
        after = statistics.on_edition(session, chosen, "communes", SYSTEM, edition=NEW, method=method)
    names = ["value", *chosen.details]
    for measure in names:
        old, new = (sum(e[measure] or 0 for e in t.entries) + t.unplaced[measure] for t in (before, after))
        assert new == pytest.approx(old, abs=0.05 * len(before.entries))
    assert after.edition == NEW and after.method_id == method and NEW in after.method.vi
    assert before.method_id == LIST


def test_lists_stay_whole_numbers_and_areas_need_not(merged: Store) -> None:
    chosen = statistics.indicator("craft_villages")
    with merged.reading() as session:
        listed = statistics.on_edition(session, chosen, "communes", SYSTEM, edition=NEW, method=LIST)
        shared = statistics.on_edition(session, chosen, "communes", SYSTEM, edition=NEW, method=AREA)
    assert all(float(e["value"]).is_integer() for e in listed.entries)
    halves = [e["value"] for e in shared.entries if e["code"] in ("n0-0", "n0-1")]
    whole = [e["value"] for e in listed.entries if e["code"] in ("n0-0", "n0-1")]
    assert sum(halves) == pytest.approx(sum(whole), abs=0.11)


def test_an_unknown_edition_and_a_missing_crosswalk_are_refused(demo_store: Store, merged: Store) -> None:
    chosen = statistics.indicator("producers")
    with merged.writing() as session:
        session.execute(sa.delete(CommuneSuccession))
    with merged.reading() as session:
        for edition in ("1900", NEW):
            with pytest.raises(Refusal):
                statistics.on_edition(session, chosen, "communes", SYSTEM, edition=edition, method=AREA)


def test_the_answers_name_edition_and_method(app: Any, merged: Store) -> None:
    client = app.test_client()
    known = client.get("/statistics.json").json
    assert {e["code"] for e in known["editions"]} >= {"2020", NEW} and set(known["methods"]) == {LIST, AREA}
    answer = client.get(f"/statistics/growing_area_ha.json?edition={NEW}&method=area").json
    assert answer["edition"] == NEW and answer["method_id"] == AREA
    assert "diện tích" in answer["method"]["vi"] and "Area-weighted" in answer["method"]["en"]
    assert client.get("/statistics/growing_area_ha.json").json["edition"] == "2020"
    sheet = client.get(f"/statistics/growing_area_ha.csv?edition={NEW}&method=list")
    assert sheet.mimetype == "text/csv" and f"{NEW}-list.csv" in sheet.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert len(rows) == len(answer["values"])
    assert {r["edition"] for r in rows} == {NEW} and all("Theo danh sách" in r["method"] for r in rows)
    for wrong in ("edition=1800", "method=guess", "level=x", "colour=red"):
        assert client.get(f"/statistics/growing_area_ha.json?{wrong}").status_code in (400, 422)
