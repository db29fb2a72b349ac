"""The desk: a file that somebody brought, from its arrival to the choices, the dry run, the commit or the bin."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy.orm import Session

from data import uploads
from data.accounts import Actor, Role
from data.base import now
from data.batches import Batch
from data.jobs import new_key
from data.store import Store, revisions
from data.uploads import Upload
from gis.inspect import Inspection, LayerReport
from layers import catalogue
from layers.edit import Edits, NotAllowed, may_edit
from layers.fields import Layer
from services.imports import kept_inspection, preview
from services.imports.choices import Choices, check_fields, remembered, source_key
from services.imports.examine import examine
from services.imports.folder import Folder
from services.imports.keep import Kept, Origin, keep, refuse_barred
from services.imports.matching import suggestions
from services.imports.refusals import ImportRefused, NotReady, NoUpload
from services.imports.rows import Report, RowReport
from services.imports.source import Source, look_into, proposal_of, read

__all__ = [
    "Choices",
    "Desk",
    "accepts",
    "check_ready",
    "choose",
    "commit",
    "desk_of",
    "earlier_imports",
    "first_choices",
    "inspected",
    "layer_for",
    "layers_for",
    "note",
    "receive",
    "refuse_barred",
    "remove",
    "report_of",
    "state_of",
    "sweep",
    "tried_out",
    "try_out",
]

KEPT_DAYS = 7
INLINE_ROWS = 3_000
"""Up to so many rows a dry run is done while the caller waits."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Desk:
    """One upload with its folder and choices."""

    upload: Upload
    folder: Folder
    layer: Layer
    choices: Choices

    @property
    def key(self) -> str:
        """The upload's key."""
        return self.upload.key

    @property
    def facts(self) -> dict[str, Any]:
        """What is kept with the upload besides the choices: the job at work, the digest of the last dry run."""
        return {k: v for k, v in self.upload.choices.items() if k != "choices"}


def accepts(layer: Layer) -> bool:
    """Tell whether rows can be imported into a layer: it has fields that may be written."""
    return any(f.writable for f in layer.fields)


def layer_for(actor: Actor, layer_id: str) -> Layer:
    """Return a layer that the actor may import into. Raises NoUpload for an unknown layer, or NotAllowed."""
    layer = catalogue.layer_of_table(layer_id)
    if layer is None or not accepts(layer):
        raise NoUpload("Không có lớp “%(layer)s” để nhập.", layer=layer_id)
    if not may_edit(actor, layer):
        raise NotAllowed("Bạn không có quyền thêm vào lớp %(layer)s.", layer=layer.title)
    return layer


def layers_for(actor: Actor) -> list[Layer]:
    """List the layers that the actor may import into."""
    return [layer for layer in catalogue.LAYERS if accepts(layer) and may_edit(actor, layer)]


# ---- arriving and leaving


def receive(
    store: Store,
    instance: Path,
    actor: Actor,
    layer_id: str,
    files: Sequence[tuple[str, IO[bytes]]],
    given: Mapping[str, Any] | None = None,
) -> str:
    """Take in a file for a layer; return the key of the upload.

    Raises NotAllowed, ImportRefused for a file that cannot be taken, and the file reader's refusal for one
    that cannot be read; then nothing is kept.
    """
    layer = layer_for(actor, layer_id)
    if not files:
        raise ImportRefused("Chưa có tệp nào; hãy chọn một tệp.")
    key = new_key()
    folder = Folder(instance, key)
    shown, digest, size = folder.receive(files)
    try:
        with store.reading() as session:
            asked = Choices().with_(given or {})
            inspection = inspected(session, folder, asked.encoding)
            choices = first_choices(session, layer, inspection, asked.layer).with_(given or {})
        with store.writing() as session:
            session.add(
                Upload(
                    key=key,
                    account_id=actor.account_id,
                    file_name=shown,
                    sha256=digest,
                    size=size,
                    table_name=layer.table,
                    choices={"choices": choices.as_dict()},
                )
            )
    except BaseException:
        folder.remove()
        raise
    sweep(store, instance)
    return key


