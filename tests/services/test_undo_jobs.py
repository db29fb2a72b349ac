"""Undoing a large batch: a job that is done once, and a boundary change that is left to its own page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from data import jobs as job_rows
from data import people
from data.accounts import Actor, Role
from data.batches import Batch
from data.jobs import Job, JobState
from data.store import Store
from layers import batches, catalogue, read
from layers.batches import NotUndone
from layers.edit import editing
from services import jobs, undo

AREAS = catalogue.layer("growing_areas")
OFFICER = Actor(role=Role.PROVINCE_OFFICER, name="Cán bộ tỉnh")
ROWS = 12


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "INLINE_ROWS", ROWS - 1)


def imported(store: Store) -> int:
    batch = Batch(kind="import", title="vùng.zip", table_name="growing_areas")
    shape = shapely.box(105, 9, 105.002, 9.002)
    with editing(store, OFFICER, "import", batch=batch) as edits:
        edits.insert_many(AREAS, [({"name": f"Vùng {i}", "crop": "rice"}, shape) for i in range(ROWS)])
        return int(batch.id)


def count(store: Store) -> int:
    with store.reading() as session:
        return read.count(session, read.Query(AREAS, OFFICER))


def test_a_small_batch_is_undone_at_once(demo_store: Store) -> None:
    before = count(demo_store)
    assert isinstance(undo.undo(demo_store, OFFICER, imported(demo_store)), int)
    assert count(demo_store) == before


@pytest.mark.usefixtures("large")
def test_a_large_batch_is_undone_by_a_job_and_only_once(demo_store: Store, tmp_path: Path) -> None:
    jobs.install(demo_store, tmp_path)
    before = count(demo_store)
    number = imported(demo_store)
    key = undo.undo(demo_store, OFFICER, number)
    assert isinstance(key, str)
    assert count(demo_store) == before + ROWS
    job = jobs.run_now(demo_store, key)
    assert (job.state, job.done, job.total) == (JobState.DONE, ROWS, ROWS)
    assert count(demo_store) == before
    with demo_store.writing() as session:
        session.execute(sa.update(Job).values(state=JobState.WAITING, result=None))
    again = jobs.run_now(demo_store, key)
    assert (again.state, again.result) == (JobState.DONE, job.result)
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Batch.kind == "undo")) == 1


@pytest.mark.usefixtures("large")
def test_a_job_that_is_stopped_midway_undoes_nothing(demo_store: Store, tmp_path: Path) -> None:
    jobs.install(demo_store, tmp_path)
    number = imported(demo_store)
    after = count(demo_store)

    def stop(done: int, total: int) -> None:
        raise jobs.Cancelled

    with pytest.raises(jobs.Cancelled):
        batches.undo(demo_store, OFFICER, number, progress=stop)
    assert count(demo_store) == after
    with demo_store.reading() as session:
        assert batches.summary(session, OFFICER, number).refusal is None


@pytest.mark.usefixtures("large")
def test_what_cannot_be_undone_is_refused_before_a_job_is_asked_for(
    demo_store: Store, tmp_path: Path
) -> None:
    jobs.install(demo_store, tmp_path)
    number = imported(demo_store)
    batches.undo(demo_store, OFFICER, number)
    with pytest.raises(NotUndone):
        undo.undo(demo_store, OFFICER, number)
    with demo_store.reading() as session:
        assert not job_rows.keys_in(session, JobState.WAITING)


@pytest.mark.usefixtures("large")
def test_the_page_leads_to_the_job_and_a_boundary_change_to_its_own_page(
    app: Any, client: Any, demo_store: Store
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    people.add_person(demo_store, "tinh", "province_officer", password="mot-mat-khau-dai")
    client.post("/login", data={"username": "tinh", "password": "mot-mat-khau-dai"})
    number = imported(demo_store)
    assert "hoàn tác chạy nền" in client.get(f"/office/batches/{number}").text
    answer = client.post(f"/office/batches/{number}/undo")
    assert answer.status_code == 303
    assert answer.location.startswith("/jobs/")
    assert client.get(answer.location).status_code == 200
    with demo_store.writing() as session:
        change = Batch(kind="boundaries", title="Nghị quyết", table_name="communes", facts={"change": 31})
        session.add(change)
        session.flush()
        number = int(change.id)
    page = client.get(f"/office/batches/{number}").text
    assert "hãy hoàn tác ở trang của chính thay đổi đó" in page
    assert 'href="/office/boundaries/31"' in page
    refused = client.post(f"/office/batches/{number}/undo", follow_redirects=True).text
    assert "hãy hoàn tác ở trang của chính thay đổi đó" in refused
