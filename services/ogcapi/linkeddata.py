"""What pages tell search engines: schema.org descriptions of the data set, its collections and features."""

from __future__ import annotations

from typing import Any

import shapely

from layers.fields import Layer
from services import context
from services.ogcapi.forms import address, root

CONTEXT = "https://schema.org/"
TYPES = {
    "provinces": "AdministrativeArea",
    "districts": "AdministrativeArea",
    "communes": "AdministrativeArea",
    "products": "Product",
    "producers": "Organization",
    "craft_village_points": "TouristAttraction",
    "sale_points": "Store",
}


def catalogue(title: str, description: str, layers: list[tuple[Layer, str]]) -> dict[str, Any]:
    """Describe the whole record as a data catalogue; `layers` come with their titles."""
    return {
        "@context": CONTEXT,
        "@type": "DataCatalog",
        "@id": root(),
        "url": root(),
        "name": title,
        "description": description,
        "inLanguage": context.language(),
        "dataset": [
            {
                "@type": "Dataset",
                "@id": address("collections", layer.id),
                "url": address("collections", layer.id),
                "name": name,
                "description": layer.description[context.language()],
            }
            for layer, name in layers
        ],
    }


def dataset(layer: Layer, bounds: tuple[float, float, float, float] | None) -> dict[str, Any]:
    """Describe a collection as a data set with its place and downloads."""
    lang = context.language()
    items = address("collections", layer.id, "items")
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "Dataset",
        "@id": address("collections", layer.id),
        "url": address("collections", layer.id),
        "name": layer.title[lang],
        "description": layer.description[lang],
        "inLanguage": lang,
        "isAccessibleForFree": True,
        "includedInDataCatalog": {"@type": "DataCatalog", "url": root()},
        "distribution": [
            {"@type": "DataDownload", "contentUrl": f"{items}?f={key}", "encodingFormat": media_type}
            for key, media_type in (
                ("geojson", "application/geo+json"),
                ("csv", "text/csv"),
                ("flatgeobuf", "application/flatgeobuf"),
            )
        ],
    }
    if bounds is not None:
        west, south, east, north = bounds
        made["spatialCoverage"] = {
            "@type": "Place",
            "geo": {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"},
        }
    return made


def feature(
    layer: Layer, shown: dict[str, Any], record: dict[str, Any], shape: shapely.Geometry | None
) -> dict[str, Any]:
    """Describe a feature as a thing of its kind, with a point where it is."""
    href = address("collections", layer.id, "items", shown["id"])
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": TYPES.get(layer.id, "Place"),
        "@id": href,
        "url": href,
        "name": record.get(layer.name_field) or shown["id"],
    }
    if record.get("description"):
        made["description"] = record["description"]
    if shape is not None and not shape.is_empty and made["@type"] not in ("Product", "Organization"):
        point = shape if shape.geom_type == "Point" else shapely.point_on_surface(shape)
        made["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": round(point.y, 7),
            "longitude": round(point.x, 7),
        }
    return made
