"""A QGIS project for one caller: groups, layers connected to our services, styles, forms, relations and extent.

The elements are those of QGIS 3.22 and later (`QgsProject`, `QgsVectorLayer`, `QgsLayerTree`).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from lxml import etree

from data.accounts import Actor
from gis import crs as reference_systems
from layers import catalogue
from layers.edit import may_edit
from layers.fields import Label, Layer
from services.formats.gml import PREFIX
from services.styles import qml
from services.styles.symbols import scale_denominator

AUTHENTICATION = "ocopmap"
"""The id of the authentication configuration that a caller makes once in QGIS; QGIS wants seven characters."""

PROJECT_FILE = "ocopmap.qgs"
WFS, OAPIF = "wfs", "oapif"
MAP_CRS = "EPSG:3857"
LAYER_CRS = "EPSG:4326"
LARGEST_SCALE_DENOMINATOR = "100000000"
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Relation:
    """Rows of one layer that belong to a row of another, by equal values of a field of each."""

    child: str
    child_field: str
    parent: str
    parent_field: str
    title: Label


RELATIONS = (
    Relation("communes", "district_code", "districts", "code", Label("Xã của huyện", "Communes of a district")),
    Relation(
        "growing_areas", "commune_code", "communes", "code", Label("Vùng trồng của xã", "Growing areas of a commune")
    ),
    Relation(
        "craft_villages", "commune_code", "communes", "code", Label("Làng nghề của xã", "Villages of a commune")
    ),
    Relation(
        "producers", "commune_code", "communes", "code", Label("Chủ thể của xã", "Producers of a commune")
    ),
    Relation(
        "growing_areas", "producer_name", "producers", "name",
        Label("Vùng trồng của chủ thể", "Growing areas of a producer"),
    ),
    Relation(
        "products", "producer_name", "producers", "name",
        Label("Sản phẩm của chủ thể", "Products of a producer"),
    ),
    Relation(
        "products", "craft_village_name", "craft_villages", "name",
        Label("Sản phẩm của làng nghề", "Products of a village"),
    ),
    Relation(
        "craft_village_points", "village_name", "craft_villages", "name",
        Label("Điểm tham quan của làng nghề", "Visitor points of a village"),
    ),
    Relation("lots", "product_name", "products", "name", Label("Lô của sản phẩm", "Lots of a product")),
)  # fmt: skip


@dataclass(frozen=True)
class ProjectRequest:
    """Who wants the project, in which language, connected to which server.

    `root` is the address of the server without a slash at its end. `via` connects every layer by WFS or by
    OGC API; without it, layers that the caller edits come by WFS, which every QGIS since 3.0 edits, the others
    by OGC API. `extent` is lon/lat.
    """

    actor: Actor
    lang: str
    title: str
    root: str
    extent: Box
    via: str | None = None

    def connection(self, layer: Layer) -> str:
        """Return how a layer is connected: WFS or OAPIF."""
        return self.via or (WFS if may_edit(self.actor, layer) else OAPIF)


def packed(wanted: ProjectRequest) -> bytes:
    """Return the project as a .qgz file, the same bytes for the same request."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(PROJECT_FILE, _FIXED_DATE), document(wanted), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def document(wanted: ProjectRequest) -> bytes:
    """Return the project's XML."""
    root = etree.Element("qgis", version=qml.QGIS_VERSION, projectname=wanted.title)
    etree.SubElement(root, "homePath", path="")
    etree.SubElement(root, "title").text = wanted.title
    _crs(etree.SubElement(root, "projectCrs"), MAP_CRS)
    _tree(root, wanted)
    _relations(root, wanted)
    _canvas(root, wanted.extent)
    order = etree.SubElement(root, "layerorder")
    layers = etree.SubElement(root, "projectlayers")
    for layer in reversed(catalogue.LAYERS):
        etree.SubElement(order, "layer", id=layer_id(layer))
        _map_layer(layers, layer, wanted)
    _properties(root)
    _view(root, wanted.extent)
    body: bytes = etree.tostring(root, encoding="UTF-8", doctype=qml.DOCTYPE, pretty_print=True)
    return body


def layer_id(layer: Layer) -> str:
    """Return the id of a layer within the project."""
    return f"ocopmap_{layer.id}"


def source(layer: Layer, wanted: ProjectRequest) -> tuple[str, str]:
    """Return the QGIS provider and the data source that connect a layer."""
    parts = {"pagingEnabled": "true", "restrictToRequestBBOX": "1"}
    if wanted.connection(layer) == WFS:
        provider = "WFS"
        parts |= {
            "preferCoordinatesForWfsT11": "false",
            "srsname": LAYER_CRS,
            "typename": f"{PREFIX}:{layer.id}",
            "url": f"{wanted.root}/wfs",
            "version": "auto",
        }
    else:
        provider = "OAPIF"
        parts |= {"typename": layer.id, "url": f"{wanted.root}/ogc"}
    text = " ".join(f"{name}='{value}'" for name, value in parts.items())
    signed_in = wanted.actor.account_id is not None
    return provider, f"authcfg={AUTHENTICATION} {text}" if signed_in else text


