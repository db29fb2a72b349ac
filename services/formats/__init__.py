"""The formats that features leave in: one registry, every writer a stream of bytes over the one read path."""

from services.formats import csv, geojson, gml, jsonfg, ogr, shapefile
from services.formats.base import Context, Features, Format, feature_id, features_of, pages

FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        Format("geojson", geojson.MEDIA_TYPE, "geojson", geojson.write),
        Format("jsonfg", jsonfg.MEDIA_TYPE, "fg.json", jsonfg.write),
        Format("gml32", gml.MEDIA_TYPES["3.2"], "gml", gml.write("3.2")),
        Format("gml31", gml.MEDIA_TYPES["3.1"], "gml", gml.write("3.1")),
        Format("gml2", gml.MEDIA_TYPES["2.1"], "gml", gml.write("2.1")),
        Format("csv", csv.MEDIA_TYPE, "csv", csv.write),
        Format("flatgeobuf", ogr.FLATGEOBUF, "fgb", ogr.write_flatgeobuf),
        Format("gpkg", ogr.GEOPACKAGE, "gpkg", ogr.write_geopackage),
        Format("shapefile", shapefile.MEDIA_TYPE, "zip", shapefile.write),
    )
}

__all__ = ["FORMATS", "Context", "Features", "Format", "feature_id", "features_of", "pages"]
