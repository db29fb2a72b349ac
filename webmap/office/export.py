"""The page that takes a layer, or a part of it, out as a file: what, which rows, which columns, which format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request
from flask_login import login_required
from werkzeug.wrappers.response import Response as BaseResponse

from data.accounts import Actor
from gis.errors import Refusal
from layers import catalogue, read
from layers.fields import Field, Layer
from services import context
from services.errors import sentence_of, status_of
from services.exports import FORMATS, Wish, parse
from services.exports.views import rows_at_once
from services.exports.wish import CRS_CHOICES
from services.formats.shapefile import ENCODINGS
from services.tiles import layer_or_missing
from webmap.public.lists import upper_first

blueprint = Blueprint("export", __name__)
DEFAULT_FORMAT = "gpkg"
#: Parameters of the address that the form has controls of its own for.
OWN = ("layer", "format", "field")


@blueprint.get("/export")
def choose() -> BaseResponse:
    """Show what can be taken out, and how many rows the choices so far give."""
    return _page("/export")


@blueprint.get("/office/export")
@login_required
def choose_in_office() -> BaseResponse:
    """Show the same to an officer, whose rows and columns are more."""
    return _page("/office/export")


@blueprint.get("/export/file")
def take() -> BaseResponse:
    """Lead to the file that the form describes, or show the form again with the reason why not."""
    layer = layer_or_missing(request.args.get("layer", ""))
    asked, form = _asked(layer), request.args.get("format", DEFAULT_FORMAT)
    try:
        wish = parse(layer, form, asked, context.actor())
        read.check(context.session(), wish.query(context.actor()))
    except Refusal as error:
        return _page("/export", error)
    arguments = urlencode({name: text for name, text in asked.items() if text})
    return redirect(f"/export/{layer.id}.{wish.form.name}{'?' if arguments else ''}{arguments}", 303)


def _asked(layer: Layer) -> dict[str, str]:
    """The choices of the form as parameters of an export; all columns ticked is the same as none."""
    asked = {name: text for name, text in request.args.items() if name not in OWN}
    columns = request.args.getlist("field")
    if columns and set(columns) != {f.name for f in layer.readable_fields(context.actor())}:
        asked["fields"] = ",".join(columns)
    asked.setdefault("lang", context.language())
    return asked


def _page(path: str, error: Refusal | None = None) -> BaseResponse:
    actor, lang = context.actor(), context.language()
    facts: dict[str, Any] = {"path": path, "layer": None, "layers": _layers(actor)}
    if name := request.args.get("layer"):
        layer = layer_or_missing(name)
        facts |= _form(layer, actor, lang, error)
    response = make_response(
        render_template("office/export.html", **facts), status_of(error) if error else 200
    )
    return response


def _layers(actor: Actor) -> list[tuple[Layer, int]]:
    session = context.session()
    return [(layer, read.count(session, read.Query(layer, actor))) for layer in catalogue.LAYERS]


def _form(layer: Layer, actor: Actor, lang: str, error: Refusal | None) -> dict[str, Any]:
    rows = None
    if error is None:
        try:
            wish = parse(layer, request.args.get("format", DEFAULT_FORMAT), _asked(layer), actor)
            rows = _count(wish, actor)
        except Refusal as refused:
            error = refused
    given = request.args
    names = {f.name for f in layer.readable_fields(actor)}
    columns = given.getlist("field")
    return {
        "layer": layer,
        "rows": rows,
        "as_job": rows is not None and rows > rows_at_once(),
        "sentence": sentence_of(error) if error else None,
        "formats": [form for form in FORMATS.values() if form.suits(layer.id)],
        "chosen_format": given.get("format", DEFAULT_FORMAT),
        "systems": [
            (entry.code, entry.title_en if lang == "en" else entry.title_vi) for entry in CRS_CHOICES
        ],
        "encodings": ENCODINGS,
        "code_fields": [
            _choice(f, lang, given) for f in layer.readable_fields(actor) if f.codes and f.queryable
        ],
        "districts": _units("districts", actor)
        if names & {"district_code"} or layer.id == "districts"
        else [],
        "communes": _units("communes", actor) if names & {"commune_code"} or layer.id == "communes" else [],
        "columns": [(f, not columns or f.name in columns) for f in layer.readable_fields(actor)],
        "given": given,
        "selected": len([part for part in given.get("ids", "").split(",") if part.strip()]),
    }


def _count(wish: Wish, actor: Actor) -> int:
    query = wish.query(actor)
    read.check(context.session(), query)
    return read.count(context.session(), query)


def _choice(field: Field, lang: str, given: Mapping[str, str]) -> dict[str, Any]:
    options = [(value, upper_first(code.label(lang))) for value, code in (field.code_list or {}).items()]
    return {
        "name": field.name,
        "label": field.title[lang],
        "options": options,
        "chosen": given.get(field.name, ""),
    }


def _units(layer_id: str, actor: Actor) -> list[tuple[str, str]]:
    """Codes and names of the units of the edition in use, communes with their district."""
    layer = catalogue.layer(layer_id)
    is_commune = layer_id == "communes"
    fields = ("code", "name", "district_name") if is_commune else ("code", "name")
    sort = (("district_name", False), ("name", False)) if is_commune else (("name", False),)
    query = read.Query(layer, actor, fields=fields, sort=sort, geometry=False)
    found = read.rows(context.session(), query).records()
    return [
        (row["code"], f"{row['district_name']} · {row['name']}" if is_commune else row["name"])
        for row in found
    ]
