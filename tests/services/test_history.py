"""History: what became of a row, the way back to each version, and a layer as of a moment."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from pyproj import Geod

from data import people
from data.accounts import PUBLIC, SYSTEM, Actor, Role
from data.admin_units import Commune
from data.base import now
from data.batches import Batch
from data.growing_areas import GrowingArea
from data.store import Store
from data.tables import AuditRow
from layers import batches, catalogue, history, past, read
from layers.edit import Conflict, Invalid, NotAllowed, NotFound, editing

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")


def square(step: float, size: float = 0.002) -> shapely.Geometry:
    return shapely.box(105.0 + step / 100, 9.0, 105.0 + step / 100 + size, 9.0 + size)


def hectares(shape: shapely.Geometry) -> float:
    """The area on the ellipsoid as PROJ computes it."""
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 10_000


def add(store: Store, actor: Actor = OFFICER, **more: Any) -> int:
    with editing(store, actor, "web") as edits:
        return edits.insert(AREAS, {"name": "Vùng A", "crop": "rice", **more}, square(1))


def change(store: Store, row_id: int, geometry: Any = None, **properties: Any) -> None:
    with editing(store, OFFICER, "web") as edits:
        if geometry is None:
            edits.update(AREAS, row_id, properties)
        else:
            edits.update(AREAS, row_id, properties, geometry)


def remove(store: Store, row_id: int) -> None:
    with editing(store, OFFICER, "web", "nhập trùng") as edits:
        edits.delete(AREAS, row_id)


def story(store: Store, row_id: int, actor: Actor = OFFICER) -> history.Story:
    with store.reading() as session:
        return history.story_of(session, AREAS, row_id, actor)


def row_of(store: Store, row_id: int) -> GrowingArea | None:
    with store.reading() as session:
        found = session.get(GrowingArea, row_id)
        session.expunge_all()
        return found


def dated(store: Store, moments: dict[int, dt.datetime]) -> None:
    """Date audit rows, by their number."""
    with store.writing() as session:
        for number, moment in moments.items():
            session.execute(sa.update(AuditRow).where(AuditRow.id == number).values(at=moment))


def outside(store: Store, statement: str) -> None:
    """Change the record as another program would."""
    with store.engine.connect() as connection:
        connection.execute(sa.text(statement))
        connection.commit()


# ---- the story of a row


def test_a_story_names_who_changed_what_from_what_to_what(demo_store: Store) -> None:
    row_id = add(demo_store)
    change(demo_store, row_id, name="Vùng B", households=12)
    told = story(demo_store, row_id)
    newest, first = told.changes
    assert (newest.actor, newest.action, newest.is_now) == ("Cán bộ tỉnh", "update", True)
    assert {(f.title.vi, f.before, f.after) for f in newest.fields} == {
        ("Tên vùng", "Vùng A", "Vùng B"),
        ("Số hộ", None, 12),
    }
    assert first.action == "insert"
    assert ("Tên vùng", "Vùng A") in {(f.title.vi, f.after) for f in first.fields}


def test_a_change_of_shape_is_measured_in_hectares(demo_store: Store) -> None:
    row_id = add(demo_store)
    old, new = square(1), square(1.1)
    change(demo_store, row_id, new)
    shape = story(demo_store, row_id).changes[0].shape
    assert shape is not None
    assert shape.before_ha == pytest.approx(hectares(old), rel=1e-4)
    assert shape.after_ha == pytest.approx(hectares(new), rel=1e-4)
    assert shape.added_ha == pytest.approx(hectares(new.difference(old)), rel=1e-4)
    assert shape.removed_ha == pytest.approx(hectares(old.difference(new)), rel=1e-4)


def test_an_edit_by_another_program_is_told_like_any_other(demo_store: Store) -> None:
    row_id = add(demo_store)
    outside(demo_store, f"UPDATE growing_areas SET name = 'Từ QGIS' WHERE id = {row_id}")
    newest = story(demo_store, row_id).changes[0]
    assert newest.source == "outside"
    assert [(f.title.vi, f.before, f.after) for f in newest.fields] == [("Tên vùng", "Vùng A", "Từ QGIS")]
    assert newest.shape is None
    history.restore(demo_store, AREAS, row_id, story(demo_store, row_id).changes[1].id, OFFICER)
    kept = row_of(demo_store, row_id)
    assert kept.name == "Vùng A"
    assert shapely.equals(kept.geom, square(1))


def test_a_row_that_came_with_many_tells_of_its_load(demo_store: Store) -> None:
    told = story(demo_store, 1)
    assert [c.action for c in told.changes] == ["load"]


def test_fields_that_somebody_may_not_read_stay_out_of_the_story(demo_store: Store) -> None:
    commune = row_of(demo_store, add(demo_store)).commune_id
    row_id = add(demo_store, owner_id_number="096012345678")
    officer = Actor(role=Role.COMMUNE_OFFICER, commune_id=commune, name="x")
    names = {f.name for c in story(demo_store, row_id, officer).changes for f in c.fields}
    assert "owner_id_number" in names
    for actor in (PUBLIC, Actor(role=Role.PLANNER)):
        with pytest.raises(NotAllowed):
            story(demo_store, row_id, actor)


# ---- the way back


def test_every_earlier_version_can_come_back_as_a_new_edit(demo_store: Store) -> None:
    row_id = add(demo_store, variety="ST25")
    first = row_of(demo_store, row_id)
    change(demo_store, row_id, square(7), name="Vùng B", variety="")
    change(demo_store, row_id, name="Vùng C")
    told = story(demo_store, row_id)
    version = history.restore(demo_store, AREAS, row_id, told.changes[-1].id, OFFICER, version=3)
    kept = row_of(demo_store, row_id)
    assert version == kept.version == 4
    assert (kept.name, kept.variety, kept.area_ha) == (first.name, first.variety, first.area_ha)
    assert kept.commune_id == first.commune_id
    assert shapely.equals_identical(kept.geom, first.geom)
    assert [c.source for c in story(demo_store, row_id).changes] == ["restore", "web", "web", "web"]
    with demo_store.reading() as session:
        assert read.one(session, AREAS, row_id)["name"] == "Vùng A"


def test_a_stale_restore_is_a_conflict(demo_store: Store) -> None:
    row_id = add(demo_store)
    change(demo_store, row_id, name="Vùng B")
    first = story(demo_store, row_id).changes[-1]
    with pytest.raises(Conflict):
        history.restore(demo_store, AREAS, row_id, first.id, OFFICER, version=1)
    assert row_of(demo_store, row_id).name == "Vùng B"


def test_a_deleted_row_is_listed_and_comes_back_with_its_id(demo_store: Store) -> None:
    row_id = add(demo_store)
    before = row_of(demo_store, row_id)
    change(demo_store, row_id, name="Vùng B")
    remove(demo_store, row_id)
    with demo_store.reading() as session:
        (gone,) = history.deleted(session, AREAS, OFFICER)
    assert (gone.row_id, gone.name, gone.reason) == (row_id, "Vùng B", "nhập trùng")
    told = story(demo_store, row_id)
    assert (told.now, told.name) == (None, "Vùng B")
    history.restore(demo_store, AREAS, row_id, gone.change_id, OFFICER)
    kept = row_of(demo_store, row_id)
    assert kept.name == "Vùng B"
    assert kept.version > 2
    assert shapely.equals_identical(kept.geom, before.geom)
    with demo_store.reading() as session:
        assert history.deleted(session, AREAS, OFFICER) == []
        assert row_id in read.rows(session, read.Query(AREAS, box=square(1).bounds)).ids.tolist()


def test_what_a_restored_row_named_must_still_be_there(demo_store: Store) -> None:
    producer = catalogue.layer("producers")
    with editing(demo_store, OFFICER, "web") as edits:
        maker = edits.insert(producer, {"name": "HTX thử", "kind": "cooperative"}, None)
        row_id = edits.insert(AREAS, {"name": "A", "crop": "rice", "producer_id": maker}, square(1))
    change(demo_store, row_id, producer_id=None)
    with editing(demo_store, OFFICER, "web") as edits:
        edits.delete(producer, maker)
    with pytest.raises(Invalid):
        history.restore(demo_store, AREAS, row_id, story(demo_store, row_id).changes[-1].id, OFFICER)
    assert row_of(demo_store, row_id).producer_id is None


def test_nobody_restores_or_lists_outside_their_territory(demo_store: Store) -> None:
    row_id = add(demo_store)
    home = row_of(demo_store, row_id).commune_id
    remove(demo_store, row_id)
    entry = story(demo_store, row_id).changes[0]
    with demo_store.reading() as session:
        away = session.scalar(sa.select(Commune.id).where(Commune.id != home, Commune.edition == "2020"))
    stranger = Actor(role=Role.COMMUNE_OFFICER, commune_id=away, name="x")
    neighbour = Actor(role=Role.COMMUNE_OFFICER, commune_id=home, name="y")
    with demo_store.reading() as session:
        assert history.deleted(session, AREAS, stranger) == []
        assert len(history.deleted(session, AREAS, neighbour)) == 1
    with pytest.raises(NotAllowed):
        history.restore(demo_store, AREAS, row_id, entry.id, stranger)
    history.restore(demo_store, AREAS, row_id, entry.id, neighbour)
    assert row_of(demo_store, row_id) is not None


def test_a_version_that_never_was_is_not_found(demo_store: Store) -> None:
    row_id = add(demo_store)
    with pytest.raises(NotFound):
        history.restore(demo_store, AREAS, row_id, 999_999, OFFICER)


# ---- as of a moment


def at(store: Store, moment: dt.datetime, actor: Actor = OFFICER, **more: Any) -> dict[int, dict[str, Any]]:
    with store.reading() as session:
        rows = read.rows(session, read.Query(AREAS, actor, as_of=moment, **more))
        shapes = dict(zip(rows.ids.tolist(), rows.wkb, strict=True))
        return {r["id"]: {**r, "wkb": shapes[r["id"]]} for r in rows.records()}


def test_a_layer_as_of_every_step_of_a_random_life_is_what_it_was(store: Store) -> None:
    """What the read path showed after each step is what it shows later for that moment."""
    rolls = random.Random(20260131)
    alive: list[int] = []
    seen: list[tuple[dt.datetime, dict[int, dict[str, Any]]]] = []
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for step in range(40):
        what = rolls.choice(["insert", "insert", "update", "update", "shape", "delete", "back", "outside"])
        if what == "insert" or not alive:
            alive.append(add(store, name=f"Vùng {step}"))
        elif what == "update":
            change(store, rolls.choice(alive), name=f"Tên {step}", households=step, status="published")
        elif what == "shape":
            change(store, rolls.choice(alive), square(step % 7))
        elif what == "delete":
            remove(store, alive.pop(rolls.randrange(len(alive))))
        elif what == "outside":
            outside(store, f"UPDATE growing_areas SET variety = 'V{step}' WHERE id = {rolls.choice(alive)}")
        else:
            with store.reading() as session:
                gone = history.deleted(session, AREAS, OFFICER)
            if gone:
                history.restore(store, AREAS, gone[0].row_id, gone[0].change_id, OFFICER)
                alive.append(gone[0].row_id)
        with store.writing() as session:
            session.execute(
                sa.update(AuditRow)
                .where(AuditRow.at > dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
                .values(at=start + dt.timedelta(hours=step))
            )
        rows = at(store, now())
        seen.append((start + dt.timedelta(hours=step, minutes=30), rows))
    for moment, rows in seen:
        then = at(store, moment)
        assert then.keys() == rows.keys()
        for row_id, row in rows.items():
            left_out = ("updated_at", "version")
            assert {n: v for n, v in then[row_id].items() if n not in left_out} == {
                n: v for n, v in row.items() if n not in left_out
            }
            assert then[row_id]["version"] == row["version"] or row["version"] > 1


def test_before_a_bulk_load_the_layer_is_empty(demo_store: Store) -> None:
    with demo_store.reading() as session:
        first = session.scalar(sa.select(sa.func.min(AuditRow.at, type_=AuditRow.at.type)))
        query = read.Query(AREAS, OFFICER, as_of=first - dt.timedelta(days=1))
        assert read.count(session, query) == 0
        assert read.bounds(session, query) is None


def test_filters_boxes_sorting_and_pages_work_on_a_former_layer(demo_store: Store) -> None:
    row_id = add(demo_store)
    moment = now()
    change(demo_store, row_id, square(5), name="Vùng B")
    assert row_id in at(demo_store, moment, box=square(1).bounds)
    assert row_id not in at(demo_store, moment, box=square(5).bounds)
    assert row_id in at(demo_store, now(), box=square(5).bounds)
    by_name = read.Query(AREAS, OFFICER, as_of=moment, sort=(("name", True),), fields=("name",))
    with demo_store.reading() as session:
        everything = [r["name"] for chunk in read.stream(session, by_name) for r in chunk.records()]
        first = read.rows(session, replace(by_name, limit=50))
        second = read.rows(session, replace(by_name, limit=50, after=first.next))
        assert [*first.by_name()["name"], *second.by_name()["name"]] == everything[:100]
        assert len(everything) == read.count(session, by_name)


def test_what_is_hidden_now_or_was_hidden_then_stays_hidden(demo_store: Store) -> None:
    shown, withdrawn, draft = add(demo_store), add(demo_store), add(demo_store, status="draft")
    gone, hidden_then_gone = add(demo_store), add(demo_store)
    moment = now()
    change(demo_store, withdrawn, status="draft")
    change(demo_store, draft, status="published")
    change(demo_store, hidden_then_gone, status="draft")
    for row_id in (gone, hidden_then_gone):
        remove(demo_store, row_id)
    public = at(demo_store, moment, PUBLIC)
    assert {r for r in (shown, withdrawn, draft, gone, hidden_then_gone) if r in public} == {shown, gone}
    assert "owner_phone" not in public[shown]
    everything = at(demo_store, moment)
    assert {shown, withdrawn, draft, gone, hidden_then_gone} <= everything.keys()
    with demo_store.reading() as session:
        assert read.count(session, read.Query(AREAS, PUBLIC, as_of=moment)) == len(public)


def test_an_undone_import_is_in_no_earlier_and_no_later_state(demo_store: Store) -> None:
    before = now()
    with editing(demo_store, SYSTEM, "import", batch=Batch(kind="import", title="x")) as edits:
        (row_id,) = edits.insert_many(AREAS, [({"name": "N", "crop": "rice"}, square(3))])
        number = edits.batch.id
    between = now()
    batches.undo(demo_store, OFFICER, number)
    assert row_id not in at(demo_store, before)
    assert row_id in at(demo_store, between)
    assert row_id not in at(demo_store, now())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-31T16:59:59.999999+00:00"),
        ("2026-01-31T14:30", "2026-01-31T07:30:00+00:00"),
        ("2026-01-31T14:30:00Z", "2026-01-31T14:30:00+00:00"),
        ("2026-01-31T14:30:00+09:00", "2026-01-31T05:30:00+00:00"),
    ],
)
def test_a_date_is_the_end_of_the_day_in_the_province(text: str, moment: str) -> None:
    assert past.moment_of(text) == dt.datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["", "hôm qua", "2026-13-01", "31/01/2026", "0001-01-01T00:00", "9" * 40])
def test_what_is_no_date_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(past.BadMoment):
        past.moment_of(text)


# ---- addresses


def test_geojson_shows_a_layer_as_of_a_date(
    app: Any, client: Any, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    header = header_of("province_officer")
    row_id = add(demo_store)
    change(demo_store, row_id, name="Vùng B")
    changes = story(demo_store, row_id).changes
    spring = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    dated(demo_store, {changes[0].id: spring, changes[1].id: spring - dt.timedelta(days=30)})

    def names(**arguments: str) -> list[str]:
        answer = client.get(
            "/layers/growing_areas.geojson", query_string={"limit": "100000", **arguments}, headers=header
        )
        assert answer.status_code == 200
        features = answer.json["features"]
        assert answer.json["numberMatched"] == answer.json["numberReturned"] == len(features)
        return [f["properties"]["name"] for f in features if f["id"] == row_id]

    assert names(asof="2027-02-15") == ["Vùng A"]
    assert names(asof="2027-01-15") == []
    assert names(asof="2027-03-01") == ["Vùng B"] == names()
    wrong = client.get("/layers/growing_areas.geojson?asof=31/01/2026")
    assert wrong.status_code == 400
    assert wrong.json["parameter"] == "asof"


def test_pages_tell_restore_and_undo(
    app: Any, client: Any, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client.post("/login", data={"username": make_person(demo_store), "password": "mot-mat-khau-dai"})
    row_id = add(demo_store)
    change(demo_store, row_id, square(1.1), name="Vùng B")
    page = client.get(f"/history/growing_areas/{row_id}").text
    assert "Đổi “Tên vùng” từ “Vùng A” thành “Vùng B”." in page
    assert re.search(r"diện tích từ 4,8\d ha thành 4,8\d ha; thêm 2,4\d ha, bớt 2,4\d ha", page)
    first = story(demo_store, row_id).changes[-1].id
    data = {"change": str(first), "version": "2"}
    answer = client.post(f"/history/growing_areas/{row_id}/restore", data=data, follow_redirects=True)
    assert "Đã khôi phục" in answer.text
    assert row_of(demo_store, row_id).name == "Vùng A"
    again = client.post(f"/history/growing_areas/{row_id}/restore", data=data, follow_redirects=True)
    assert "đã được người khác sửa" in again.text
    remove(demo_store, row_id)
    assert f"/history/growing_areas/{row_id}/restore" in client.get("/history/growing_areas").text
    today = client.get("/history/growing_areas?asof=2026-12-31")
    assert today.status_code == 200
    assert "không phải là ngày" in client.get("/history/growing_areas?asof=x").text


def make_person(store: Store) -> str:
    people.add_person(store, "tinh", "province_officer", password="mot-mat-khau-dai")
    return "tinh"
