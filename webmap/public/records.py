"""The pages of single records: commune, growing area, craft village, product, producer."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import abort, render_template, request

from data.admin_units import edition_in_use
from data.programme import certificates, participations
from data.programme.tables import Certificate
from data.traceability import lotlists, resolving
from layers import catalogue, read
from layers.edit import is_editable
from layers.fields import Layer
from layers.related import Related, Relations
from services import context
from webmap.pages import TIME_ZONE
from webmap.public import svgmap
from webmap.public.blueprint import blueprint
from webmap.public.lists import english_names
from webmap.public.media import pictures_of

Around = TypeVar("Around")
LONGEST_LOT_NUMBER = 40


@blueprint.get("/communes/<int:row_id>")
def commune(row_id: int) -> str:
    """Show a commune: what it has, what it came from and became."""
    layer, record = _record("communes", row_id)
    around = _present(_relations().of_commune(row_id))
    common = _common(layer, record, commune_id=row_id)
    return render_template("public/commune.html", **common, **_facts(around))


@blueprint.get("/growing_areas/<int:row_id>")
def growing_area(row_id: int) -> str:
    """Show a growing area with its codes, certificates, seasons, history and products."""
    layer, record = _record("growing_areas", row_id)
    around = _present(_relations().of_growing_area(row_id))
    return render_template(
        "public/growing_area.html",
        **_common(layer, record, commune_id=around.commune_id),
        **_facts(around),
        difference=_difference(record["declared_area_ha"], record["area_ha"]),
        seasons=[_season(entry) for entry in around.season_calendar],
    )


@blueprint.get("/craft_villages/<int:row_id>")
def craft_village(row_id: int) -> str:
    """Show a craft village: recognition, people, years, visitor points, products."""
    layer, record = _record("craft_villages", row_id)
    around = _present(_relations().of_craft_village(row_id))
    common = _common(layer, record, commune_id=around.commune_id)
    photos = pictures_of(layer.table, row_id)
    return render_template("public/craft_village.html", **common, **_facts(around), photos=photos)


@blueprint.get("/products/<int:row_id>")
def product(row_id: int) -> str:
    """Show a product: its star and certificate, who makes it, from what, where it is sold."""
    layer, record = _record("products", row_id)
    around = _present(_relations().of_product(row_id))
    common = _common(layer, record, commune_id=around.commune_id)
    session, actor = context.session(), context.actor()
    return render_template(
        "public/product.html",
        **common,
        **_facts(around),
        photos=pictures_of(layer.table, row_id),
        certificates=certificates_of(row_id),
        in_cycle=participations.of_product(session, actor, row_id),
        shows_dossiers=lotlists.shows_dossiers(session, actor, row_id),
        unknown_lot=_unknown_lot(row_id),
    )


@blueprint.get("/producers/<int:row_id>")
def producer(row_id: int) -> str:
    """Show a producer with products and growing areas."""
    layer, record = _record("producers", row_id)
    around = _present(_relations().of_producer(row_id))
    common = _common(layer, record, commune_id=around.commune_id)
    return render_template("public/producer.html", **common, **_facts(around))


def certificates_of(product_id: int) -> list[tuple[Certificate, certificates.CertificateState]]:
    """The certificates of a product with how they stand today: the one in force first, then the newest."""
    today = dt.datetime.now(TIME_ZONE).date()
    found = certificates.of_product(context.session(), context.actor(), product_id)
    pairs = [(row, certificates.state_of(row, today)) for row in found]
    return sorted(pairs, key=lambda pair: pair[1] in certificates.ENDED)


def _unknown_lot(product_id: int) -> str | None:
    """Return the lot number of a scanned code that led here because the product has no such lot."""
    number = request.args.get("unknown_lot", "")[:LONGEST_LOT_NUMBER]
    if not number or resolving.has_lot(context.session(), context.actor(), product_id, number):
        return None
    return number


def _relations() -> Relations:
    return Relations(context.session(), context.actor())


def _present(around: Around | None) -> Around:
    if around is None:
        abort(404)
    return around


def _facts(around: object) -> dict[str, Any]:
    """The fields of what belongs to a record, with names in the reader's language."""
    facts = vars(around)
    for value in facts.values():
        if isinstance(value, Related):
            english_names(value.rows)
    return facts


def _record(layer_id: str, row_id: int) -> tuple[Layer, dict[str, Any]]:
    """Read a row as far as the caller may see it; answers 404 for one that is absent or hidden."""
    layer = catalogue.layer(layer_id)
    record = read.one(context.session(), layer, row_id, context.actor())
    if record is None:
        abort(404)
    return layer, record


def _common(layer: Layer, record: dict[str, Any], *, commune_id: int | None) -> dict[str, Any]:
    """What every record page shows: names, place, map, and the way to the edit form."""
    geometry = record.pop("geometry")
    record["commune_id"] = None if layer.id == "communes" else commune_id
    english = context.language() == "en"
    session, actor = context.session(), context.actor()
    # A unit in use is a unit of the map; a former one is drawn over those of today.
    drawn = layer.id == "communes" and record.get("edition") == edition_in_use(session)
    own_shape = None if drawn else geometry
    form = f"/edit/{layer.id}/{record['id']}"
    # Rows without a form of their own are changed in the table.
    named = urlencode({f"f.{layer.name_field}": f"={record[layer.name_field]}"})
    place = form if layer.editable_in_office else f"/office/table/{layer.id}?{named}"
    return {
        "layer": layer,
        "record": record,
        "title": (record.get("name_en") if english else None) or record["name"],
        "story": (record.get("story_en") if english else None) or record.get("story"),
        "map": svgmap.locator(session, own_shape, commune_id=commune_id),
        "bbox": list(geometry.bounds) if geometry is not None and not geometry.is_empty else None,
        "edit_url": place if is_editable(session, layer, record["id"], actor) else None,
    }


def _difference(declared: float | None, measured: float | None) -> float | None:
    """The measured area against the declared one, in percent."""
    if not declared or measured is None:
        return None
    return round((measured - declared) / declared * 100, 1)


def _season(entry: dict[str, Any]) -> dict[str, Any]:
    """A season with its months; one that passes the new year wraps around."""
    first, last = int(entry["from"]), int(entry["to"])
    length = (last - first) % 12 + 1
    months = {(first - 1 + i) % 12 + 1 for i in range(length)}
    return {"what": entry["what"], "first": first, "last": last, "months": months}