def relations(actor: Actor) -> Sequence[Relation]:
    """Return the relations whose fields the caller reads."""

    def known(layer: str, field: str) -> bool:
        return any(f.name == field for f in catalogue.layer(layer).readable_fields(actor))

    return [r for r in RELATIONS if known(r.child, r.child_field) and known(r.parent, r.parent_field)]


# ---- parts of the document


def _tree(root: etree._Element, wanted: ProjectRequest) -> None:
    """Write the layer tree: what is drawn above stands above."""
    tree = etree.SubElement(root, "layer-tree-group")
    groups = [(group, list(members)) for group, members in groupby(catalogue.LAYERS, lambda item: item.group)]
    for group, members in reversed(groups):
        branch = etree.SubElement(
            tree, "layer-tree-group", name=group[wanted.lang], checked="Qt::Checked", expanded="1"
        )
        for layer in reversed(members):
            provider, text = source(layer, wanted)
            etree.SubElement(
                branch, "layer-tree-layer", id=layer_id(layer), name=layer.title[wanted.lang],
                providerKey=provider, source=text, expanded="0",
                checked="Qt::Checked" if layer.visible_at_start else "Qt::Unchecked",
            )  # fmt: skip


def _relations(root: etree._Element, wanted: ProjectRequest) -> None:
    parent = etree.SubElement(root, "relations")
    for relation in relations(wanted.actor):
        node = etree.SubElement(
            parent, "relation", id=f"{relation.child}_{relation.child_field}_{relation.parent}",
            name=relation.title[wanted.lang], strength="Association",
            referencingLayer=layer_id(catalogue.layer(relation.child)),
            referencedLayer=layer_id(catalogue.layer(relation.parent)),
        )  # fmt: skip
        etree.SubElement(
            node, "fieldRef", referencingField=relation.child_field, referencedField=relation.parent_field
        )


def _map_layer(parent: etree._Element, layer: Layer, wanted: ProjectRequest) -> None:
    point, editable = layer.geometry == "POINT", may_edit(wanted.actor, layer)
    provider, text = source(layer, wanted)
    scaled = layer.minzoom > 5
    smallest = f"{scale_denominator(layer.minzoom):.0f}" if scaled else LARGEST_SCALE_DENOMINATOR
    node = etree.SubElement(
        parent, "maplayer", type="vector", geometry="Point" if point else "Polygon",
        wkbType="Point" if point else "MultiPolygon", readOnly="0" if editable else "1",
        hasScaleBasedVisibilityFlag="1" if scaled else "0", maxScale="0", minScale=smallest,
        labelsEnabled="1" if layer.style.label else "0", styleCategories="AllStyleCategories",
    )  # fmt: skip
    etree.SubElement(node, "id").text = layer_id(layer)
    etree.SubElement(node, "datasource").text = text
    etree.SubElement(node, "layername").text = layer.title[wanted.lang]
    _crs(etree.SubElement(node, "srs"), LAYER_CRS)
    metadata = etree.SubElement(node, "resourceMetadata")
    etree.SubElement(metadata, "title").text = layer.title[wanted.lang]
    etree.SubElement(metadata, "abstract").text = layer.description[wanted.lang]
    etree.SubElement(node, "provider", encoding="UTF-8").text = provider
    flags = etree.SubElement(node, "flags")
    for name in ("Identifiable", "Removable", "Searchable"):
        etree.SubElement(flags, name).text = "1"
    qml.add_style(node, layer, wanted.actor, wanted.lang, editable=editable)


def _crs(parent: etree._Element, code: str) -> None:
    system = etree.SubElement(parent, "spatialrefsys")
    etree.SubElement(system, "wkt").text = reference_systems.resolve(code).to_wkt()
    etree.SubElement(system, "authid").text = code


def _canvas(root: etree._Element, extent: Box) -> None:
    canvas = etree.SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1")
    etree.SubElement(canvas, "units").text = "meters"
    limits = etree.SubElement(canvas, "extent")
    for name, value in _map_extent(extent).items():
        etree.SubElement(limits, name).text = value
    etree.SubElement(canvas, "rotation").text = "0"
    _crs(etree.SubElement(canvas, "destinationsrs"), MAP_CRS)


def _view(root: etree._Element, extent: Box) -> None:
    settings = etree.SubElement(root, "ProjectViewSettings", UseProjectScales="0", rotation="0")
    _crs(etree.SubElement(settings, "DefaultViewExtent", **_map_extent(extent)), MAP_CRS)


def _map_extent(extent: Box) -> dict[str, str]:
    west, south, east, north = extent
    x, y = reference_systems.to_mercator([west, east], [south, north])
    values = {"xmin": x[0], "ymin": y[0], "xmax": x[1], "ymax": y[1]}
    return {name: f"{value:.2f}" for name, value in values.items()}


def _properties(root: etree._Element) -> None:
    properties = etree.SubElement(root, "properties")
    paths = etree.SubElement(properties, "Paths")
    etree.SubElement(paths, "Absolute", type="bool").text = "true"
    systems = etree.SubElement(properties, "SpatialRefSys")
    etree.SubElement(systems, "ProjectionsEnabled", type="int").text = "1"
    measurement = etree.SubElement(properties, "Measurement")
    etree.SubElement(measurement, "DistanceUnits", type="QString").text = "meters"
    etree.SubElement(measurement, "AreaUnits", type="QString").text = "ha"
