"""Taking events into the record: faults told one by one, refusals told in the words of EPCIS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from data.traceability import capture as record
from data.traceability import documents
from data.traceability.findings import Finding
from gis.errors import Refusal
from services import context
from services.epcis import problems
from services.epcis.problems import AlreadyExists, Fault, Forbidden, ValidationFault
from services.errors import sentence_of

SOURCE = "epcis"
#: More faults than these are not listed; who mends these will hear of the others.
MOST_FAULTS = 1_000


def take_one(document: Any) -> record.Appended:
    """Write one event. Raises ValidationFault, Forbidden or AlreadyExists."""
    refuse_faulty(document)
    events, prefixes = documents.events_of(document)
    store, actor = context.store(), context.actor()
    try:
        with store.writing() as session:
            (appended,) = record.append(session, actor, events, source=SOURCE, context=prefixes, checked=True)
    except record.CaptureError as error:
        raise as_problem(error) from error
    return appended


def refuse_faulty(document: Any) -> None:
    """Raise ValidationFault with every fault of a document, if it has one."""
    found = documents.faults(document)
    if not found:
        return
    raise ValidationFault(
        "%(count)s chỗ không đúng chuẩn EPCIS 2.0; chỗ đầu tiên, ở %(path)s: %(sentence)s",
        count=len(found),
        path=found[0].path,
        sentence=said(found[0]),
        faults=[{"path": fault.path, "detail": said(fault)} for fault in found],
    )


def as_problem(error: Refusal) -> Refusal:
    """Return a refusal of the record as EPCIS names it."""
    if isinstance(error, record.NotAllowed):
        return Forbidden(error.message, **error.facts)
    if isinstance(error, record.Conflict):
        fault: Fault = AlreadyExists(error.message)
    else:
        fault = ValidationFault(error.message)
    fault.facts = error.facts
    return fault


def entry(kind: str, status: int, detail: str, path: str) -> dict[str, Any]:
    """Return an error of a capture as it is listed: type, title, status, what is wrong, and where."""
    return {
        "type": problems.EPCIS + kind,
        "title": problems.title_of(kind),
        "status": status,
        "detail": detail,
        "path": path,
    }


def fault_entries(faults: Iterable[Finding], place: str = "$") -> list[dict[str, Any]]:
    """List the faults of a document, or of an event at a place in one, as errors of a capture."""
    return [
        entry("ValidationException", 400, said(fault), place + fault.path.removeprefix("$"))
        for fault in faults
    ]


def refusal_entry(error: Refusal, path: str) -> dict[str, Any]:
    """Return a refusal of the record as an error of a capture."""
    kind, status = problems.kind_of(as_problem(error))
    return entry(kind, status, sentence_of(error), path)


def said(finding: Finding) -> str:
    """Return the sentence of a fault or repair in the caller's language."""
    return sentence_of(Refusal(finding.message, **finding.facts))


def event_document(event: Mapping[str, Any], prefixes: Iterable[Any]) -> dict[str, Any]:
    """Return an event as a document of its own, to be looked at alone."""
    own = event.get("@context")
    return {**event, "@context": [*prefixes, *(own if isinstance(own, list) else [own] if own else [])]}
