"""The conformance classes that the API declares."""

from __future__ import annotations

from services.formats.jsonfg import CONFORMANCE as JSON_FG

_SPEC = "http://www.opengis.net/spec/"


def _of(standard: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{_SPEC}{standard}/conf/{name}" for name in names)


CLASSES: tuple[str, ...] = (
    *_of("ogcapi-common-1/1.0", "core", "landing-page", "json", "html", "oas30"),
    *_of("ogcapi-common-2/1.0", "collections", "json", "html"),
    *_of("ogcapi-features-1/1.0", "core", "oas30", "html", "geojson", "gmlsf0", "gmlsf2"),
    *_of("ogcapi-features-2/1.0", "crs"),
    *_of("ogcapi-features-3/1.0", "queryables", "queryables-query-parameters", "filter", "features-filter"),
    *_of(
        "cql2/1.0",
        "cql2-text",
        "cql2-json",
        "basic-cql2",
        "advanced-comparison-operators",
        "case-insensitive-comparison",
        "accent-insensitive-comparison",
        "basic-spatial-functions",
        "basic-spatial-functions-plus",
        "spatial-functions",
        "temporal-functions",
        "property-property",
        "arithmetic",
    ),
    *_of(
        "ogcapi-features-4/1.0",
        "create-replace-delete",
        "update",
        "optimistic-locking-etags",
        "handling",
        "features",
    ),
    *_of(
        "ogcapi-features-5/1.0",
        "schemas",
        "core-roles-features",
        "returnables-and-receivables",
        "queryables",
        "sortables",
        "profile-parameter",
        "profile-references",
        "profile-codelists",
    ),
    *_of(
        "ogcapi-common-3/1.0",
        "schemas",
        "advanced-property-roles",
        "references",
        "returnables-and-receivables",
        "queryables",
        "sortables",
        "profile-parameter",
        "profile-references",
        "profile-codelists",
    ),
    *_of("ogcapi-features-8/1.0", "sorting"),
    *_of(
        "ogcapi-tiles-1/1.0",
        "core",
        "tileset",
        "tilesets-list",
        "dataset-tilesets",
        "geodata-tilesets",
        "collections-selection",
        "mvt",
        "oas30",
    ),
    *_of(
        "tms/2.0",
        "tilematrixset",
        "tilematrixsetlimits",
        "tilesetmetadata",
        "json-tilematrixset",
        "json-tilematrixsetlimits",
        "json-tilesetmetadata",
    ),
    *_of("ogcapi-styles-1/0.0", "core", "mapbox-styles"),
    *JSON_FG,
)
