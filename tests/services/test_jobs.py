"""Jobs: asked for here, done there, stopped, cut off by a kill and taken up again; files that expire."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from data import people
from data.accounts import PUBLIC, SYSTEM, Account, Actor
from data.base import now
from data.growing_areas import GrowingArea
from data.jobs import Job, JobState
from data.store import Store
from gis.errors import Refusal
from layers.edit import editing
from services import jobs
from services.errors import Gone, Missing
from services.jobpulse import Pulse
from services.jobqueue import home_of
from tests.conftest import ROOT, environment_of, start_server

PATIENCE = 30.0
STEPS = 20


@jobs.runner("test-count")
def count(work: jobs.Work) -> jobs.Outcome:
    for step in range(work.kept.get("done", 0), work.parameters["steps"]):
        work.progress(step, work.parameters["steps"], f"bước {step}")
    file = work.folder / "kết quả.txt"
    file.write_text("đủ")
    return jobs.Outcome({"rows": work.parameters["steps"]}, file)


@jobs.runner("test-refuse")
def refuse(work: jobs.Work) -> jobs.Outcome:
    raise Refusal("Tệp %(name)s không có hình.", name="a.shp")


@jobs.runner("test-break")
def break_down(work: jobs.Work) -> jobs.Outcome:
    raise RuntimeError("inside")


@jobs.runner("test-stop-itself")
def stop_itself(work: jobs.Work) -> jobs.Outcome:
    work.progress(1, 10)
    jobs.cancel(work.store, work.actor, work.key)
    work.progress(10, 10)
    raise AssertionError("went on after being asked to stop")


#: Inserts areas one by one in one transaction; it is killed in the middle on its first attempt.
PROGRAM = """
import sys, pathlib, threading
import shapely
from data.store import Store
from layers import catalogue
from layers.edit import editing
from services import jobs

@jobs.runner("test-insert")
def insert(work):
    if "ids" in work.kept:
        return jobs.Outcome({"rows": len(work.kept["ids"]), "again": False})
    layer = catalogue.layer("growing_areas")
    ids = []
    with editing(work.store, work.actor, "import") as edits:
        for step in range(int(sys.argv[4])):
            shape = shapely.box(105 + step / 100, 9, 105.005 + step / 100, 9.005)
            ids.append(edits.insert(layer, {"name": f"Vùng {step}", "crop": "rice"}, shape))
            work.progress(step + 1, int(sys.argv[4]))
            if step == 10 and sys.argv[3] == "before":
                print("in the middle", flush=True)
                threading.Event().wait()
        work.keep(edits.session, ids=ids)
    if sys.argv[3] == "after":
        print("committed", flush=True)
        threading.Event().wait()
    return jobs.Outcome({"rows": len(ids), "again": True})

store = Store(sys.argv[1])
jobs.install(store, pathlib.Path(sys.argv[2]))
jobs.recover(store)
with store.reading() as session:
    from data.jobs import keys_in, JobState
    keys = keys_in(session, JobState.WAITING)
for key in keys:
    jobs.run_now(store, key)
