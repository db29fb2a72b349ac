"""The QGIS project: what is inside for whom. That QGIS itself opens it is tested in tests/clients."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from lxml import etree

from data.accounts import PUBLIC, Actor, Role
from layers import catalogue
from services.qgis.project import RELATIONS, relations

pytestmark = pytest.mark.parametrize("demo_store", ["gpkg"], indirect=True)


def opened(answer) -> etree._Element:  # type: ignore[no-untyped-def]
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        assert name.endswith(".qgs")
        return etree.fromstring(archive.read(name))


def layers_of(root: etree._Element) -> dict[str, etree._Element]:
    return {node.findtext("id").removeprefix("ocopmap_"): node for node in root.iter("maplayer")}


def test_the_project_has_every_layer_in_its_group_connected_to_this_server(client) -> None:
    answer = client.get("/qgis/project.qgz", base_url="https://ban-do.vi-du.vn")
    assert 'filename="ocopmap.qgz"' in answer.headers["Content-Disposition"]
    root = opened(answer)
    assert set(layers_of(root)) == {layer.id for layer in catalogue.LAYERS}
    groups = root.findall("layer-tree-group/layer-tree-group")
    assert [g.get("name") for g in groups] == [
        "Chương trình OCOP", "Làng nghề", "Vùng sản xuất", "Địa giới",
    ]  # fmt: skip
    drawn = [n.get("id").removeprefix("ocopmap_") for n in root.iter("layer-tree-layer")]
    assert drawn == [layer.id for layer in reversed(catalogue.LAYERS)]
    for node in layers_of(root).values():
        assert "url='https://ban-do.vi-du.vn/ogc'" in node.findtext("datasource")
        assert node.findtext("provider") == "OAPIF"
        assert "authcfg" not in node.findtext("datasource")


def test_whoever_may_edit_a_layer_gets_it_by_wfs_and_the_others_by_ogc_api(client, header_of) -> None:
    root = opened(client.get("/qgis/project.qgz", headers=header_of("commune_officer", "32002")))
    layers = layers_of(root)
    areas, communes = layers["growing_areas"], layers["communes"]
    assert areas.findtext("provider") == "WFS" and areas.get("readOnly") == "0"
    assert "typename='app:growing_areas'" in areas.findtext("datasource")
    assert communes.findtext("provider") == "OAPIF" and communes.get("readOnly") == "1"
    assert all(n.findtext("datasource").startswith("authcfg=ocopmap ") for n in layers.values())


def test_the_connection_can_be_chosen_and_no_secret_is_inside(client, header_of) -> None:
    header = header_of("province_officer")
    for via, provider in (("wfs", "WFS"), ("oapif", "OAPIF")):
        answer = client.get("/qgis/project.qgz", query_string={"via": via}, headers=header)
        root = opened(answer)
        assert {n.findtext("provider") for n in layers_of(root).values()} == {provider}
        assert not re.search(rb"ocop_[0-9a-f]{8}_", etree.tostring(root))
        assert "password" not in etree.tostring(root, encoding="unicode")
        assert answer.headers["Cache-Control"].startswith("private")
    assert client.get("/qgis/project.qgz?via=nope").status_code == 400


def test_fields_that_are_not_the_callers_are_not_named(client, header_of) -> None:
    def named(headers=None) -> set[str]:  # type: ignore[no-untyped-def]
        root = opened(client.get("/qgis/project.qgz", headers=headers))
        return {node.get("field") for node in layers_of(root)["growing_areas"].iter("alias")}

    public, planner = named(), named(header_of("planner"))
    assert "owner_name" not in public and "owner_id_number" not in public
    assert "owner_name" in planner and "owner_id_number" not in planner


def test_the_same_request_gives_the_same_bytes_and_a_known_project_is_not_sent_again(client) -> None:
    first = client.get("/qgis/project.qgz")
    assert client.get("/qgis/project.qgz").data == first.data
    again = client.get("/qgis/project.qgz", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    english = opened(client.get("/qgis/project.qgz?lang=en"))
    assert english.find("layer-tree-group/layer-tree-group").get("name") == "OCOP programme"


def test_relations_join_fields_that_exist(client) -> None:
    assert len(relations(Actor(Role.ADMINISTRATOR))) == len(RELATIONS) == len(relations(PUBLIC))
    root = opened(client.get("/qgis/project.qgz"))
    ids = {node.findtext("id") for node in root.iter("maplayer")}
    for node in root.iter("relation"):
        assert {node.get("referencingLayer"), node.get("referencedLayer")} <= ids
