"""Long work: asked for in one process, done in another, shown while it runs, and taken up again after a kill.

The row in `jobs` says how a job stands. A runner is a function that was registered for a kind; it may be killed
at any point and is then run again, from the start or from what it kept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import errno
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from data import jobs
from data.accounts import Actor, Role
from data.base import now
from data.jobs import Job, JobState
from data.store import Store, Unavailable
from gis.errors import Refusal
from layers.fields import Label
from services.errors import BUSY, Gone, Missing
from services.jobpulse import Pulse, held, pulse_of, sign
from services.jobqueue import Home, home_of, install, patiently

__all__ = ["Cancelled", "Outcome", "Work", "install", "run_now", "runner", "submit"]

log = logging.getLogger(__name__)

#: How long the files of a job that has ended are kept, and the link to them works.
KEPT: Final = dt.timedelta(days=7)
#: A job that was cut off so often is not begun again by itself: it may be the job that brings the worker down.
MOST_CUT_OFF: Final = 3
LISTED: Final = 100


class Cancelled(Exception):
    """Somebody asked the job to stop; the runner lets it pass."""


class NotNow(Refusal):
    """The job does not stand so that this could be done."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job: facts for its page, and a file in its folder that gets a link which expires."""

    result: dict[str, Any] = dataclasses.field(default_factory=dict)
    file: Path | None = None


Runner = Callable[["Work"], Outcome]
_runners: dict[str, Runner] = {}


def runner(kind: str) -> Callable[[Runner], Runner]:
    """Register the function that does the jobs of a kind."""

    def register(function: Runner) -> Runner:
        _runners[kind] = function
        return function

    return register


@dataclass
class Work:
    """What a runner works with: who asked for what, a folder of its own, and how it tells how far it is."""

    store: Store
    actor: Actor
    job_id: int
    key: str
    folder: Path
    parameters: dict[str, Any]
    language: str
    kept: dict[str, Any]
    pulse: Pulse

    def progress(self, done: int, total: int | None = None, message: str | None = None) -> None:
        """Tell how far the job is; it may be called often, and inside a writing transaction.

        Raises Cancelled when somebody asked the job to stop.
        """
        if self.pulse.beat(done, total, message):
            raise Cancelled

    def keep(self, session: Session | None = None, **facts: Any) -> None:
        """Write facts that survive a kill, within the transaction of `session` or else in one of their own.

        Facts that say what an edit has done belong in the edit's own transaction, as its last step: then they
        are kept together or not at all. In a GeoPackage one's own transaction must not be open meanwhile.
        """
        self.kept = {**self.kept, **facts}
        if session is not None:
            jobs.keep(session, self.job_id, self.kept)
            return
        with patiently(self.store) as own:
            jobs.keep(own, self.job_id, self.kept)


