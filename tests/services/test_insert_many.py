"""Many rows at once are kept exactly as one after another would be: values, place, audit, refusals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import audit
from data.accounts import Actor, Role
from data.admin_units import Commune
from data.batches import Batch
from data.growing_areas import GrowingArea
from data.store import Store, revisions
from data.tables import AuditRow
from gis import geometry as shapes
from layers import catalogue
from layers.edit import EditError, Edits, Invalid, NotAllowed, editing

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, account_id=1, name="Cán bộ tỉnh")
CHANGING = ("id", "created_at", "updated_at", "at")


def square(lon: float, lat: float, size: float = 0.002) -> shapely.Geometry:
    return shapely.box(lon, lat, lon + size, lat + size)


ROWS = st.fixed_dictionaries(
    {"name": st.sampled_from(["Vùng tôm Hòa Tân", "  Vùng\u0301  thử ", "Đầm", ""])},
    optional={
        "crop": st.sampled_from(["rice", "salt", "lúa", ""]),
        "households": st.sampled_from([None, "12", 7, -3, "abc"]),
        "declared_area_ha": st.sampled_from([None, "4.5", 2, 0.25]),
        "status": st.sampled_from(["draft", "published", None]),
        "producer_id": st.sampled_from([None, 1, "2", 999_999]),
        "description": st.sampled_from([" hai\ndòng ", None]),
        "area_ha": st.just(3),
    },
)
BOW = shapely.Polygon([(105.0, 9.0), (105.01, 9.01), (105.01, 9.0), (105.0, 9.01)])
GEOMETRIES = st.one_of(
    st.builds(square, st.floats(104.8, 105.2), st.floats(8.8, 9.3)),
    st.sampled_from(
        [None, BOW, shapely.Point(105, 9), shapely.Polygon(), square(10, 10), square(179.9999, 9)]
    ),
)


def one_by_one(store: Store, rows: list) -> list:
    """What single inserts make of the rows, each in a transaction that is not kept."""
    return [alone(store, row) for row in rows]


class Forget(Exception):
    """Leaves a transaction without keeping it."""


@contextlib.contextmanager
def trying(store: Store) -> Iterator[Edits]:
    with contextlib.suppress(Forget), store.writing() as session:
        yield Edits(session, OFFICER, "test")
        raise Forget


def alone(store: Store, row: tuple) -> tuple:
    outcome: tuple = ()
    with trying(store) as edits:
        try:
            row_id = edits.insert(AREAS, *row)
        except EditError as error:
            outcome = ("refused", type(error), str(error), getattr(error, "field", ""))
        else:
            edits.session.flush()
            outcome = kept(edits.session, row_id)
    return outcome


def kept(session, row_id: int) -> tuple:
    row = session.get(GrowingArea, row_id)
    entry = session.scalar(sa.select(AuditRow).where(AuditRow.row_id == row_id).order_by(AuditRow.id.desc()))
    shown = {k: v for k, v in audit.snapshot(row).items() if k not in CHANGING}
    after = {k: v for k, v in entry.after.items() if k not in CHANGING}
    bookkeeping = (entry.actor, entry.account_id, entry.source, entry.table_name, entry.action, entry.before)
    return "kept", shown, row.search, row.version, after, bookkeeping, entry.adopted


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(ROWS, GEOMETRIES), min_size=1, max_size=6))
def test_many_rows_are_judged_and_kept_as_single_ones(demo_store: Store, rows: list) -> None:
    expected = one_by_one(demo_store, rows)
    found: list = []
    with trying(demo_store) as edits:
        looked_at = edits.checked(AREAS, rows)
        good = [r for r in looked_at if r.refusal is None]
        ids = iter(edits.insert_checked(AREAS, good))
        found = [
            kept(edits.session, next(ids))
            if row.refusal is None
            else ("refused", type(row.refusal), str(row.refusal), getattr(row.refusal, "field", ""))
            for row in looked_at
        ]
    assert found == expected


def test_a_batch_is_one_revision_and_every_audit_row_names_it(demo_store: Store) -> None:
    with demo_store.reading() as session:
        before = revisions(session)["growing_areas"]
    rows = [({"name": f"Vùng {i}", "crop": "rice"}, square(104.9 + i / 100, 9)) for i in range(30)]
    batch = Batch(kind="import", title="thử", table_name="growing_areas")
    with editing(demo_store, OFFICER, "import", batch=batch) as edits:
        ids = edits.insert_many(AREAS, rows)
    with demo_store.reading() as session:
        assert revisions(session)["growing_areas"] == before + 1
        kept_batch = session.scalar(sa.select(Batch))
        assert kept_batch is not None and kept_batch.rows == 30
        named = session.scalars(sa.select(AuditRow.row_id).where(AuditRow.batch_id == kept_batch.id))
        assert sorted(named) == ids
        names = session.scalars(sa.select(GrowingArea.name).where(GrowingArea.id.in_(ids)).order_by("id"))
        assert list(names) == [row[0]["name"] for row in rows]


def test_one_bad_row_keeps_them_all_out(demo_store: Store) -> None:
    with demo_store.reading() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(GrowingArea))
    rows = [
        ({"name": "Được", "crop": "rice"}, square(105, 9)),
        ({"name": "", "crop": "rice"}, square(105, 9)),
    ]
    with pytest.raises(Invalid), editing(demo_store, OFFICER, "import") as edits:
        edits.insert_many(AREAS, rows)
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(GrowingArea)) == before


def test_an_officer_of_a_commune_adds_rows_there_and_nowhere_else(demo_store: Store) -> None:
    with demo_store.reading() as session:
        home, other = session.scalars(sa.select(Commune).order_by(Commune.code).limit(2)).all()
        inside, outside = (shapely.point_on_surface(c.geom) for c in (home, other))
    officer = Actor(role=Role.COMMUNE_OFFICER, account_id=1, name="Cán bộ xã", commune_id=home.id)
    near = ({"name": "Trong xã", "crop": "rice"}, square(inside.x, inside.y, 0.0001))
    far = ({"name": "Ngoài xã", "crop": "rice"}, square(outside.x, outside.y, 0.0001))
    with editing(demo_store, officer, "import") as edits:
        assert len(edits.insert_many(AREAS, [near])) == 1
    with editing(demo_store, officer, "import") as edits:
        refused = edits.checked(AREAS, [near, far])[1].refusal
        assert isinstance(refused, NotAllowed)
    with pytest.raises(NotAllowed), editing(demo_store, officer, "import") as edits:
        edits.insert_many(AREAS, [near, far])


@pytest.mark.parametrize("kind", ["POINT", "MULTIPOLYGON"])
def test_geometries_repaired_together_equal_geometries_repaired_one_by_one(kind: str) -> None:
    doubled = shapely.Polygon([(105, 9), (105, 9), (105.1, 9), (105.1, 9.1), (105, 9)])
    given_shapes = [
        BOW,
        square(105, 9),
        shapely.force_3d(square(105, 9), 4.0),
        shapely.MultiPolygon([square(105, 9), square(105.1, 9)]),
        shapely.MultiPolygon([square(105, 9), square(105.001, 9)]),
        shapely.GeometryCollection([square(105, 9)]),
        doubled,
        shapely.Polygon(),
        shapely.Point(105, 9),
        shapely.MultiPoint([(105, 9)]),
        shapely.MultiPoint([(105, 9), (106, 9)]),
        shapely.Point(float("nan"), 9),
        shapely.Point(500_000, 1_000_000),
        shapely.LineString([(105, 9), (105, 10)]),
    ]
    array = np.empty(len(given_shapes), dtype=object)
    array[:] = given_shapes
    for one, together in zip(given_shapes, shapes.repair_all(array, kind), strict=True):  # type: ignore[arg-type]
        try:
            alone = shapes.repair(one, kind)  # type: ignore[arg-type]
        except shapes.GeometryRefused as error:
            assert isinstance(together, shapes.GeometryRefused) and str(together) == str(error)
        else:
            assert isinstance(together, shapes.Repair)
            assert shapely.equals_identical(alone.geometry, together.geometry)
            assert (alone.changed, alone.area_before_ha, alone.area_after_ha) == (
                together.changed,
                together.area_before_ha,
                together.area_after_ha,
            )
