"""Keeping the rows of a file: all that the plan says in one transaction, as one batch, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data.accounts import Actor
from data.batches import Batch
from data.store import Store
from gis.errors import marked
from layers.edit import KEEP, Edits, editing
from layers.fields import Layer
from services.imports.choices import Choices
from services.imports.examine import Plan, examine
from services.imports.refusals import ImportRefused
from services.imports.rows import Report
from services.imports.source import Source

INSERTED, UPDATED = 5_000, 50

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Origin:
    """Where the rows come from, for the batch."""

    file_name: str
    sha256: str | None


@dataclass(frozen=True)
class Kept:
    """What an import did: the batch (None where nothing changed), ids of new rows, numbers of changed ones."""

    batch_id: int | None
    added: list[int]
    updated: list[int]
    report: Report


def keep(
    store: Store,
    actor: Actor,
    layer: Layer,
    source: Source,
    choices: Choices,
    origin: Origin,
    *,
    versions: Mapping[int, int] | None = None,
    progress: Progress = lambda done, total: None,
    last: Callable[[Edits, Kept], None] = lambda edits, kept: None,
) -> Kept:
    """Examine the rows once more and keep them, in one transaction.

    `versions` gives, by row number, the version of the record that somebody saw changed in the dry run;
    `last` runs in the transaction when all else is done. Raises ImportRefused when rows are barred and were
    not to be left out, and what the edit path raises; then nothing is kept.
    """
    batch = Batch(
        kind="import",
        title=f"{origin.file_name} → {layer.title.vi}",
        table_name=layer.table,
        account_id=actor.account_id,
        actor=actor.name or actor.role.value,
        file_name=origin.file_name,
        sha256=origin.sha256,
        facts={},
    )
    total = 2 * len(source)
    with editing(store, actor, "import", origin.file_name, batch=batch) as edits:
        plan = examine(edits.session, actor, layer, source, choices, lambda done: progress(done, total))
        refuse_barred(plan.report, choices)
        added = _add(edits, layer, plan, lambda done: progress(len(source) + done, total))
        updated = _update(
            edits, layer, plan, versions or {}, lambda done: progress(len(source) + done, total)
        )
        batch.facts = {"choices": choices.as_dict(), "counts": plan.report.counts, "crs": source.crs}
        kept = Kept(batch.id, added, updated, plan.report)
        last(edits, kept)
    return kept


def refuse_barred(report: Report, choices: Choices) -> None:
    """Raise ImportRefused when rows are barred that were not to be left out."""
    barred = report.barred
    if barred and not choices.skip_refused:
        raise ImportRefused(
            marked(
                "%(count)s trong %(total)s dòng không nhập được nên chưa có gì thay đổi; dòng %(row)s: %(why)s"
            ),
            count=len(barred),
            total=len(report.rows),
            row=barred[0].number,
            why=barred[0].sentence,
        )


def _add(edits: Edits, layer: Layer, plan: Plan, progress: Callable[[int], None]) -> list[int]:
    added: list[int] = []
    for start in range(0, len(plan.additions), INSERTED):
        progress(start)
        some = [checked for _, checked in plan.additions[start : start + INSERTED]]
        added += edits.insert_checked(layer, some)
    return added


def _update(
    edits: Edits, layer: Layer, plan: Plan, versions: Mapping[int, int], progress: Callable[[int], None]
) -> list[int]:
    updated: list[int] = []
    for done, change in enumerate(plan.updates):
        if done % UPDATED == 0:
            progress(len(plan.additions) + done)
        number = plan.report.rows[change.at].number
        edits.update(
            layer,
            change.record,
            change.properties,
            KEEP if change.geometry is None else change.geometry,
            version=versions.get(number, change.version),
        )
        updated.append(change.record)
    return updated
