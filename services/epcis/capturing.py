"""The job that captures a document: all or nothing, or whatever can be taken, and the same after a kill.

What a transaction wrote and what it said of it are kept together, so that a job begun again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from flask_babel import gettext as _

from data.traceability import capture as record
from data.traceability import documents
from gis.errors import Refusal
from services import jobs
from services.epcis import taking
from services.jobqueue import patiently

KIND: Final = "epcis_capture"
BODY: Final = "document.json"
ROLLBACK, PROCEED = "rollback", "proceed"
#: Events between two signs of progress, and in one transaction where each stands for itself.
CHUNK: Final = 200


class Rejected(Refusal):
    """Nothing of a document was taken; the job keeps why."""


@jobs.runner(KIND)
def run(work: jobs.Work) -> jobs.Outcome:
    """Capture the document in the job's folder."""
    document = orjson.loads((work.folder / BODY).read_bytes())
    repairs: list[dict[str, str]] = []
    if work.parameters.get("repair"):
        document, mended = documents.repaired(document)
        repairs = [{"path": repair.path, "detail": taking.said(repair)} for repair in mended]
        repairs = repairs[: taking.MOST_FAULTS]
    take = _proceed if work.parameters.get("behaviour") == PROCEED else _rollback
    facts = take(work, document)
    result = {name: facts.get(name, 0) for name in ("captured", "known")}
    return jobs.Outcome({**result, "refused": len(facts.get("errors", ())), "repairs": repairs})


def _rollback(work: jobs.Work, document: Any) -> dict[str, Any]:
    if "captured" in work.kept:
        return work.kept
    found = documents.faults(document)
    if found:
        _reject(work, taking.fault_entries(found), len(found))
    events, prefixes = documents.events_of(document)
    at = 0
    try:
        with patiently(work.store) as session:
            known = 0
            for at in range(0, len(events), CHUNK):
                work.progress(at, len(events))
                part = events[at : at + CHUNK]
                written = record.append(
                    session, work.actor, part, source=taking.SOURCE, context=prefixes, checked=True
                )
                known += sum(one.known for one in written)
            work.keep(session, captured=len(events) - known, known=known)
    except record.CaptureError as error:
        _reject(work, [taking.refusal_entry(error, _path(at + (error.event or 0)))], 1)
    work.progress(len(events), len(events))
    return work.kept


def _reject(work: jobs.Work, errors: list[dict[str, Any]], count: int) -> None:
    work.keep(errors=errors)
    raise Rejected("Không ghi sự kiện nào, vì %(count)s chỗ không được nhận; xem danh sách lỗi.", count=count)


def _proceed(work: jobs.Work, document: Any) -> dict[str, Any]:
    events, prefixes = documents.events_of(document)
    if not events and (found := documents.faults(document)):
        _reject(work, taking.fault_entries(found), len(found))
    for start in range(int(work.kept.get("done", 0)), len(events), CHUNK):
        work.progress(start, len(events))
        _take_each(work, events[start : start + CHUNK], start, prefixes)
    work.progress(len(events), len(events))
    return work.kept


def _take_each(work: jobs.Work, events: Sequence[Any], start: int, prefixes: Sequence[Any]) -> None:
    """Take those of some events that can be taken, in one transaction, each behind a savepoint of its own."""
    captured, known = int(work.kept.get("captured", 0)), int(work.kept.get("known", 0))
    errors = list(work.kept.get("errors", ()))
    with patiently(work.store) as session:
        for at, event in enumerate(events, start):
            if faults := documents.faults(taking.event_document(event, prefixes)):
                errors += taking.fault_entries(faults, _path(at))
                continue
            try:
                with session.begin_nested():
                    (one,) = record.append(
                        session, work.actor, [event], source=taking.SOURCE, context=prefixes, checked=True
                    )
            except record.CaptureError as error:
                errors.append(taking.refusal_entry(error, _path(at)))
                continue
            captured, known = captured + (not one.known), known + one.known
        facts = {"captured": captured, "known": known, "errors": errors[: taking.MOST_FAULTS]}
        work.keep(session, done=start + len(events), **facts)


def _path(index: int) -> str:
    return f"$.epcisBody.eventList[{index}]"


def title(count: int) -> str:
    """Return what the list of jobs calls a capture."""
    return str(_("Ghi nhận %(count)s sự kiện EPCIS", count=count))