def desk_of(session: Session, instance: Path, actor: Actor, key: str) -> Desk:
    """Return an upload of the actor, or for administrators anybody's. Raises NoUpload or NotAllowed."""
    anybody = actor.role == Role.ADMINISTRATOR
    upload = None
    if actor.account_id is not None or anybody:
        upload = uploads.upload_of(session, key, None if anybody else actor.account_id)
    if upload is None or upload.table_name is None:
        raise NoUpload("Không có tệp này, hoặc nó không phải của bạn; hãy tải lên lại.")
    layer = layer_for(actor, upload.table_name)
    return Desk(upload, Folder(instance, upload.key), layer, Choices.of(upload.choices.get("choices", {})))


def earlier_imports(session: Session, desk: Desk) -> list[Batch]:
    """List the imports of this very file that were not undone."""
    return uploads.imported_before(session, desk.upload.sha256)


def remove(store: Store, instance: Path, actor: Actor, key: str) -> None:
    """Throw a file away. Raises NoUpload or NotAllowed."""
    with store.writing() as session:
        desk = desk_of(session, instance, actor, key)
        session.delete(desk.upload)
    desk.folder.remove()


def sweep(store: Store, instance: Path) -> int:
    """Throw away files that came more than KEPT_DAYS ago and were never imported; return how many."""
    with store.writing() as session:
        gone = uploads.abandoned(session, now() - dt.timedelta(days=KEPT_DAYS))
        keys = [upload.key for upload in gone]
        for upload in gone:
            session.delete(upload)
    for key in keys:
        Folder(instance, key).remove()
    return len(keys)


# ---- looking and choosing


def inspected(session: Session, folder: Folder, encoding: str | None) -> Inspection:
    """Return what is in a file, looking into it the first time. Raises the file reader's refusal."""
    kept = folder.inspection(encoding)
    found = kept_inspection.load(kept)
    if found is None:
        found = look_into(folder.file, session, encoding=encoding)
        kept_inspection.save(kept, found)
    return found


def report_of(inspection: Inspection, choices: Choices) -> LayerReport:
    """Return the layer of the file that was chosen. Raises NotReady when it is not there."""
    try:
        return inspection.layer(choices.layer)
    except KeyError:
        raise NotReady(
            "Tệp không có lớp “%(name)s”; các lớp: %(known)s.",
            step="layer",
            field="layer",
            name=choices.layer,
            known=", ".join(layer.name for layer in inspection.layers),
        ) from None


def first_choices(session: Session, layer: Layer, inspection: Inspection, name: str | None) -> Choices:
    """What to begin with: the choices that were right for the same columns, else the likely ones."""
    report = report_of(inspection, Choices(layer=name))
    choices = Choices(layer=report.name, skip_duplicates=True)
    profile = uploads.profile_of(session, layer.table, source_key(report.fields))
    found = {name: match.column for name, match in suggestions(layer, report.fields).items()}
    choices = replace(choices, fields=found)
    if profile is None:
        return choices
    kept = Choices.of(profile.choices)
    # What was remembered of places holds only while this file's own coordinates allow it.
    fits = any(p.crs == kept.crs and p.swapped == kept.swapped and p.plausible for p in report.crs.proposals)
    columns = {f: c for f, c in kept.fields.items() if c in report.fields}
    return replace(
        kept,
        layer=report.name,
        fields=columns,
        crs=kept.crs if fits else None,
        swapped=kept.swapped if fits else False,
        skip_refused=False,
    )


def choose(store: Store, instance: Path, actor: Actor, key: str, changes: Mapping[str, Any]) -> Desk:
    """Make choices anew. Raises NotReady for what is no choice, NoUpload or NotAllowed."""
    with store.reading() as session:
        desk = desk_of(session, instance, actor, key)
        if desk.upload.standing_batch_id is not None:
            raise ImportRefused("Tệp này đã được nhập; hãy hoàn tác lô nhập, hoặc tải lên lại.")
        choices = desk.choices.with_(changes)
        if choices.layer != desk.choices.layer or choices.encoding != desk.choices.encoding:
            inspection = inspected(session, desk.folder, choices.encoding)
            begun = first_choices(session, desk.layer, inspection, choices.layer)
            choices = replace(begun, encoding=choices.encoding).with_(changes)
    note(store, desk, choices=choices.as_dict())
    return replace(desk, choices=choices)


