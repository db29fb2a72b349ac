"""A change of boundaries on the real communes, beside the real editions of 2020 and 2025, on both databases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import shapely
import sqlalchemy as sa

from data import lineage
from data.accounts import PUBLIC, Actor, Role
from data.admin_units import Commune, CommuneSuccession, District, edition_in_use
from data.boundaries import applying, changes, import_boundaries, outlines, undoing
from data.store import Store
from gis import coverage
from layers.search import search

OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
DAY = dt.date(2026, 11, 1)


@pytest.fixture
def real_store(demo_store: Store, real_data: Path) -> Store:
    """The demonstration rows on the real communes of 2020, with those of 2025 joined by the crosswalk."""
    import_boundaries(demo_store, real_data / "communes_legacy.geojson", edition="2020")
    import_boundaries(
        demo_store,
        real_data / "communes_2025.geojson",
        edition="2025",
        crosswalk=real_data / "crosswalk_legacy_2025.csv",
    )
    return demo_store


def links(store: Store) -> set[tuple[str, str, str, str, float]]:
    """Every succession by edition and code."""
    with store.reading() as session:
        rows = session.scalars(sa.select(CommuneSuccession)).all()
        return {
            (r.old.edition, r.old.code, r.new.edition, r.new.code, round(r.share_of_old, 9)) for r in rows
        }


def apply(store: Store, kind: str, codes: list[str], line: shapely.LineString | None, *names: str) -> int:
    with store.reading() as session:
        edition = edition_in_use(session)
        rows = [
            session.scalars(sa.select(Commune).where(Commune.code == code, Commune.edition == edition)).one()
            for code in codes
        ]
        ids, shapes = [row.id for row in rows], [row.geom for row in rows]
    change_id = changes.begin(store, OFFICER, kind, ids)
    changes.set_decree(
        store,
        OFFICER,
        change_id,
        decree="1/NQ",
        decree_date=DAY,
        authority="",
        effective_on=DAY,
        note="",
        version=None,
    )
    if line is not None:
        pieces = outlines.from_geojson(shapely.to_geojson(line), shapes)
        changes.set_outlines(store, OFFICER, change_id, pieces, version=None)
    with store.reading() as session:
        after = changes.find(session, change_id).units_after
    described = [{**u, "code": u["code"] or "99901", "name": n} for u, n in zip(after, names, strict=True)]
    changes.describe(store, OFFICER, change_id, described, version=None)
    found = applying.mark_previewed(store, OFFICER, change_id)
    assert [str(remark) for remark in found.blocking] == []
    applying.apply(store, OFFICER, change_id, day=DAY)
    return change_id


def test_real_communes_are_merged_and_split_cleanly_and_the_editions_stay_joined(real_store: Store) -> None:
    joined = links(real_store)
    merged = apply(real_store, "merge", ["31999", "32002", "32005"], None, "Phường Trung Tâm")
    with real_store.reading() as session:
        rows = session.scalars(sa.select(Commune).where(Commune.edition == edition_in_use(session))).all()
        largest = max(rows, key=lambda row: row.area_ha or 0)
        _, south, _, north = largest.geom.bounds
        code, old_id = largest.code, largest.id
    middle = shapely.point_on_surface(largest.geom)
    line = shapely.LineString([(middle.x - 1e-4, south - 0.05), (middle.x + 1e-4, north + 0.05)])
    split = apply(real_store, "split", [code], line, "Xã Phần Lớn", "Xã Phần Nhỏ")
    with real_store.reading() as session:
        in_use = edition_in_use(session)
        rows = session.scalars(sa.select(Commune).where(Commune.edition == in_use)).all()
        assert len(rows) == 101 - 2 + 1
        assert coverage.is_clean([row.geom for row in rows])
        old = session.scalars(sa.select(Commune.geom).where(Commune.edition == "2020")).all()
        assert len(old) == 101 and coverage.is_clean(old)
        gone = shapely.area(
            shapely.symmetric_difference(shapely.union_all([r.geom for r in rows]), shapely.union_all(old))
        )
        assert gone < 1e-10
        for district in session.scalars(sa.select(District).where(District.edition == in_use)):
            own = shapely.union_all([row.geom for row in rows if row.district_id == district.id])
            assert shapely.area(shapely.symmetric_difference(own, district.geom)) < 1e-12
        assert sum(heir.share for heir in lineage.heirs(session, old_id)) == pytest.approx(1, abs=1e-6)
        # 32002 was Phường 4 until 2024 and is An Xuyên in the table of 2025; today's holder of Phường 4 differs.
        found = {m.name: (m.edition, [h.name for h in m.now]) for m in lineage.meanings(session, "32002")}
        assert found["Phường 4"] == ("2020", ["Phường Trung Tâm"])
        assert found["Phường An Xuyên"] == ("2025", [])
        hits = [h.title for h in search(session, "Phường 4", PUBLIC) if h.layer.id == "communes"]
        assert "Phường Trung Tâm" in hits and "Phường 4" not in hits
    assert {row for row in links(real_store) if row[2] == "2025"} == joined
    undoing.undo(real_store, OFFICER, split)
    undoing.undo(real_store, OFFICER, merged)
    assert links(real_store) == joined
    with real_store.reading() as session:
        assert edition_in_use(session) == "2020"
        now = session.scalars(
            sa.select(Commune.geom).where(Commune.edition == "2020").order_by(Commune.id)
        ).all()
        assert coverage.is_clean(now) and len(now) == 101
