"""The page where labels of a lot are chosen, looked at and printed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, render_template, request
from flask_login import login_required

from data.traceability.lots import Lot
from gis.errors import Refusal
from services import context
from services.errors import sentence_of, status_of
from services.labels import asked as asking
from services.labels.layout import fit, modules_of
from services.labels.views import PARAMETERS, answer, lot_of, public_root

blueprint = Blueprint("labels_page", __name__)

FILE, PREVIEW = "file", "preview"
#: What the form calls a kind of output → format and paper.
OUTPUTS = {"a4": ("pdf", "a4"), "label": ("pdf", "label"), "svg": ("svg", "label"), "png": ("png", "label")}
HERE_ONLY = frozenset({"localhost", "127.0.0.1", "::1"})


@blueprint.get("/office/lots/<int:lot_id>/labels")
@login_required
def page(lot_id: int) -> Any:
    """Show the form with one label as it will be, or give out the file that was asked for."""
    lot = lot_of(context.session(), context.actor(), lot_id)
    output = request.args.get("output", "a4")
    form, paper = OUTPUTS.get(output, OUTPUTS["a4"])
    values = {name: request.args[name] for name in PARAMETERS if name in request.args} | {"paper": paper}
    try:
        if request.args.get("do") == FILE:
            return answer(lot, form, values)
        shown = _shown(lot, form, values)
    except Refusal as error:
        return _show(lot, output, {"sentence": sentence_of(error)}), status_of(error)
    return _show(lot, output, shown)


def _shown(lot: Lot, form: str, values: dict[str, str]) -> dict[str, Any]:
    """What the first label holds and how it is printed. Raises BadRequest or LabelError."""
    asked = asking.read(values, form)
    label, _copies = asking.labels_of(lot, asked, public_root())[0]
    placed = fit(modules_of(label.link), asked.size, len(label.rows))
    first = {"serial_from": asked.serials[0]} if asked.serials else {}
    address = f"/labels/{lot.id}.svg?" + urlencode({"size": str(asked.size)} | first)
    return {"picture": address, "label": label, "placed": placed, "asked": asked}


def _show(lot: Lot, output: str, shown: dict[str, Any]) -> str:
    return render_template(
        "trace/labels.html",
        lot=lot,
        product=lot.product,
        output=output if output in OUTPUTS else "a4",
        typed=request.args,
        sizes=asking.SIZES,
        default_size=asking.DEFAULT_SIZE,
        most=asking.MOST_LABELS,
        only_here=urlsplit(public_root()).hostname in HERE_ONLY,
        **shown,
    )
