"""The edit path: rights, values, geometry, versions, audit and revision, all together or not at all."""

from __future__ import annotations

import pytest
import shapely
import sqlalchemy as sa

from data import audit, wfs
from data.accounts import Actor, Role
from data.admin_units import Commune
from data.base import now
from data.growing_areas import GrowingArea
from data.store import Store, revisions
from layers import catalogue, read
from layers.edit import Conflict, Invalid, NotAllowed, NotFound, editing

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, account_id=1, name="Cán bộ tỉnh")


def square(commune: Commune, size: float = 0.002) -> shapely.Geometry:
    point = shapely.point_on_surface(commune.geom)
    return shapely.box(point.x, point.y, point.x + size, point.y + size)


@pytest.fixture
def communes(demo_store: Store) -> list[Commune]:
    with demo_store.reading() as session:
        found = list(session.scalars(sa.select(Commune).order_by(Commune.code)))
        session.expunge_all()
        return found


def values(**more: object) -> dict[str, object]:
    return {"name": "Vùng thử", "crop": "rice", **more}


def test_an_insert_gets_commune_area_search_audit_and_revision(demo_store, communes) -> None:
    with demo_store.reading() as session:
        before = revisions(session)["growing_areas"]
    home = communes[10]
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(declared_area_ha="4.5"), square(home))
    with demo_store.reading() as session:
        row = session.get(GrowingArea, row_id)
        assert row.geom.geom_type == "MultiPolygon"
        assert row.commune_id == home.id
        assert row.area_ha == pytest.approx(4.86, rel=0.02)
        assert "vung thu" in row.search
        assert row.declared_area_ha == 4.5
        assert revisions(session)["growing_areas"] > before
        entry = audit.history(session, "growing_areas", row_id)[0]
        assert (entry.action, entry.actor, entry.source) == ("insert", "Cán bộ tỉnh", "test")
        assert entry.after["name"] == "Vùng thử"


def test_a_stale_version_is_a_conflict_and_changes_nothing(demo_store, communes) -> None:
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(), square(communes[3]))
    with editing(demo_store, OFFICER, "test") as edits:
        assert edits.update(AREAS, row_id, {"variety": "ST25"}, version=1) == 2
    with pytest.raises(Conflict) as caught, editing(demo_store, OFFICER, "test") as edits:
        edits.update(AREAS, row_id, {"variety": "Một bụi đỏ"}, version=1)
    assert caught.value.current == 2
    with demo_store.reading() as session:
        assert session.get(GrowingArea, row_id).variety == "ST25"


def test_one_refused_edit_undoes_the_others_of_its_transaction(demo_store, communes) -> None:
    with demo_store.reading() as session:
        before = read.count(session, read.Query(AREAS, OFFICER))
        revision = revisions(session)["growing_areas"]
    with pytest.raises(Invalid), editing(demo_store, OFFICER, "test") as edits:
        edits.insert(AREAS, values(), square(communes[3]))
        edits.insert(AREAS, values(crop="kryptonite"), square(communes[3]))
    with demo_store.reading() as session:
        assert read.count(session, read.Query(AREAS, OFFICER)) == before
        assert revisions(session)["growing_areas"] == revision


def test_a_commune_officer_edits_inside_the_territory_only(demo_store, communes) -> None:
    home, other = communes[5], communes[40]
    actor = Actor(role=Role.COMMUNE_OFFICER, name="Cán bộ xã", commune_id=home.id)
    with editing(demo_store, actor, "test") as edits:
        row_id = edits.insert(AREAS, values(), square(home, 0.0005))
    with pytest.raises(NotAllowed), editing(demo_store, actor, "test") as edits:
        edits.insert(AREAS, values(), square(other, 0.0005))
    with pytest.raises(NotAllowed), editing(demo_store, actor, "test") as edits:
        edits.update(AREAS, row_id, {}, square(other, 0.0005))
    with demo_store.reading() as session:
        stranger = session.scalar(sa.select(GrowingArea.id).where(GrowingArea.commune_id == other.id))
        assert session.get(GrowingArea, row_id).commune_id == home.id
    with pytest.raises((NotAllowed, NotFound)), editing(demo_store, actor, "test") as edits:
        edits.delete(AREAS, stranger)


