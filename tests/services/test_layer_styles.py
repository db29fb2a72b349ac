"""Styles for desktop programs: SLD that keeps to its schemas, QML with aliases, value lists and rights."""

from __future__ import annotations

import pytest
from lxml import etree

from layers import catalogue
from tests.xmlschemas import schema

SLD, SE, OGC = "http://www.opengis.net/sld", "http://www.opengis.net/se", "http://www.opengis.net/ogc"
LAYERS = [layer.id for layer in catalogue.LAYERS]


@pytest.mark.parametrize("demo_store", ["gpkg"], indirect=True)
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_every_style_keeps_to_the_schema_of_its_version(client, real_data, version: str) -> None:
    address = f"http://schemas.opengis.net/sld/{version}/StyledLayerDescriptor.xsd"
    check = schema(real_data, {SLD: address})
    for layer in LAYERS:
        answer = client.get(f"/styles/{layer}.sld", query_string={"version": version})
        assert answer.status_code == 200
        assert answer.mimetype == "application/vnd.ogc.sld+xml"
        check.assertValid(etree.fromstring(answer.data))


@pytest.mark.parametrize("demo_store", ["gpkg"], indirect=True)
def test_each_declared_colour_has_a_rule_with_its_value_and_words(client) -> None:
    layer = catalogue.layer("growing_areas")
    root = etree.fromstring(client.get("/styles/growing_areas.sld?version=1.1.0").data)
    colors, titles = {}, {}
    for rule in root.iter(f"{{{SE}}}Rule"):
        literal = rule.findtext(f".//{{{OGC}}}Literal")
        fill = rule.find(f"{{{SE}}}PolygonSymbolizer/{{{SE}}}Fill/{{{SE}}}SvgParameter[@name='fill']")
        if literal is not None:
            colors[literal] = fill.text
            titles[literal] = rule.findtext(f"{{{SE}}}Description/{{{SE}}}Title")
            assert rule.findtext(f".//{{{OGC}}}PropertyName") == "crop"
    assert colors == dict(layer.style.colors)
    assert titles["rice"] == "lúa"
    label = root.find(f".//{{{SE}}}TextSymbolizer/{{{SE}}}Label/{{{OGC}}}PropertyName")
    assert label.text == "name"


@pytest.mark.parametrize("demo_store", ["gpkg"], indirect=True)
def test_unknown_layers_versions_and_parameters_are_refused(client) -> None:
    assert client.get("/styles/nope.sld").status_code == 404
    assert client.get("/styles/nope.qml").status_code == 404
    assert client.get("/styles/communes.sld?version=2.0").status_code == 400
    assert client.get("/styles/communes.qml?foo=1").status_code == 400


@pytest.mark.parametrize("demo_store", ["gpkg"], indirect=True)
def test_qml_gives_aliases_lists_and_what_may_be_written_to_whom(client, header_of) -> None:
    public = etree.fromstring(client.get("/styles/growing_areas.qml").data)
    aliases = {node.get("field"): node.get("name") for node in public.iter("alias")}
    assert aliases["crop"] == "Cây trồng, vật nuôi"
    assert aliases["area_ha"] == "Diện tích đo trên bản đồ (ha)"
    assert "owner_name" not in aliases
    widget = public.find(".//fieldConfiguration/field[@name='crop']/editWidget")
    assert widget.get("type") == "ValueMap"
    listed = {o.get("name"): o.get("value") for o in widget.iter("Option") if o.get("value")}
    assert listed["lúa"] == "rice"
    assert {node.get("editable") for node in public.find("editable")} == {"0"}

    answer = client.get("/styles/growing_areas.qml", headers=header_of("province_officer"))
    staff = etree.fromstring(answer.data)
    assert "owner_name" in {node.get("field") for node in staff.iter("alias")}
    written = {node.get("name") for node in staff.find("editable") if node.get("editable") == "1"}
    layer = catalogue.layer("growing_areas")
    assert written == {f.name for f in layer.fields if f.writable}
    needed = {n.get("field") for n in staff.find("constraints") if n.get("notnull_strength") == "1"}
    assert needed == {f.name for f in layer.fields if f.required}
    assert answer.headers["Cache-Control"].startswith("private")
