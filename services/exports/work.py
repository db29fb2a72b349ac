"""Large exports as jobs: the file lies whole in the job's folder, or is not there."""

from __future__ import annotations

import shutil
from typing import Any

from data import jobs as job_rows
from data.accounts import Actor
from data.store import Store
from layers import read
from services import jobs
from services.exports.wish import Wish, from_job
from services.exports.write import SCRATCH, export_wish

KIND = "export"


def asked_for(store: Store, wish: Wish, actor: Actor) -> str:
    """Ask for the export and return the key of its job: the same one as before while nothing has changed."""
    with store.reading() as session:
        parameters = {**wish.as_job(), "revision": read.revision(session, wish.layer)}
        known = job_rows.same(session, KIND, actor, parameters)
    if known is not None:
        return known
    title = f"{wish.layer.title[wish.language]} · {wish.form.title[wish.language]}"
    return jobs.submit(store, actor, KIND, title, parameters, language=wish.language)


@jobs.runner(KIND)
def run(work: jobs.Work) -> jobs.Outcome:
    """Write the file that was asked for, from the beginning, with the rights of who asked."""
    for left in work.folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    wish = from_job(work.parameters, work.actor)
    with work.store.reading() as session:
        total = read.count(session, wish.query(work.actor))
    work.progress(0, total)
    path = work.folder / wish.file_name()
    written = export_wish(
        work.store, wish, path, work.actor, progress=lambda rows: work.progress(min(rows, total), total)
    )
    result: dict[str, Any] = {"rows": written.rows, "cut": list(written.cut)}
    return jobs.Outcome(result, path)
