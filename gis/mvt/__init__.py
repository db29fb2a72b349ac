"""Mapbox Vector Tiles 2.1, written for whole arrays of features at once."""

from gis.mvt.layer import encode_geometries, encode_layer

__all__ = ["encode_geometries", "encode_layer"]
