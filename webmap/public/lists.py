"""The lists of communes, growing areas, villages, products and producers: filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from flask_babel import gettext as _

from data.admin_units import find_unit
from data.lineage import meanings
from layers import catalogue, read, statistics
from layers.fields import Layer
from layers.filters import Comparison, Filter, IsIn, all_of
from services import context
from webmap.public.blueprint import blueprint
from webmap.public.media import pictures

PAGE = 24
LONG_PAGE = 50
COUNTED = ("growing_areas", "craft_villages", "products")
Sort = tuple[tuple[str, bool], ...]
NAMES = ("name", "commune_name", "district_name")


@dataclass(frozen=True)
class Choice:
    """A drop-down that narrows a list by one field."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Page:
    """One page of a list with what leads to the others."""

    rows: list[dict[str, Any]]
    filters: list[Choice]
    total: int
    first: int
    last: int
    start_url: str | None
    next_url: str | None


@blueprint.get("/products")
def products() -> str:
    """List the products, those with most stars first."""
    layer = catalogue.layer("products")
    fields = (*NAMES, "name_en", "stars", "producer_name")
    sort = (("stars", True), ("name", False))
    choices = [_districts(), _coded(layer, "stars"), _coded(layer, "product_set")]
    page = _page(layer, fields, choices, sort, PAGE)
    add_photos(layer, page.rows)
    return render_template("public/products.html", title=_("Sản phẩm OCOP"), page=page)


@blueprint.get("/craft_villages")
def craft_villages() -> str:
    """List the craft villages by name."""
    layer = catalogue.layer("craft_villages")
    choices = [_districts(), _coded(layer, "kind"), _coded(layer, "trade_group")]
    page = _page(layer, (*NAMES, "name_en", "kind", "craft"), choices, (("name", False),), PAGE)
    add_photos(layer, page.rows)
    return render_template("public/craft_villages.html", title=_("Làng nghề"), page=page)


@blueprint.get("/growing_areas")
def growing_areas() -> str:
    """List the growing areas by name."""
    layer = catalogue.layer("growing_areas")
    choices = [_districts(), *(_coded(layer, name) for name in ("crop", "farming_system", "coding_status"))]
    fields = (*NAMES, "crop", "farming_system", "area_ha", "code_summary")
    page = _page(layer, fields, choices, (("name", False),), LONG_PAGE)
    return render_template("public/growing_areas.html", title=_("Vùng trồng, vùng nuôi"), page=page)


@blueprint.get("/producers")
def producers() -> str:
    """List the producers by name."""
    layer = catalogue.layer("producers")
    choices = [_districts(), _coded(layer, "kind")]
    page = _page(layer, (*NAMES, "kind", "workers"), choices, (("name", False),), LONG_PAGE)
    return render_template("public/producers.html", title=_("Chủ thể OCOP"), page=page)


@blueprint.get("/communes")
def communes() -> str:
    """List the communes of the edition in use with what each of them has."""
    layer = catalogue.layer("communes")
    choices = [_districts(), _coded(layer, "kind")]
    fields = ("name", "kind", "code", "district_name", "area_ha")
    page = _page(layer, fields, choices, (("district_code", False), ("name", False)), LONG_PAGE)
    session, actor = context.session(), context.actor()
    counts = {name: statistics.rows_by_commune(session, catalogue.layer(name), actor) for name in COUNTED}
    for row in page.rows:
        row["counts"] = {name: counts[name].get(row["id"], 0) for name in COUNTED}
    return render_template("public/communes.html", title=_("Xã, phường, thị trấn"), page=page)


@blueprint.app_template_global()
def export_url(page: Page) -> str:
    """Return the address where the rows of a list, with its filters, are taken out as a file."""
    names = {"district_code": "district", "commune_code": "commune"}
    chosen = {names.get(c.name, c.name): c.chosen for c in page.filters if c.chosen}
    if commune := request.args.get("commune_code"):
        chosen["commune"] = commune
    return f"/export?{urlencode({'layer': request.path.strip('/'), **chosen})}"


@blueprint.app_template_filter("upper_first")
def upper_first(text: str) -> str:
    """Begin a text with a capital and leave the rest as it is, unlike str.capitalize."""
    return text[:1].upper() + text[1:]


def english_names(rows: Iterable[dict[str, Any]]) -> None:
    """Put the English name in place where the reader reads English and the record has one."""
    if context.language() == "en":
        for row in rows:
            if row.get("name_en"):
                row["name"] = row["name_en"]


def _page(layer: Layer, fields: tuple[str, ...], choices: list[Choice], sort: Sort, size: int) -> Page:
    actor, session = context.actor(), context.session()
    where = all_of(*(_comparison(choice) for choice in choices), _commune(layer))
    whole = read.Query(layer, actor, where=where)
    start = max(0, request.args.get("from", 0, type=int))
    after = request.args.get("after") if start else None
    query = replace(whole, fields=fields, sort=sort, limit=size, after=after, geometry=False)
    found = read.rows(session, query)
    rows = list(found.records())
    english_names(rows)
    return Page(
        rows=rows,
        filters=[choice for choice in choices if choice.options],
        total=read.count(session, whole),
        first=start + 1,
        last=start + len(rows),
        start_url=_address() if start else None,
        next_url=_address(after=found.next, **{"from": start + len(rows)}) if found.next else None,
    )


def _comparison(choice: Choice) -> Filter | None:
    known = {value for value, _label in choice.options}
    return Comparison(choice.name, "=", choice.chosen) if choice.chosen in known else None


def _commune(layer: Layer) -> Filter | None:
    code = request.args.get("commune_code", "")
    if not code or layer.id == "communes":
        return None
    # A code of before a boundary change stands for the units that hold its ground today.
    session = context.session()
    former = [] if find_unit(session, code) else meanings(session, code)
    today = dict.fromkeys(heir.code for meaning in former for heir in meaning.now)
    return IsIn("commune_code", tuple(today)) if today else Comparison("commune_code", "=", code)


def _address(**extra: Any) -> str:
    kept = {k: v for k, v in request.args.items() if v and k not in ("after", "from", "lang")}
    arguments = urlencode({**kept, **extra})
    return f"{request.path}?{arguments}" if arguments else request.path


def _coded(layer: Layer, name: str) -> Choice:
    field = layer.field(name)
    lang = context.language()
    options = [(value, upper_first(code.label(lang))) for value, code in (field.code_list or {}).items()]
    return Choice(name, field.title[lang], options, request.args.get(name, ""))


def _districts() -> Choice:
    layer = catalogue.layer("districts")
    fields, order = ("code", "name"), (("name", False),)
    query = read.Query(layer, context.actor(), fields=fields, sort=order, geometry=False)
    options = [(row["code"], row["name"]) for row in read.rows(context.session(), query).records()]
    chosen = request.args.get("district_code", "")
    return Choice("district_code", layer.title[context.language()], options, chosen)


def add_photos(layer: Layer, rows: list[dict[str, Any]]) -> None:
    """Give each row its first photo."""
    found = pictures(layer.table, [row["id"] for row in rows])
    for row in rows:
        row["photo"] = next(iter(found.get(row["id"], [])), None)