def note(store: Store, desk: Desk, **facts: Any) -> None:
    """Keep facts with the upload, besides those that are there."""
    with store.writing() as session:
        upload = uploads.upload_of(session, desk.key, None)
        if upload is not None:
            upload.choices = {**upload.choices, **facts}


# ---- trying and keeping


def check_ready(desk: Desk, report: LayerReport) -> None:
    """Raise NotReady where a choice is missing: the fields' columns, or the reference system."""
    if report.bounds is not None:
        proposal_of(report, desk.choices)
    check_fields(desk.layer, desk.choices, report.fields)


def source_of(session: Session, desk: Desk) -> tuple[LayerReport, Source]:
    """Read the file as chosen. Raises NotReady where a choice is missing, and the file reader's refusal."""
    report = report_of(inspected(session, desk.folder, desk.choices.encoding), desk.choices)
    check_ready(desk, report)
    return report, read(desk.folder.file, desk.layer, report, desk.choices)


def try_out(store: Store, actor: Actor, desk: Desk, progress: Progress = lambda done, total: None) -> Report:
    """Judge every row without keeping any, and keep the report and a preview in the upload's folder."""
    with store.reading() as session:
        _, source = source_of(session, desk)
        total = len(source)
        plan = examine(session, actor, desk.layer, source, desk.choices, lambda done: progress(done, total))
        state = state_of(session, desk)
    preview.write(desk.folder.preview, plan.report, plan.shapes)
    document = {"state": state, "crs": plan.report.crs, "rows": [row.as_dict() for row in plan.report.rows]}
    desk.folder.report.write_bytes(orjson.dumps(document, default=str))
    return plan.report


def tried_out(session: Session, desk: Desk) -> Report | None:
    """Return the report of the last dry run while choices and record are as they were then."""
    document = _last_document(desk)
    if document is None or document["state"] != state_of(session, desk):
        return None
    return Report([RowReport.of(row) for row in document["rows"]], document["crs"])


def _last_document(desk: Desk) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = orjson.loads(desk.folder.report.read_bytes())
    except (OSError, ValueError):
        return None
    return document


def _versions_seen(desk: Desk) -> dict[int, int]:
    """The versions of records, by row number, that the last dry run with these choices showed changes of."""
    document = _last_document(desk)
    if document is None or document["state"].split("-")[0] != _digest(_chosen(desk)):
        return {}
    return {row["number"]: row["version"] for row in document["rows"] if row["version"] is not None}


def state_of(session: Session, desk: Desk) -> str:
    """Digests of what a dry run depends on: the choices, and the revisions of the tables that are looked at."""
    known = revisions(session)
    watched = [known.get(name, 0) for name in (desk.layer.table, "communes", "commune_successions")]
    return f"{_digest(_chosen(desk))}-{_digest(watched)}"


def _chosen(desk: Desk) -> dict[str, Any]:
    return {name: value for name, value in desk.choices.as_dict().items() if name != "skip_refused"}


def _digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def commit(
    store: Store,
    actor: Actor,
    desk: Desk,
    *,
    progress: Progress = lambda done, total: None,
    last: Callable[[Edits, Kept], None] = lambda edits, kept: None,
) -> Kept:
    """Keep the file's rows in one transaction, with the batch noted on the upload and the choices remembered.

    Raises NotReady, ImportRefused, and what the edit path raises; then nothing is kept.
    """
    with store.reading() as session:
        report, source = source_of(session, desk)

    def at_the_end(edits: Edits, kept: Kept) -> None:
        upload = uploads.upload_of(edits.session, desk.key, None)
        if upload is not None:
            upload.batch_id = kept.batch_id
        uploads.remember_profile(
            edits.session,
            desk.layer.table,
            source_key(report.fields),
            remembered(desk.choices),
            actor.account_id,
        )
        last(edits, kept)

    origin = Origin(desk.upload.file_name, desk.upload.sha256)
    return keep(
        store,
        actor,
        desk.layer,
        source,
        desk.choices,
        origin,
        versions=_versions_seen(desk),
        progress=progress,
        last=at_the_end,
    )
