"""Tamper evidence for everybody: the heads and their key, the public record of a lot, and how to check it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template

from data.programme.rights import NotYours
from data.traceability import heads, items, publicrecord, signing
from data.traceability.publicrecord import State
from services import context
from webmap.settings import Settings

blueprint = Blueprint("evidence", __name__)

HEADS_SHOWN = 60
WELL_KNOWN = "/.well-known/ocop-evidence.json"
JSON_LINES = "application/jsonl"


@blueprint.get("/evidence")
def index() -> str:
    """Explain the chain and list its signed heads, newest first."""
    session = context.session()
    found = heads.heads(session)
    return render_template(
        "trace/evidence_heads.html", heads=found[::-1][:HEADS_SHOWN], count=len(found), keys=_keys()
    )


@blueprint.get("/evidence/heads.jsonl")
def download() -> Response:
    """Serve all heads with the public keys, to be kept where the operator cannot rewrite them."""
    text = "".join(f"{line}\n" for line in heads.export_lines(context.session()))
    answer = _open(Response(text, mimetype=JSON_LINES))
    answer.headers["Content-Disposition"] = 'attachment; filename="ocop-evidence-heads.jsonl"'
    return answer


@blueprint.get(WELL_KNOWN)
def well_known() -> Response:
    """Serve the public keys and the newest head."""
    head = heads.latest(context.session())
    told: dict[str, Any] = {"keys": _keys(), "heads": "/evidence/heads.jsonl", "explanation": "/evidence"}
    if head is not None:
        told["latest"] = {**head.payload, "jws": head.signed}
    return _open(jsonify(told))


@blueprint.get("/lots/<int:lot_id>/evidence.json")
def record(lot_id: int) -> Response:
    """Serve the public record of a lot."""
    item = items.item_of_lot_seen(context.session(), context.actor(), lot_id)
    if item is None:
        raise NotYours("Lô này chưa có sự kiện truy xuất nào.")
    return _open(jsonify(publicrecord.public_record(context.session(), item)))


@blueprint.app_template_global("lot_evidence")
def lot_evidence(lot_id: int) -> State | None:
    """Say how the chain of a lot stands; None for a lot without events."""
    item = items.item_of_lot_seen(context.session(), context.actor(), lot_id)
    state = None if item is None else publicrecord.state_of(context.session(), item.id)
    return state if state is not None and state.events else None


def _keys() -> list[dict[str, str]]:
    """The public keys: that of this installation, then older ones that the record knows."""
    settings: Settings = current_app.extensions["ocop_settings"]
    found = heads.known_keys(context.session())
    path = signing.key_file(settings.instance)
    own = [signing.read_key(path).public] if path.exists() else []
    older = [key for key in found.values() if key not in own]
    return [key.jwk for key in (*own, *older)]


def _open(answer: Response) -> Response:
    """Let programs of other sites check for themselves."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-cache"
    return answer
