"""OGC API at /ogc: Features (Parts 1 to 5), Tiles and Styles over the layers of the catalogue."""

from services.ogcapi import core, editing, features, openapi, schemas, styling, tilesets
from services.ogcapi.site import blueprint

__all__ = ["blueprint", "core", "editing", "features", "openapi", "schemas", "styling", "tilesets"]
