"""Undoing a batch of edits: a small one at once, a large one as a job that may be killed at any point."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.batches import Batch
from data.store import Store
from layers import batches
from services import jobs

KIND: Final = "undo"
#: A batch of more rows is undone by the worker instead of while somebody waits for the page.
INLINE_ROWS: Final = 5_000


def is_large(batch: Batch) -> bool:
    """Tell whether a batch is undone as a job."""
    return (batch.rows or 0) > INLINE_ROWS


def undo(store: Store, actor: Actor, batch_id: int, *, language: str = "vi") -> int | str:
    """Undo a batch; return the id of the batch that does it, or the key of the job where it is large.

    Raises NotFound, NotUndone and what `layers.batches.undo` raises; then nothing is changed or asked for.
    """
    with store.reading() as session:
        told = batches.summary(session, actor, batch_id)
        large, title = is_large(told.batch), told.batch.title
    if not large:
        return batches.undo(store, actor, batch_id)
    if told.refusal is not None:
        raise told.refusal
    name = _("Hoàn tác đợt %(id)s: %(title)s", id=batch_id, title=title)
    return jobs.submit(store, actor, KIND, name, {"batch": batch_id}, language=language)


@jobs.runner(KIND)
def run(work: jobs.Work) -> jobs.Outcome:
    """Undo the batch in one transaction that also notes on the job that it is done."""
    if "result" in work.kept:
        return jobs.Outcome(work.kept["result"])

    def last(session: Session, undoing: int) -> None:
        work.keep(session, result=_result(undoing))

    undoing = batches.undo(
        work.store,
        work.actor,
        work.parameters["batch"],
        progress=lambda done, total: work.progress(done, total),
        last=last,
    )
    return jobs.Outcome(_result(undoing))


def _result(undoing: int) -> dict[str, Any]:
    return {"batch": undoing, "page": f"/office/batches/{undoing}"}
