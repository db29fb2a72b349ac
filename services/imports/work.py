"""The desk's long work: trying a large file out, and keeping its rows, as jobs that may be killed at any point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.accounts import Actor
from data.store import Store
from services import jobs
from services.imports import desk as desks
from services.imports.desk import INLINE_ROWS, Desk
from services.imports.keep import Kept
from services.imports.refusals import ImportRefused
from services.jobqueue import home_of

COMMIT, CHECK = "import", "import-check"


def instance_of(store: Store) -> Path:
    """Return the instance folder of a store, where uploads lie beside jobs."""
    return home_of(store).jobs.parent


def submit_commit(store: Store, actor: Actor, desk: Desk, *, language: str = "vi") -> str:
    """Ask for the rows to be kept; return the key of the job. Raises NotReady where a choice is missing."""
    _refuse_done(desk)
    with store.reading() as session:
        report = desks.report_of(desks.inspected(session, desk.folder, desk.choices.encoding), desk.choices)
        desks.check_ready(desk, report)
        seen = desks.tried_out(session, desk)
    if seen is not None:
        desks.refuse_barred(seen, desk.choices)
    return _submit(store, actor, desk, COMMIT, language)


def submit_check(store: Store, actor: Actor, desk: Desk, *, language: str = "vi") -> str | None:
    """Try a file out, at once when it is small, else as a job whose key is returned. Raises as `desk.try_out`."""
    _refuse_done(desk)
    with store.reading() as session:
        report = desks.report_of(desks.inspected(session, desk.folder, desk.choices.encoding), desk.choices)
        desks.check_ready(desk, report)
    if report.count <= INLINE_ROWS:
        desks.try_out(store, actor, desk)
        desks.note(store, desk, job=None)
        return None
    return _submit(store, actor, desk, CHECK, language)


def _submit(store: Store, actor: Actor, desk: Desk, kind: str, language: str) -> str:
    parameters = {"upload": desk.key, "choices": desk.choices.as_dict()}
    title = f"{desk.upload.file_name} → {desk.layer.title[language]}"
    key = jobs.submit(store, actor, kind, title, parameters, language=language)
    desks.note(store, desk, job={"key": key, "kind": kind})
    return key


def _refuse_done(desk: Desk) -> None:
    if desk.upload.standing_batch_id is not None:
        raise ImportRefused("Tệp này đã được nhập; hãy hoàn tác lô nhập, hoặc tải lên lại.")


def _desk(work: jobs.Work) -> Desk:
    with work.store.reading() as session:
        desk = desks.desk_of(session, instance_of(work.store), work.actor, work.parameters["upload"])
        session.expunge(desk.upload)
    chosen = desks.Choices.of(work.parameters["choices"])
    return desks.Desk(desk.upload, desk.folder, desk.layer, chosen)


@jobs.runner(CHECK)
def run_check(work: jobs.Work) -> jobs.Outcome:
    """Judge every row; being killed leaves nothing but a file that is written anew."""
    desk = _desk(work)
    report = desks.try_out(work.store, work.actor, desk, lambda done, total: work.progress(done, total))
    return jobs.Outcome({"counts": report.counts, "page": f"/office/import/{desk.key}"})


@jobs.runner(COMMIT)
def run_commit(work: jobs.Work) -> jobs.Outcome:
    """Keep every row in one transaction that also notes on the job that it is done."""
    if "result" in work.kept:
        return jobs.Outcome(work.kept["result"])
    desk = _desk(work)

    def last(edits: Any, kept: Kept) -> None:
        work.keep(edits.session, result=_result(desk, kept))

    kept = desks.commit(
        work.store, work.actor, desk, progress=lambda done, total: work.progress(done, total), last=last
    )
    return jobs.Outcome(_result(desk, kept))


def _result(desk: Desk, kept: Kept) -> dict[str, Any]:
    return {
        "batch": kept.batch_id,
        "layer": desk.layer.id,
        "added": len(kept.added),
        "updated": len(kept.updated),
        "counts": kept.report.counts,
        "page": f"/office/import/{desk.key}",
    }
