"""Batches: what they did, undone as a whole or not at all, and done again."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from data import audit, wfs
from data.accounts import PUBLIC, Actor, Role
from data.batches import Batch
from data.growing_areas import GrowingArea, GrowingAreaCode
from data.store import Store, revisions
from data.tables import AuditRow
from layers import batches, catalogue, read
from layers.batches import NotUndone
from layers.edit import NotFound, editing
from layers.refusals import EditError
from tests.conftest import environment_of

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
COLUMNS = ("name", "crop", "area_ha", "households", "status")


def square(step: int, size: float = 0.002) -> shapely.Geometry:
    return shapely.box(105.0 + step / 100, 9.0, 105.0 + step / 100 + size, 9.0 + size)


def content(store: Store) -> dict[int, tuple[Any, ...]]:
    """What the areas hold, straight from the table, without bookkeeping."""
    table = GrowingArea.__table__
    left_out = ("version", "updated_at", "search")
    names = [c for c in table.c if c.name not in left_out and c.name != "geom"]
    with store.reading() as session:
        plain = session.execute(sa.select(*names).order_by(table.c.id)).all()
        shapes = session.execute(sa.select(GrowingArea.id, GrowingArea.geom)).all()
    wkb = {row_id: shapely.to_wkb(shape) if shape is not None else None for row_id, shape in shapes}
    return {row[0]: (*map(str, row), wkb[row[0]]) for row in plain}


def import_three(store: Store) -> tuple[int, list[int]]:
    batch = Batch(kind="import", title="vùng.zip", table_name="growing_areas", file_name="vùng.zip")
    with editing(store, OFFICER, "import", batch=batch) as edits:
        rows = [({"name": f"Vùng {i}", "crop": "rice"}, square(i)) for i in range(3)]
        ids = edits.insert_many(AREAS, rows)
        number = batch.id
    return number, ids


def mixed(store: Store) -> tuple[int, list[int]]:
    """A batch that adds one row, changes two and deletes one that is free to go."""
    _, ids = import_three(store)
    batch = Batch(kind="bulk", title="Sửa hàng loạt", table_name="growing_areas")
    with editing(store, OFFICER, "web", batch=batch) as edits:
        added = edits.insert(AREAS, {"name": "Vùng thêm", "crop": "clam"}, square(8))
        edits.update(AREAS, ids[0], {"name": "Tên khác", "households": 12})
        edits.update(AREAS, ids[1], {}, square(9))
        edits.update(AREAS, ids[1], {"crop": "salt"})
        edits.delete(AREAS, ids[2])
        number = batch.id
    return number, [added, *ids]


def test_undoing_an_import_leaves_the_record_as_before(demo_store: Store) -> None:
    before = content(demo_store)
    number, ids = import_three(demo_store)
    with demo_store.reading() as session:
        revision = revisions(session)["growing_areas"]
        assert batches.summary(session, OFFICER, number).refusal is None
    undoing = batches.undo(demo_store, OFFICER, number)
    assert content(demo_store) == before
    with demo_store.reading() as session:
        assert revisions(session)["growing_areas"] > revision
        done = session.get(Batch, number)
        assert (done.undone_by, done.undone_at is not None) == (undoing, True)
        undo_batch = session.get(Batch, undoing)
        assert (undo_batch.kind, undo_batch.rows) == ("undo", 3)
        trail = session.scalars(sa.select(AuditRow).where(AuditRow.batch_id == undoing)).all()
        assert sorted(t.row_id for t in trail) == ids
        assert {t.action for t in trail} == {"delete"}


def test_a_batch_of_all_kinds_of_edits_is_undone_and_done_again(demo_store: Store) -> None:
    import_three(demo_store)
    number, _ = mixed(demo_store)
    after = content(demo_store)
    undoing = batches.undo(demo_store, OFFICER, number)
    undone = content(demo_store)
    assert undone != after
    again = batches.undo(demo_store, OFFICER, undoing)
    assert content(demo_store) == after
    with demo_store.reading() as session:
        assert session.get(Batch, number).undone_at is None
    assert batches.undo(demo_store, OFFICER, number) > again
    assert content(demo_store) == undone


def test_a_row_that_changed_later_refuses_the_whole_and_is_named(demo_store: Store) -> None:
    number, ids = import_three(demo_store)
    with editing(demo_store, Actor(role=Role.ADMINISTRATOR, name="Lê Thị B"), "web") as edits:
        edits.update(AREAS, ids[1], {"name": "Tên mới"})
    before = content(demo_store)
    with pytest.raises(NotUndone) as refused:
        batches.undo(demo_store, OFFICER, number)
    (later,) = refused.value.later
    assert (later.row_id, later.name, later.actor, later.kind) == (ids[1], "Tên mới", "Lê Thị B", "update")
    assert content(demo_store) == before
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Batch.kind == "undo")) == 0
        assert [x.row_id for x in batches.summary(session, OFFICER, number).later] == [ids[1]]


def test_a_change_that_was_undone_itself_does_not_stand_in_the_way(demo_store: Store) -> None:
    before = content(demo_store)
    number, ids = import_three(demo_store)
    batch = Batch(kind="bulk", title="Sửa", table_name="growing_areas")
    with editing(demo_store, OFFICER, "web", batch=batch) as edits:
        edits.update(AREAS, ids[0], {"name": "Khác"})
        later = batch.id
    batches.undo(demo_store, OFFICER, later)
    batches.undo(demo_store, OFFICER, number)
    assert content(demo_store) == before


def test_a_row_that_another_names_refuses_the_whole(demo_store: Store) -> None:
    number, ids = import_three(demo_store)
    with demo_store.writing() as session:
        session.add(GrowingAreaCode(area_id=ids[0], scheme="thử", code="VN-TEST-1", status="active"))
    with pytest.raises(NotUndone) as refused:
        batches.undo(demo_store, OFFICER, number)
    assert [later.table for later in refused.value.later] == ["growing_area_codes"]


def test_a_locked_row_refuses_the_whole(demo_store: Store) -> None:
    number, ids = import_three(demo_store)
    with demo_store.writing() as session:
        wfs.add_lock(session, None, {"growing_areas": [ids[2]]}, 60)
    before = content(demo_store)
    with pytest.raises(wfs.LockNeeded):
        batches.undo(demo_store, OFFICER, number)
    assert content(demo_store) == before


def test_a_batch_is_undone_only_once_even_by_two_at_once(demo_store: Store) -> None:
    before = content(demo_store)
    number, _ = import_three(demo_store)
    outcomes: list[Any] = []
    start = threading.Barrier(2)

    def press() -> None:
        start.wait()
        try:
            outcomes.append(batches.undo(demo_store, OFFICER, number))
        except NotUndone as error:
            outcomes.append(error)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(isinstance(o, NotUndone) for o in outcomes) == [False, True]
    assert content(demo_store) == before


def test_an_edit_and_an_undo_at_once_never_lose_either(demo_store: Store) -> None:
    number, ids = import_three(demo_store)
    outcomes: dict[str, Any] = {}
    start = threading.Barrier(2)

    def run(name: str, what: Any) -> None:
        start.wait()
        try:
            outcomes[name] = what()
        except EditError as error:
            outcomes[name] = error

    def change() -> int:
        with editing(demo_store, OFFICER, "web") as edits:
            return edits.update(AREAS, ids[0], {"name": "Vừa sửa"}, version=1)

    threads = [
        threading.Thread(target=run, args=args)
        for args in (("undo", lambda: batches.undo(demo_store, OFFICER, number)), ("edit", change))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    left = [row_id for row_id in ids if row_id in content(demo_store)]
    if isinstance(outcomes["undo"], NotUndone):
        assert outcomes["edit"] == 2
        assert left == ids
    else:
        assert isinstance(outcomes["edit"], NotFound)
        assert left == []


def test_others_see_only_their_own_batches(demo_store: Store) -> None:
    number, _ = import_three(demo_store)
    commune = Actor(role=Role.COMMUNE_OFFICER, account_id=None, commune_id=1, name="x")
    with demo_store.reading() as session:
        assert [b.id for b in batches.listed(session, OFFICER)] == [number]
        assert batches.listed(session, PUBLIC) == []
        with pytest.raises(NotFound):
            batches.find(session, PUBLIC, number)
        with pytest.raises(NotFound):
            batches.find(session, Actor(role=Role.COMMUNE_OFFICER, account_id=77, commune_id=1), number)
    assert commune.may_edit_something


def test_the_summary_says_what_a_batch_did_and_where(demo_store: Store) -> None:
    number, _ = mixed(demo_store)
    with demo_store.reading() as session:
        told = batches.summary(session, OFFICER, number)
    assert told.counts == {"growing_areas": {"insert": 1, "update": 3, "delete": 1}}
    assert told.box == pytest.approx((105.0, 9.0, 105.092, 9.002))


def test_a_batch_that_reaches_beyond_the_layers_is_left_to_its_own_page(demo_store: Store) -> None:
    batch = Batch(kind="boundary", title="Nghị quyết", table_name="communes")
    with editing(demo_store, OFFICER, "boundary", batch=batch) as edits:
        audit.write(edits.session, OFFICER, "boundary", "editions", 1, "update", batch_id=batch.id)
        number = batch.id
    with pytest.raises(NotUndone):
        batches.undo(demo_store, OFFICER, number)


def test_a_large_import_is_undone_in_one_go(demo_store: Store) -> None:
    batch = Batch(kind="import", title="lớn", table_name="growing_areas")
    count = 1_203
    with editing(demo_store, OFFICER, "import", batch=batch) as edits:
        shape = square(3)
        edits.insert_many(AREAS, [({"name": f"Vùng {i}", "crop": "rice"}, shape) for i in range(count)])
        number = batch.id
    with demo_store.reading() as session:
        with_import = read.count(session, read.Query(AREAS, OFFICER))
    batches.undo(demo_store, OFFICER, number)
    with demo_store.reading() as session:
        assert read.count(session, read.Query(AREAS, OFFICER)) == with_import - count
        assert read.bounds(session, read.Query(AREAS, OFFICER)) is not None


def test_the_batch_command_undoes_once_and_says_what_stands_in_the_way(
    demo_store: Store, tmp_path: Path
) -> None:
    with editing(demo_store, OFFICER, "import", batch=Batch(kind="import", title="xa.zip")) as edits:
        row_id = edits.insert(AREAS, {"name": "Vùng", "crop": "rice"}, shapely.box(105, 9, 105.01, 9.01))
        number = str(edits.batch.id if edits.batch else 0)
    with editing(demo_store, OFFICER, "web", batch=Batch(kind="bulk", title="sửa")) as edits:
        edits.update(AREAS, row_id, {"name": "Vùng khác"})
        later = str(edits.batch.id if edits.batch else 0)

    def batch(*arguments: str) -> subprocess.CompletedProcess[str]:
        address = demo_store.url.render_as_string(hide_password=False)
        return subprocess.run(
            [sys.executable, "-m", "webmap.cli", "batch", *arguments],
            cwd=tmp_path,
            env=environment_of(address, tmp_path / "instance"),
            capture_output=True,
            text=True,
        )

    assert "xa.zip" in batch("list").stdout
    refused = batch("undo", number)
    assert refused.returncode == 1
    assert f"growing_areas {row_id} Vùng khác" in refused.stderr
    assert batch("undo", later).returncode == 0
    assert batch("undo", number).returncode == 0
    assert batch("undo", number).returncode == 1