@pytest.mark.parametrize(
    "role", [Role.PUBLIC, Role.PLANNER, Role.INSPECTOR, Role.COUNCIL_MEMBER, Role.PRODUCER]
)
def test_who_only_reads_may_not_write(demo_store, communes, role) -> None:
    with pytest.raises(NotAllowed), editing(demo_store, Actor(role=role), "test") as edits:
        edits.insert(AREAS, values(), square(communes[0]))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": ""}, "name"),
        ({"households": "-1"}, "households"),
        ({"households": "nhiều"}, "households"),
        ({"crop": "unobtainium"}, "crop"),
        ({"no_such_field": "1"}, "no_such_field"),
        ({"producer_id": 99_999_999}, "producer_id"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(demo_store, communes, bad, field) -> None:
    with pytest.raises(Invalid) as caught, editing(demo_store, OFFICER, "test") as edits:
        edits.insert(AREAS, values(**bad), square(communes[0]))
    assert caught.value.field == field
    assert str(caught.value)


def test_a_crossing_outline_is_repaired_and_a_line_is_refused(demo_store, communes) -> None:
    x, y = shapely.point_on_surface(communes[8].geom).coords[0]
    bow = shapely.Polygon([(x, y), (x + 0.004, y + 0.002), (x + 0.004, y), (x, y + 0.002)])
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(), bow)
        assert edits.repairs
    with demo_store.reading() as session:
        assert shapely.is_valid(session.get(GrowingArea, row_id).geom)
    with pytest.raises(Invalid), editing(demo_store, OFFICER, "test") as edits:
        edits.insert(AREAS, values(), shapely.LineString([(x, y), (x + 0.1, y)]))


def test_a_deleted_row_stays_whole_in_the_audit_trail(demo_store, communes) -> None:
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(), square(communes[2]))
    with editing(demo_store, OFFICER, "test", "nhập nhầm") as edits:
        edits.delete(AREAS, row_id)
    with demo_store.reading() as session:
        assert session.get(GrowingArea, row_id) is None
        entry = audit.history(session, "growing_areas", row_id)[0]
        assert entry.action == "delete"
        assert entry.reason == "nhập nhầm"
        kept = shapely.from_wkb(entry.before["geom"])
        assert kept.equals_exact(shapely.multipolygons([square(communes[2])]), 1e-12) or kept.equals(
            square(communes[2])
        )


def test_an_id_is_never_used_again(demo_store, communes) -> None:
    with editing(demo_store, OFFICER, "test") as edits:
        first = edits.insert(AREAS, values(), square(communes[2]))
    with editing(demo_store, OFFICER, "test") as edits:
        edits.delete(AREAS, first)
    with editing(demo_store, OFFICER, "test") as edits:
        assert edits.insert(AREAS, values(), square(communes[2])) > first


def test_an_update_without_a_difference_changes_no_version(demo_store, communes) -> None:
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(), square(communes[2]))
    with demo_store.reading() as session:
        started = now()
        revision = revisions(session)["growing_areas"]
    with editing(demo_store, OFFICER, "test") as edits:
        assert edits.update(AREAS, row_id, {"name": "Vùng thử"}, version=1) == 1
    with demo_store.reading() as session:
        assert revisions(session)["growing_areas"] == revision
        assert session.get(GrowingArea, row_id).updated_at <= started


def test_a_locked_row_is_changed_by_nobody_else_on_any_way_in(demo_store, communes) -> None:
    with editing(demo_store, OFFICER, "test") as edits:
        row_id = edits.insert(AREAS, values(), square(communes[2]))
    with demo_store.writing() as session:
        wfs.add_lock(session, None, {AREAS.table: [row_id]}, 300)
    with pytest.raises(wfs.LockNeeded), editing(demo_store, OFFICER, "web") as edits:
        edits.update(AREAS, row_id, {"variety": "ST25"})
    with pytest.raises(wfs.LockNeeded), editing(demo_store, OFFICER, "web") as edits:
        edits.delete(AREAS, row_id)