def submit(
    store: Store,
    actor: Actor,
    kind: str,
    title: str,
    parameters: Mapping[str, Any],
    *,
    language: str = "vi",
    prepare: Callable[[Path], None] | None = None,
) -> str:
    """Ask for a job; return its key, which nobody can guess.

    `prepare` is given the job's folder before the job can begin, to put files there.
    """
    key = jobs.new_key()
    folder = home_of(store).folder(key)
    try:
        if prepare is not None:
            prepare(folder)
        with store.writing() as session:
            session.add(
                Job(
                    key=key,
                    kind=kind,
                    title=title,
                    account_id=actor.account_id,
                    actor={**dataclasses.asdict(actor), "language": language},
                    parameters=dict(parameters),
                )
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    home_of(store).enqueue(key)
    return key


# ---- running


def run_now(store: Store, key: str) -> Job:
    """Do a waiting job in this process and return it as it stands then.

    A job that is not waiting, or that another process has, is left alone. Raises Missing for an unknown key.
    """
    folder = home_of(store).folder(key)
    with held(folder) as mine:
        if mine:
            sign(folder)
            with patiently(store) as session:
                job = jobs.claim(session, key)
                actor = jobs.actor_of(session, job) if job else None
                session.flush()
                session.expunge_all()
            if job is not None:
                _run(store, job, actor, folder)
    with store.reading() as session:
        found = jobs.by_key(session, key)
        session.expunge_all()
    if found is None:
        raise Missing("Không có công việc này.")
    return found


def _run(store: Store, job: Job, actor: Actor | None, folder: Path) -> None:
    language = str(job.actor.get("language") or "vi")
    with force_locale(language), pulse_of(store, job.id, folder) as pulse:
        state, facts = JobState.FAILED, {"message": ""}
        try:
            if actor is None:
                raise NotNow("Tài khoản đã yêu cầu công việc này không còn được đăng nhập.")
            work = Work(
                store, actor, job.id, job.key, folder, job.parameters, language, dict(job.kept or {}), pulse
            )
            outcome = _runner(job.kind)(work)
            state, facts = JobState.DONE, _outcome_facts(outcome, folder)
        except Cancelled:
            state, facts = JobState.CANCELLED, {"message": _("Đã dừng theo yêu cầu.")}
        except Refusal as error:
            facts = {"message": _sentence(error, language)}
        except Unavailable as error:
            log.warning("job %s (%s): %s", job.key, job.kind, error)
            facts = {"message": _(BUSY)}
        except OSError as error:
            log.error("job %s (%s)", job.key, job.kind, exc_info=error)
            facts = {"message": _disk_sentence(error)}
        except Exception as error:
            log.error("job %s (%s)", job.key, job.kind, exc_info=error)
            facts = {"message": _("Máy chủ gặp lỗi; sự việc đã được ghi lại. Có thể bấm “Chạy lại”.")}
        last = pulse.last()
    with patiently(store) as session:
        jobs.finish(session, job.key, state, {**last, "expires_at": now() + KEPT, **facts})


def _runner(kind: str) -> Runner:
    try:
        return _runners[kind]
    except KeyError:
        raise NotNow("Chương trình này không biết làm loại công việc “%(kind)s”.", kind=kind) from None


def _outcome_facts(outcome: Outcome, folder: Path) -> dict[str, Any]:
    file = outcome.file.resolve().relative_to(folder.resolve()).as_posix() if outcome.file else None
    return {"result": outcome.result, "file": file, "message": None}


def _sentence(error: Refusal, language: str) -> str:
    facts = {n: fact[language] if isinstance(fact, Label) else fact for n, fact in error.facts.items()}
    text = str(_(error.message))
    return text % facts if facts else text


def _disk_sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return str(_("Ổ đĩa của máy chủ đã đầy; hãy báo quản trị viên rồi bấm “Chạy lại”."))
    return str(_("Máy chủ không đọc hoặc ghi được tệp; sự việc đã được ghi lại. Có thể bấm “Chạy lại”."))


# ---- what people ask of a job


def may_see(actor: Actor, job: Job) -> bool:
    """Tell whether somebody sees a job: who asked for it, and administrators; one of the public, who has its key."""
    if actor.role == Role.ADMINISTRATOR:
        return True
    if job.account_id is not None:
        return job.account_id == actor.account_id
    return job.actor.get("role") == Role.PUBLIC


def find(session: Session, actor: Actor, key: str) -> Job:
    """Return a job that the actor sees. Raises Missing for any other."""
    job = jobs.by_key(session, key)
    if job is None or not may_see(actor, job):
        raise Missing("Không có công việc này, hoặc nó không phải của bạn.")
    return job


def listed(session: Session, actor: Actor) -> list[tuple[Job, str | None]]:
    """List the actor's latest jobs with the name of who asked; an administrator's list holds everybody's."""
    if actor.role == Role.ADMINISTRATOR:
        return jobs.listed(session, None, LISTED)
    return [] if actor.account_id is None else jobs.listed(session, actor.account_id, LISTED)


def shown(store: Store, job: Job) -> dict[str, Any]:
    """Return how a job stands, as its page and its JSON show it."""
    facts = {"done": job.done, "total": job.total, "message": job.message}
    if job.state == JobState.RUNNING:
        facts.update(Pulse.read(home_of(store).path(job.key)))
    link = job.file is not None and job.state == JobState.DONE and not _over(job)
    return {
        "key": job.key,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        **facts,
        "result": job.result,
        "file": f"/jobs/{job.key}/file" if link else None,
        "file_name": Path(job.file).name if job.file else None,
        "cut_off": int((job.kept or {}).get(jobs.CUT_OFF, 0)),
        "cancel_requested": job.state == JobState.RUNNING
        and (job.cancel_requested or Pulse.stop_asked(home_of(store).path(job.key))),
        "may_resume": may_resume(job),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
    }


def may_resume(job: Job) -> bool:
    """Tell whether a job can be run once more: it failed or was stopped, and its files are still there."""
    return job.state in (JobState.FAILED, JobState.CANCELLED) and not _over(job)


def _over(job: Job) -> bool:
    return job.expires_at is not None and job.expires_at <= now()


def cancel(store: Store, actor: Actor, key: str) -> None:
    """Ask a job to stop: at once when it has not begun, else at its next step. Raises Missing or NotNow."""
    with store.reading() as session:
        state = find(session, actor, key).state
    if state == JobState.WAITING:
        with store.writing() as session:
            if jobs.stop_waiting(session, key):
                return
    elif state != JobState.RUNNING:
        raise NotNow("Công việc đã kết thúc nên không dừng được nữa.")
    Pulse.ask_to_stop(home_of(store).path(key))
    if not store.embedded:
        with store.writing() as session:
            jobs.ask_to_stop(session, key)


def resume(store: Store, actor: Actor, key: str) -> None:
    """Run a job that failed or was stopped once more, with what it kept. Raises Missing or NotNow."""
    with store.writing() as session:
        job = find(session, actor, key)
        kept = {n: v for n, v in (job.kept or {}).items() if n != jobs.CUT_OFF}
        if not may_resume(job) or not jobs.wait_again(session, key, JobState(job.state), kept, None):
            raise NotNow("Chỉ chạy lại được công việc bị lỗi hoặc đã dừng, khi tệp của nó còn giữ.")
    Pulse.forget(home_of(store).path(key))
    home_of(store).enqueue(key)


def file_of(store: Store, job: Job) -> Path:
    """Return the file that came of a job. Raises Missing when there is none, Gone when its time is over."""
    if job.file is None or job.state != JobState.DONE:
        raise Missing("Công việc này chưa có tệp kết quả.")
    path = home_of(store).path(job.key) / job.file
    if _over(job) or not path.is_file():
        raise Gone("Liên kết tải tệp đã hết hạn; hãy yêu cầu lại công việc.")
    return path


# ---- looking after


def recover(store: Store) -> list[str]:
    """Queue again what waits without being queued and what was cut off; return the keys of the latter."""
    home = home_of(store)
    with store.reading() as session:
        running = [job for k in jobs.keys_in(session, JobState.RUNNING) if (job := jobs.by_key(session, k))]
        session.expunge_all()
    cut_off = [job.key for job in running if _recovered(store, home, job)]
    with store.reading() as session:
        home.enqueue_all(jobs.keys_in(session, JobState.WAITING))
    return cut_off


def _recovered(store: Store, home: Home, job: Job) -> bool:
    """Let a job wait again whose process is gone; tell whether it was."""
    with held(home.folder(job.key)) as mine:
        if not mine or not home.is_dead(store, job):
            return False
        times = int((job.kept or {}).get(jobs.CUT_OFF, 0)) + 1
        kept = {**(job.kept or {}), jobs.CUT_OFF: times}
        with _in_language(job), patiently(store) as session:
            if times < MOST_CUT_OFF:
                message = _("Bị ngắt giữa chừng; đang chờ chạy tiếp.")
                moved = jobs.wait_again(session, job.key, JobState.RUNNING, kept, message)
            else:
                message = _("Bị ngắt giữa chừng quá nhiều lần nên đã dừng hẳn; có thể bấm “Chạy lại”.")
                facts = {"kept": kept, "message": message, "expires_at": now() + KEPT}
                jobs.finish(session, job.key, JobState.FAILED, facts)
                moved = True
        Pulse.forget(home.path(job.key))
        return moved


def _in_language(job: Job) -> contextlib.AbstractContextManager[None]:
    context: contextlib.AbstractContextManager[None] = force_locale(str(job.actor.get("language") or "vi"))
    return context


def sweep(store: Store) -> int:
    """Remove the folders of jobs whose time is over, and of such as never came to be; return how many.

    The rows of the jobs stay and say that their files are gone.
    """
    home = home_of(store)
    with store.reading() as session:
        folders = [path for key in jobs.expired(session) if (path := home.path(key)).exists()]
        folders += [path for path in home.old_folders(KEPT) if jobs.by_key(session, path.name) is None]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)
