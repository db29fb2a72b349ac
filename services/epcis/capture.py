"""The capture interface: documents are taken as jobs, small ones at once, and each job tells what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from flask import Response, request

from data.accounts import Role
from data.jobs import Job, JobState
from services import context, jobs
from services.epcis import capturing, documents, paging, taking
from services.epcis.capturing import PROCEED, ROLLBACK
from services.epcis.documents import moment
from services.epcis.problems import Forbidden, NoSuchName, TooMuch, ValidationFault
from services.epcis.site import CAPTURE_BYTES, CAPTURE_EVENTS, blueprint, parsed, raw_body
from services.errors import Missing
from services.jobpulse import Pulse
from services.jobqueue import home_of
from services.parameters import boolean, refuse_unknown

#: A document of so few events in so few bytes is taken before the answer is sent.
AT_ONCE_EVENTS: Final = 100
AT_ONCE_BYTES: Final = 512 * 1024
DOCUMENTS: Final = ("EPCISDocument", "EPCISQueryDocument")
#: Roles that only look.
LOOKERS: Final = frozenset({Role.COUNCIL_MEMBER, Role.PLANNER})


@blueprint.post("/capture")
def capture() -> Response:
    """Take a document of events: 202, and the address where its job is."""
    refuse_unknown(("repair",))
    if context.actor().role in LOOKERS:
        raise Forbidden("Vai trò của bạn không ghi nhận sự kiện.")
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", ROLLBACK).strip().lower()
    if behaviour not in (ROLLBACK, PROCEED):
        raise ValidationFault("Đầu đề GS1-Capture-Error-Behaviour nhận rollback hoặc proceed.")
    data = raw_body(CAPTURE_BYTES)
    count = _count(parsed(data))

    def prepare(folder: Path) -> None:
        (folder / capturing.BODY).write_bytes(data)

    facts = {"behaviour": behaviour, "repair": boolean("repair"), "events": count}
    store = context.store()
    key = jobs.submit(
        store,
        context.actor(),
        capturing.KIND,
        capturing.title(count),
        facts,
        language=context.language(),
        prepare=prepare,
    )
    if count <= AT_ONCE_EVENTS and len(data) <= AT_ONCE_BYTES:
        jobs.run_now(store, key)
    response = Response(status=202)
    response.headers["Location"] = f"{request.url_root}epcis/capture/{key}"
    response.headers["GS1-Capture-Error-Behaviour"] = behaviour
    return response


def _count(document: Any) -> int:
    """Return how many events a document holds; what is no document of events is refused at once."""
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(kind, str):
        raise ValidationFault("Nội dung phải là một tài liệu EPCISDocument hoặc một sự kiện, có trường type.")
    if kind not in DOCUMENTS:
        return 1
    holder = document.get("epcisBody")
    for name in ("queryResults", "resultsBody") if kind == "EPCISQueryDocument" else ():
        holder = holder.get(name) if isinstance(holder, dict) else None
    events = holder.get("eventList", []) if isinstance(holder, dict) else None
    if not isinstance(events, list):
        raise ValidationFault("Tài liệu không có danh sách sự kiện epcisBody.eventList.")
    if len(events) > CAPTURE_EVENTS:
        raise TooMuch("Một lần ghi nhận nhiều nhất %(most)s sự kiện; hãy chia nhỏ.", most=CAPTURE_EVENTS)
    return len(events)


@blueprint.get("/capture", strict_slashes=False)
def captures() -> Response:
    """List the caller's captures, newest first; an administrator's list holds everybody's."""
    asked = paging.no_parameters(paging.turn())
    query, actor = sa.select(Job).where(Job.kind == capturing.KIND), context.actor()
    if actor.role != Role.ADMINISTRATOR:
        query = query.where(Job.account_id == actor.account_id)
    if asked.after is not None:
        query = query.where(Job.id < asked.after)
    found = list(context.session().scalars(query.order_by(Job.id.desc()).limit(asked.limit + 1)))
    response = documents.answer([shown(job) for job in found[: asked.limit]])
    return paging.carry_on(response, asked, found[asked.limit - 1].id if len(found) > asked.limit else None)


@blueprint.get("/capture/<capture_id>")
def capture_job(capture_id: str) -> Response:
    """Tell how a capture stands."""
    refuse_unknown(())
    try:
        job = jobs.find(context.session(), context.actor(), capture_id)
    except Missing as error:
        raise NoSuchName(error.message) from error
    if job.kind != capturing.KIND:
        raise NoSuchName("Không có lần ghi nhận này, hoặc nó không phải của bạn.")
    return documents.answer(shown(job))


def shown(job: Job) -> dict[str, Any]:
    """Return a capture as EPCIS tells it, with what was taken, was known before, and was mended."""
    kept, result = job.kept or {}, job.result or {}
    errors = list(kept.get("errors", ()))
    running = job.state in (JobState.WAITING, JobState.RUNNING)
    if not running and job.state != JobState.DONE and not errors:
        status = 500 if job.state == JobState.FAILED else 409
        errors = [taking.entry("ImplementationException", status, job.message or "", "$")]
    facts: dict[str, Any] = {
        "captureID": job.key,
        "createdAt": moment(job.created_at),
        "running": running,
        "success": not errors,
        "captureErrorBehaviour": job.parameters.get("behaviour", ROLLBACK),
        "errors": errors,
        "events": job.parameters.get("events", 0),
        "captured": kept.get("captured", 0),
        "known": kept.get("known", 0),
    }
    if job.finished_at is not None and not running:
        facts["finishedAt"] = moment(job.finished_at)
    if running:
        facts["done"] = Pulse.read(home_of(context.store()).path(job.key)).get("done", job.done)
    if result.get("repairs"):
        facts["repairs"] = result["repairs"]
    return facts