"""


@pytest.fixture
def instance(store: Store, tmp_path: Path) -> Path:
    folder = tmp_path / "instance"
    jobs.install(store, folder)
    return folder


def ask(store: Store, kind: str, actor: Actor = SYSTEM, **parameters: Any) -> str:
    return jobs.submit(store, actor, kind, "Việc thử", parameters)


def job_of(store: Store, key: str) -> Job:
    with store.reading() as session:
        found = session.scalar(sa.select(Job).where(Job.key == key))
        session.expunge_all()
    assert found is not None
    return found


def spread(store: Store, instance: Path, moment: str) -> subprocess.Popen[str]:
    address = store.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, address, str(instance), moment, str(STEPS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def areas(store: Store) -> int:
    with store.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(GrowingArea)) or 0


def test_a_job_tells_how_far_it_came_and_gives_its_file(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=STEPS)
    assert job_of(store, key).state == JobState.WAITING
    done = jobs.run_now(store, key)
    assert (done.state, done.result, done.total) == (JobState.DONE, {"rows": STEPS}, STEPS)
    assert jobs.file_of(store, done).read_text() == "đủ"
    assert jobs.shown(store, done)["file"] == f"/jobs/{key}/file"


def test_a_job_is_done_once_however_often_it_is_asked_to_run(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=3)
    first = jobs.run_now(store, key)
    assert jobs.run_now(store, key).started_at == first.started_at


def test_files_lie_in_the_folder_before_the_job_begins(store: Store, instance: Path) -> None:
    def prepare(folder: Path) -> None:
        (folder / "upload.csv").write_text("x,y")

    key = jobs.submit(store, SYSTEM, "test-count", "Việc", {"steps": 1}, prepare=prepare)
    assert (instance / "jobs" / key / "upload.csv").read_text() == "x,y"


def test_a_refusal_is_told_in_its_own_sentence(store: Store, instance: Path) -> None:
    done = jobs.run_now(store, ask(store, "test-refuse"))
    assert (done.state, done.message) == (JobState.FAILED, "Tệp a.shp không có hình.")


def test_a_breakdown_is_told_without_its_insides(store: Store, instance: Path) -> None:
    done = jobs.run_now(store, ask(store, "test-break"))
    assert done.state == JobState.FAILED
    assert "inside" not in str(done.message)


def test_an_unknown_kind_is_refused(store: Store, instance: Path) -> None:
    done = jobs.run_now(store, ask(store, "none-such"))
    assert done.state == JobState.FAILED
    assert "none-such" in str(done.message)


def test_a_job_stops_at_its_next_step_and_can_be_run_again(store: Store, instance: Path) -> None:
    key = ask(store, "test-stop-itself")
    assert jobs.run_now(store, key).state == JobState.CANCELLED
    jobs.resume(store, SYSTEM, key)
    again = job_of(store, key)
    assert (again.state, again.cancel_requested) == (JobState.WAITING, False)
    assert not Pulse.stop_asked(instance / "jobs" / key)


def test_a_job_that_has_not_begun_is_cancelled_at_once(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=3)
    jobs.cancel(store, SYSTEM, key)
    assert jobs.run_now(store, key).state == JobState.CANCELLED


def test_a_job_that_is_over_is_neither_stopped_nor_run_again(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=1)
    jobs.run_now(store, key)
    for what in (jobs.cancel, jobs.resume):
        with pytest.raises(Refusal):
            what(store, SYSTEM, key)


def test_progress_is_told_while_the_jobs_own_transaction_is_open(store: Store, instance: Path) -> None:
    seen: list[dict[str, Any]] = []

    @jobs.runner("test-inside")
    def inside(work: jobs.Work) -> jobs.Outcome:
        with editing(work.store, work.actor, "import") as edits:
            work.keep(edits.session, halfway=True)
            work.progress(2, 5, "giữa chừng")
            seen.append(jobs.shown(work.store, job_of(work.store, work.key)))
        return jobs.Outcome()

    done = jobs.run_now(store, ask(store, "test-inside"))
    assert done.state == JobState.DONE
    assert done.kept == {"halfway": True}
    assert seen[0]["state"] == JobState.RUNNING
    if store.embedded:
        assert (seen[0]["done"], seen[0]["total"], seen[0]["message"]) == (2, 5, "giữa chừng")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_job_leaves_the_record_whole_and_is_finished_later(
    store: Store, instance: Path, moment: str
) -> None:
    key = ask(store, "test-insert")
    process = spread(store, instance, moment)
    assert process.stdout is not None
    assert process.stdout.readline().strip() in ("in the middle", "committed")
    assert job_of(store, key).state == JobState.RUNNING
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    assert areas(store) == (0 if moment == "before" else STEPS)
    again = spread(store, instance, "never")
    again.communicate(timeout=PATIENCE)
    done = job_of(store, key)
    assert done.state == JobState.DONE
    assert areas(store) == STEPS
    assert done.result == {"rows": STEPS, "again": moment == "before"}
    assert jobs.shown(store, done)["cut_off"] == 1


def test_a_living_job_is_not_taken_from_its_process(store: Store, instance: Path) -> None:
    key = ask(store, "test-insert")
    process = spread(store, instance, "before")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert jobs.recover(store) == []
        assert job_of(store, key).state == JobState.RUNNING
    finally:
        process.kill()
        process.wait(PATIENCE)
    assert jobs.recover(store) == [key]
    assert job_of(store, key).state == JobState.WAITING
    assert "ngắt" in str(job_of(store, key).message)


def test_a_job_that_is_cut_off_again_and_again_is_left_alone(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=1)
    for _ in range(jobs.MOST_CUT_OFF):
        with store.writing() as session:
            session.execute(
                sa.update(Job).values(state=JobState.RUNNING, heartbeat_at=now() - dt.timedelta(1))
            )
        jobs.recover(store)
    assert job_of(store, key).state == JobState.FAILED
    jobs.resume(store, SYSTEM, key)
    assert jobs.run_now(store, key).state == JobState.DONE


def test_what_the_queue_lost_is_queued_again_and_only_once(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=1)
    home_of(store).huey.flush()
    jobs.recover(store)
    jobs.recover(store)
    assert [task.args for task in home_of(store).huey.pending()] == [(key,)]


def test_files_go_when_their_time_is_over_and_the_link_says_so(store: Store, instance: Path) -> None:
    key = ask(store, "test-count", steps=1)
    jobs.run_now(store, key)
    assert jobs.sweep(store) == 0
    with store.writing() as session:
        session.execute(sa.update(Job).values(expires_at=now() - dt.timedelta(seconds=1)))
    with pytest.raises(Gone):
        jobs.file_of(store, job_of(store, key))
    assert jobs.sweep(store) == 1
    assert not (instance / "jobs" / key).exists()
    with pytest.raises(Gone):
        jobs.file_of(store, job_of(store, key))


def test_a_folder_that_never_became_a_job_goes_in_time(store: Store, instance: Path) -> None:
    kept, left = home_of(store).folder(ask(store, "test-count", steps=1)), home_of(store).folder("left-over")
    for folder in (kept, left):
        os.utime(folder, (0, 0))
    assert jobs.sweep(store) == 1
    assert (kept.exists(), left.exists()) == (True, False)


def test_a_job_has_the_rights_that_its_account_has_when_it_runs(store: Store, instance: Path) -> None:
    people.add_person(store, "an", "province_officer", password="mot-mat-khau-dai")
    with store.reading() as session:
        account = session.scalar(sa.select(Account))
        assert account is not None
        actor = account.actor()
    key = ask(store, "test-count", actor, steps=1)
    with store.writing() as session:
        session.execute(sa.update(Account).values(active=False))
    assert jobs.run_now(store, key).state == JobState.FAILED


def test_only_who_asked_and_administrators_see_a_job(store: Store, instance: Path) -> None:
    people.add_person(store, "an", "province_officer", password="mot-mat-khau-dai")
    people.add_person(store, "binh", "province_officer", password="mot-mat-khau-dai")
    with store.reading() as session:
        an, binh = (a.actor() for a in session.scalars(sa.select(Account).order_by(Account.id)))
    key, public = ask(store, "test-count", an, steps=1), ask(store, "test-count", PUBLIC, steps=1)
    with store.reading() as session:
        for actor in (an, SYSTEM):
            assert jobs.find(session, actor, key).key == key
        for actor in (binh, PUBLIC):
            with pytest.raises(Missing):
                jobs.find(session, actor, key)
        assert jobs.find(session, PUBLIC, public).key == public
        assert [job.key for job, _ in jobs.listed(session, an)] == [key]
        assert len(jobs.listed(session, SYSTEM)) == 2
        assert jobs.listed(session, binh) == [] == jobs.listed(session, PUBLIC)


# ---- pages


def test_pages_show_a_job_to_its_owner_only(
    app: Any, client: Any, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    owner, other = header_of("province_officer"), header_of("planner")
    with demo_store.reading() as session:
        actor = session.scalar(sa.select(Account).where(Account.role == "province_officer")).actor()
    store = app.extensions["ocop_store"]
    key = ask(store, "test-count", actor, steps=4)
    assert client.get(f"/jobs/{key}.json", headers=owner).json["state"] == "waiting"
    jobs.run_now(store, key)
    status = client.get(f"/jobs/{key}.json", headers=owner).json
    assert (status["state"], status["over"], status["result"]) == ("done", True, {"rows": 4})
    answer = client.get(status["file"], headers=owner)
    assert answer.data.decode() == "đủ"
    assert "attachment" in answer.headers["Content-Disposition"]
    page = client.get(f"/jobs/{key}", headers={**owner, "Accept": "text/html"})
    assert "Việc thử" in page.text
    for address in (f"/jobs/{key}", f"/jobs/{key}.json", f"/jobs/{key}/file"):
        assert client.get(address, headers=other).status_code == 404
        assert client.get(address).status_code == 404
    with demo_store.writing() as session:
        session.execute(sa.update(Job).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert client.get(f"/jobs/{key}/file", headers=owner).status_code == 410
    assert client.get(f"/jobs/{key}.json", headers=owner).json["file"] is None


def test_pages_speak_of_a_job_that_was_cut_off(
    app: Any, client: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    header = header_of("administrator")
    store = app.extensions["ocop_store"]
    key = ask(store, "test-count", steps=1)
    with store.writing() as session:
        session.execute(sa.update(Job).values(state=JobState.RUNNING, heartbeat_at=now() - dt.timedelta(1)))
    jobs.recover(store)
    jobs.run_now(store, key)
    page = client.get(f"/jobs/{key}", headers={**header, "Accept": "text/html"}).text
    assert "đã bị ngắt 1 lần" in page


# ---- the whole program


def worker_of(server: psutil.Process) -> list[psutil.Process]:
    """The keeper and the worker under it, once both run."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 10)):
        keepers = [p for p in server.children() if "webmap.lifeline" in p.cmdline()]
        workers = [w for k in keepers for w in k.children() if "work" in w.cmdline()]
        if workers:
            return [*keepers, *workers]
        pause.wait(0.1)
    raise AssertionError("the server started no worker")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_worker_comes_and_goes_with_the_server(
    empty_gpkg: Path, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "province.gpkg"
    path.write_bytes(empty_gpkg.read_bytes())
    server = start_server(f"gpkg:///{path}", tmp_path / "instance", workers=1)
    try:
        family = worker_of(psutil.Process(server.process.pid))
        server.process.send_signal(number)
        server.process.wait(PATIENCE)
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert alive == []
        assert "Traceback" not in server.log()
    finally:
        server.stop()


def test_a_worker_that_is_killed_is_started_again(empty_gpkg: Path, tmp_path: Path) -> None:
    path = tmp_path / "province.gpkg"
    path.write_bytes(empty_gpkg.read_bytes())
    server = start_server(f"gpkg:///{path}", tmp_path / "instance", workers=1)
    try:
        process = psutil.Process(server.process.pid)
        _, worker = worker_of(process)
        worker.kill()
        worker.wait(PATIENCE)
        assert worker_of(process)[1].pid != worker.pid
    finally:
        server.stop()


def test_the_command_does_what_waits(store: Store, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    jobs.install(store, instance)
    key = ask(store, "none-such")
    address = store.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "webmap.cli", "work"],
        cwd=tmp_path,
        env=environment_of(address, instance),
        stderr=subprocess.PIPE,
    )
    pause = threading.Event()
    try:
        for _ in range(int(PATIENCE * 10)):
            if job_of(store, key).state == JobState.FAILED:
                break
            pause.wait(0.1)
        assert job_of(store, key).state == JobState.FAILED
    finally:
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in said.decode()
