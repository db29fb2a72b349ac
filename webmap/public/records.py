"""The pages of single records: commune, growing area, craft village, product, producer."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, render_template

from data.admin_units import Commune, Edition
from data.craft_villages import CraftVillage
from data.growing_areas import GrowingArea
from data.producers import Producer
from data.products import Product
from data.traceability.lots import Lot
from layers import catalogue, read
from layers.edit import is_editable
from layers.fields import Layer
from services import context
from webmap.public import related, svgmap
from webmap.public.blueprint import blueprint
from webmap.public.media import pictures_of

LIST = 8


@blueprint.get("/communes/<int:row_id>")
def commune(row_id: int) -> str:
    """Show a commune: what it has, what it came from and became."""
    layer, record = _record("communes", row_id)
    unit = context.session().get(Commune, row_id)
    assert unit is not None
    edition = _edition(unit.edition)
    return render_template(
        "public/commune.html",
        **_common(layer, record, commune_id=row_id),
        full_name=unit.full_name,
        district=unit.district,
        edition=edition,
        products=related.products(Product.commune_id == row_id, LIST),
        areas=related.growing_areas(GrowingArea.commune_id == row_id, LIST),
        villages=related.villages(CraftVillage.commune_id == row_id, LIST),
        producers=related.producers(Producer.commune_id == row_id, LIST),
        successors=related.successors(row_id),
        predecessors=related.predecessors(row_id),
    )


@blueprint.get("/growing_areas/<int:row_id>")
def growing_area(row_id: int) -> str:
    """Show a growing area with its codes, certificates, seasons, history and products."""
    layer, record = _record("growing_areas", row_id)
    area = context.session().get(GrowingArea, row_id)
    assert area is not None
    return render_template(
        "public/growing_area.html",
        **_common(layer, record, commune_id=area.commune_id),
        difference=_difference(record["declared_area_ha"], record["area_ha"]),
        producer=related.seen(Producer, area.producer_id),
        codes=area.codes,
        certifications=area.certifications,
        changes=area.status_changes,
        seasons=[_season(entry) for entry in area.season_calendar or []],
        products=related.products_from_area(row_id),
    )


@blueprint.get("/craft_villages/<int:row_id>")
def craft_village(row_id: int) -> str:
    """Show a craft village: recognition, people, years, visitor points, products."""
    layer, record = _record("craft_villages", row_id)
    village = context.session().get(CraftVillage, row_id)
    assert village is not None
    return render_template(
        "public/craft_village.html",
        **_common(layer, record, commune_id=village.commune_id),
        artisans=village.artisans,
        years=village.years,
        points=related.village_points(row_id),
        products=related.products(Product.craft_village_id == row_id, LIST),
        photos=pictures_of(layer.table, row_id),
    )


@blueprint.get("/products/<int:row_id>")
def product(row_id: int) -> str:
    """Show a product: its star and certificate, who makes it, from what, where it is sold."""
    layer, record = _record("products", row_id)
    row = context.session().get(Product, row_id)
    assert row is not None
    return render_template(
        "public/product.html",
        **_common(layer, record, commune_id=row.commune_id),
        producer=related.seen(Producer, row.producer_id),
        village=related.seen(CraftVillage, row.craft_village_id),
        areas=related.areas_of_product(row_id),
        sale_points=related.sale_points(row_id),
        lots=related.lots(Lot.product_id == row_id),
        photos=pictures_of(layer.table, row_id),
    )


@blueprint.get("/producers/<int:row_id>")
def producer(row_id: int) -> str:
    """Show a producer with products and growing areas."""
    layer, record = _record("producers", row_id)
    row = context.session().get(Producer, row_id)
    assert row is not None
    return render_template(
        "public/producer.html",
        **_common(layer, record, commune_id=row.commune_id),
        upgrades=row.upgrades,
        products=related.products(Product.producer_id == row_id, LIST),
        areas=related.growing_areas(GrowingArea.producer_id == row_id, LIST),
    )


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
    own_shape = None if layer.id == "communes" else geometry
    session, actor = context.session(), context.actor()
    editable = layer.editable_in_office and is_editable(session, layer, record["id"], actor)
    return {
        "layer": layer,
        "record": record,
        "title": (record.get("name_en") if english else None) or record["name"],
        "story": (record.get("story_en") if english else None) or record.get("story"),
        "map": svgmap.locator(session, own_shape, commune_id=commune_id),
        "bbox": list(geometry.bounds) if geometry is not None and not geometry.is_empty else None,
        "edit_url": f"/edit/{layer.id}/{record['id']}" if editable else None,
    }


def _edition(code: str) -> Edition | None:
    return context.session().scalar(sa.select(Edition).where(Edition.code == code))


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
