"""The pages of long work: one's own jobs, how far one is, stopping it, running it again, and its file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, send_file
from flask_babel import gettext as _
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from gis.errors import marked
from services import context, jobs
from webmap.pages import moment, number

blueprint = Blueprint("jobs", __name__)

STATES = {
    "waiting": marked("Đang chờ đến lượt"),
    "running": marked("Đang làm"),
    "done": marked("Đã xong"),
    "failed": marked("Không làm được"),
    "cancelled": marked("Đã dừng"),
}
BADGES = {"done": "ok", "failed": "bad", "cancelled": "warn"}


@blueprint.get("/jobs")
@login_required
def listing() -> str:
    """List the caller's jobs; an administrator's list holds everybody's."""
    found = jobs.listed(context.session(), context.actor())
    rows = [{**_view(job), "who": who or job.actor.get("name")} for job, who in found]
    return render_template("office/jobs.html", rows=rows)


@blueprint.get("/jobs/<key>")
def job(key: str) -> BaseResponse:
    """Show how a job stands."""
    view = _view(jobs.find(context.session(), context.actor(), key))
    return _unkept(make_response(render_template("office/job.html", job=view)))


@blueprint.get("/jobs/<key>.json")
def status(key: str) -> Response:
    """Tell a program how a job stands."""
    view = _view(jobs.find(context.session(), context.actor(), key))
    moments = {n: v.isoformat() for n, v in view.items() if n.endswith("_at") and v is not None}
    return _unkept(jsonify({**view, **moments}))


@blueprint.post("/jobs/<key>/cancel")
def cancel(key: str) -> BaseResponse:
    """Ask a job to stop."""
    jobs.cancel(context.store(), context.actor(), key)
    flash(_("Đã yêu cầu dừng; bản ghi vẫn như trước khi công việc bắt đầu bước dở dang."), "ok")
    return redirect(f"/jobs/{key}", 303)


@blueprint.post("/jobs/<key>/resume")
def resume(key: str) -> BaseResponse:
    """Run a job once more."""
    jobs.resume(context.store(), context.actor(), key)
    flash(_("Công việc được xếp hàng để chạy lại."), "ok")
    return redirect(f"/jobs/{key}", 303)


@blueprint.get("/jobs/<key>/file")
def file(key: str) -> Response:
    """Send the file that came of a job, until its time is over."""
    path = jobs.file_of(context.store(), jobs.find(context.session(), context.actor(), key))
    return _unkept(send_file(path, as_attachment=True, download_name=path.name))


def _unkept(response: Any) -> Any:
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _view(job: Any) -> dict[str, Any]:
    view = jobs.shown(context.store(), job)
    running = view["state"] == "running"
    stopping = running and view["cancel_requested"]
    title = _("Đang dừng…") if stopping else _(STATES[view["state"]])
    facts = [
        (n, v) for n, v in (view["result"] or {}).items() if n != "page" and isinstance(v, str | int | float)
    ]
    return {
        **view,
        "state_title": title,
        "badge": BADGES.get(view["state"], ""),
        "progress_text": _progress(view) if running else "",
        "facts": facts,
        "page": (view["result"] or {}).get("page"),
        "over": view["state"] in ("done", "failed", "cancelled"),
        "expires_text": moment(view["expires_at"]) if view["file"] else "",
    }


def _progress(view: dict[str, Any]) -> str:
    if not view["total"]:
        return _("%(done)s bước", done=number(view["done"])) if view["done"] else ""
    share = number(100 * view["done"] / view["total"], 0)
    done, total = number(view["done"]), number(view["total"])
    return _("%(done)s trong %(total)s (%(share)s %%)", done=done, total=total, share=share)
