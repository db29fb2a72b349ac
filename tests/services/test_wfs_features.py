"""GetFeature and GetPropertyValue: the same rows as the read path gives, in every dialect, order and format."""

from __future__ import annotations

from typing import Any

import pyproj
import pytest
import shapely
from lxml import etree

from data.accounts import PUBLIC, SYSTEM
from layers import catalogue, read
from layers.filters import Comparison
from tests.services.wfs_client import NAMES, positions, post

AREAS = catalogue.layer("growing_areas")
PRODUCTS = catalogue.layer("products")
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"
VERSIONS = {"2.0.0": "wfs:member", "1.1.0": "gml3:featureMember", "1.0.0": "gml3:featureMember"}


# ---- all dialects


@pytest.mark.parametrize("layer", [la.id for la in catalogue.LAYERS])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_is_valid_by_the_schemas_that_it_names(wfs, real_data, layer, version) -> None:
    answer = wfs.valid(wfs.get("GetFeature", VERSION=version, TYPENAME=f"app:{layer}", COUNT=25), real_data)
    assert answer.status == 200
    assert len(answer.all(f"//{VERSIONS[version]}")) in range(1, 26)


def test_the_features_are_those_of_the_read_path(wfs, rows) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="app:products", COUNT=40)
    expected = rows(PRODUCTS, limit=40)
    assert answer.ids == [f"products.{i}" for i in expected.ids.tolist()]
    assert answer.all("//app:products/app:name/text()") == [str(n) for n in expected.by_name()["name"]]


@pytest.mark.parametrize(
    "keys",
    [
        {"TYPENAMES": "app:products"},
        {"TYPENAME": "products", "MAXFEATURES": 5},
        {"TYPENAMES": "ns1:products", "NAMESPACES": "xmlns(ns1,http://www.ocopmap.vn/ns)"},
        {"TYPENAME": "x:products", "NAMESPACE": "xmlns(x=http://www.ocopmap.vn/ns)"},
        {"TYPENAMES": "(app:products)"},
    ],
)
def test_types_are_named_in_every_usual_way(wfs, keys) -> None:
    assert len(wfs.get("GetFeature", COUNT=5, **keys).ids) == 5


def test_a_post_answers_like_a_get(wfs) -> None:
    posted = wfs.post(post('<wfs:Query typeNames="app:products"/>', count="7"))
    assert posted.ids == wfs.get("GetFeature", TYPENAMES="app:products", COUNT=7).ids
    form = wfs.client.post(
        "/wfs", data={"service": "WFS", "version": "2.0.0", "request": "GetFeature", "typenames": "products"}
    )
    assert form.status_code == 200


def test_a_request_without_type_is_refused(wfs) -> None:
    wfs.get("GetFeature").shows(400, "MissingParameterValue", "typeNames")
    wfs.post(post("")).shows(400, "MissingParameterValue", "Query")


def test_hidden_rows_and_fields_are_in_nobody_elses_answer(wfs, header_of, demo_store) -> None:
    with demo_store.reading() as session:
        public = read.count(session, read.Query(AREAS, PUBLIC))
        every = read.count(session, read.Query(AREAS, SYSTEM))
    assert public < every
    officer = wfs.acting(header_of("province_officer"))
    assert wfs.get("GetFeature", TYPENAMES="growing_areas", RESULTTYPE="hits").root.get(
        "numberMatched"
    ) == str(public)
    hits = officer.get("GetFeature", TYPENAMES="growing_areas", RESULTTYPE="hits")
    assert hits.root.get("numberMatched") == str(every)
    assert not wfs.get("GetFeature", TYPENAMES="growing_areas", COUNT=50).all("//app:owner_name")
    assert officer.get("GetFeature", TYPENAMES="growing_areas", COUNT=50).all("//app:owner_name")
    wfs.get("GetFeature", TYPENAMES="growing_areas", PROPERTYNAME="owner_name").shows(
        400, "InvalidParameterValue"
    )


# ---- axes and reference systems


@pytest.mark.parametrize(
    ("version", "srs", "lat_first"),
    [
        ("2.0.0", None, True),
        ("2.0.0", "urn:ogc:def:crs:EPSG::4326", True),
        ("2.0.0", "http://www.opengis.net/def/crs/EPSG/0/4326", True),
        ("2.0.0", "EPSG:4326", False),
        ("2.0.0", "http://www.opengis.net/gml/srs/epsg.xml#4326", False),
        ("2.0.0", "urn:ogc:def:crs:OGC:1.3:CRS84", False),
        ("2.0.0", "urn:ogc:def:crs:EPSG::4756", True),
        ("1.1.0", None, True),
        ("1.1.0", "EPSG:4326", False),
        ("1.0.0", None, False),
    ],
)
def test_the_order_of_axes_follows_the_form_of_the_name(wfs, version, srs, lat_first) -> None:
    answer = wfs.get("GetFeature", VERSION=version, TYPENAME="app:products", SRSNAME=srs, COUNT=3)
    if version == "1.0.0":
        x, y = (float(n) for n in answer.text("//gml3:coordinates").split(","))
    else:
        x, y = positions(answer)[0]
    assert (x < 20) == lat_first, (x, y)
    if srs is not None:
        assert answer.text("//app:geom/*/@srsName") == srs


def test_metres_come_east_before_north_as_proj_computes_them(wfs, rows) -> None:
    page = rows(PRODUCTS, limit=1)
    point = shapely.from_wkb(page.wkb[0])
    e, n = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(point.x, point.y)
    answer = wfs.get("GetFeature", TYPENAMES="products", SRSNAME="urn:ogc:def:crs:EPSG::3857", COUNT=1)
    assert positions(answer)[0] == pytest.approx([e, n], abs=0.01)


@pytest.mark.parametrize(
    "srs",
    ["http://www.opengis.net/def/crs/0/unsupported", "EPSG:999999", "urn:ogc:def:crs:EPSG::2154", "hello"],
)
def test_a_system_that_is_not_offered_is_refused(wfs, srs) -> None:
    wfs.get("GetFeature", TYPENAMES="products", SRSNAME=srs).shows(400, "InvalidParameterValue", "SRSNAME")


# ---- boxes


BOX = (104.9, 9.0, 105.1, 9.2)


@pytest.fixture
def inside(rows: Any) -> list[str]:
    found = [f"growing_areas.{i}" for i in rows(AREAS, box=BOX).ids.tolist()]
    assert len(found) > 10
    return found


@pytest.mark.parametrize(
    "box",
    [
        "9.0,104.9,9.2,105.1,urn:ogc:def:crs:EPSG::4326",
        "9.0,104.9,9.2,105.1",
        "104.9,9.0,105.1,9.2,EPSG:4326",
        "104.9,9.0,105.1,9.2,urn:ogc:def:crs:OGC:1.3:CRS84",
        "9.0,104.9,9.2,105.1,http://www.opengis.net/def/crs/EPSG/0/4326",
    ],
)
def test_a_box_is_read_in_the_order_of_its_name(wfs, inside, box) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="app:growing_areas", BBOX=box)
    assert answer.ids == inside
    assert answer.root.get("numberMatched") == str(len(inside))


def test_old_boxes_are_east_before_north(wfs, inside) -> None:
    old = wfs.get("GetFeature", VERSION="1.0.0", TYPENAME="growing_areas", BBOX="104.9,9.0,105.1,9.2")
    assert [str(i) for i in old.all("//app:growing_areas/@fid")] == inside


def test_a_box_in_metres_selects_the_same(wfs, inside) -> None:
    to = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
    west, south = to.transform(BOX[0], BOX[1])
    east, north = to.transform(BOX[2], BOX[3])
    box = f"{west},{south},{east},{north},urn:ogc:def:crs:EPSG::3857"
    assert wfs.get("GetFeature", TYPENAMES="growing_areas", BBOX=box).ids == inside


def test_a_box_in_a_filter_selects_the_same(wfs, inside) -> None:
    envelope = (
        '<gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"><gml:lowerCorner>9.0 104.9</gml:lowerCorner>'
        "<gml:upperCorner>9.2 105.1</gml:upperCorner></gml:Envelope>"
    )
    for reference in ("", "<fes:ValueReference>app:geom</fes:ValueReference>"):
        query = f"<fes:Filter><fes:BBOX>{reference}{envelope}</fes:BBOX></fes:Filter>"
        answer = wfs.post(post(f'<wfs:Query typeNames="app:growing_areas">{query}</wfs:Query>'))
        assert answer.ids == inside


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "9.2,104.9,9.0,105.1", "1,2,3,4,EPSG:0", "nan,1,2,3"])
def test_a_box_that_is_none_is_refused(wfs, box) -> None:
    wfs.get("GetFeature", TYPENAMES="communes", BBOX=box).shows(400, "InvalidParameterValue", "BBOX")


def test_a_box_on_a_text_is_refused(wfs) -> None:
    query = (
        '<wfs:Query typeNames="app:communes"><fes:Filter><fes:BBOX><fes:ValueReference>gml:description'
        "</fes:ValueReference><gml:Envelope><gml:lowerCorner>9 104</gml:lowerCorner><gml:upperCorner>10 105"
        "</gml:upperCorner></gml:Envelope></fes:BBOX></fes:Filter></wfs:Query>"
    )
    wfs.post(post(query)).shows(400, "InvalidParameterValue")


def test_a_box_and_a_filter_exclude_each_other(wfs) -> None:
    wfs.get("GetFeature", TYPENAMES="communes", BBOX="8,104,10,106", RESOURCEID="communes.1").shows(
        400, "InvalidParameterValue"
    )


# ---- filters


EQUAL = "<{p}:PropertyIsEqualTo><{p}:{n}>{name}</{p}:{n}><{p}:Literal>{value}</{p}:Literal></{p}:PropertyIsEqualTo>"


def test_a_filter_selects_what_the_read_path_selects(wfs, rows) -> None:
    crop = rows(AREAS, limit=1).by_name()["crop"][0]
    expected = [f"growing_areas.{i}" for i in rows(AREAS, where=Comparison("crop", "=", crop)).ids.tolist()]
    new = EQUAL.format(p="fes", n="ValueReference", name="app:crop", value=crop)
    answer = wfs.post(
        post(f'<wfs:Query typeNames="app:growing_areas"><fes:Filter>{new}</fes:Filter></wfs:Query>')
    )
    assert answer.ids == expected
    bare = f"<Filter>{new}</Filter>".replace("fes:", "")
    assert wfs.get("GetFeature", TYPENAMES="growing_areas", FILTER=bare).ids == expected
    prefixed = f'<fes:Filter xmlns:fes="{NAMES["fes"]}">{new}</fes:Filter>'
    assert wfs.get("GetFeature", TYPENAMES="growing_areas", FILTER=prefixed).ids == expected
    old = EQUAL.format(p="ogc", n="PropertyName", name="app:crop", value=crop)
    query = f'<wfs:Query typeName="app:growing_areas"><ogc:Filter>{old}</ogc:Filter></wfs:Query>'
    for version, attribute in (("1.1.0", "@gml3:id"), ("1.0.0", "@fid")):
        answer = wfs.post(post(query, version))
        assert [str(i) for i in answer.all(f"//app:growing_areas/{attribute}")] == expected
    text = wfs.get("GetFeature", TYPENAMES="growing_areas", CQL_FILTER=f"crop = '{crop}'")
    assert text.ids == expected


def test_a_filter_on_what_the_caller_may_not_read_is_refused(wfs) -> None:
    bare = EQUAL.format(p="fes", n="ValueReference", name="owner_name", value="x")
    query = f'<wfs:Query typeNames="growing_areas"><fes:Filter>{bare}</fes:Filter></wfs:Query>'
    wfs.post(post(query)).shows(400, "InvalidParameterValue")


def test_ids_select_their_rows(wfs, rows) -> None:
    two = [f"products.{i}" for i in rows(PRODUCTS, limit=2).ids.tolist()]
    assert wfs.get("GetFeature", TYPENAMES="products", RESOURCEID=",".join(two)).ids == two
    assert wfs.get("GetFeature", RESOURCEID=",".join(two)).ids == two
    old = wfs.get("GetFeature", VERSION="1.1.0", FEATUREID=",".join(two))
    assert [str(i) for i in old.all("//app:products/@gml3:id")] == two
    ids = "".join(f'<fes:ResourceId rid="{i}"/>' for i in two)
    assert (
        wfs.post(post(f'<wfs:Query typeNames="products"><fes:Filter>{ids}</fes:Filter></wfs:Query>')).ids
        == two
    )


def test_the_id_of_another_type_is_refused_and_an_unknown_one_finds_nothing(wfs) -> None:
    wfs.get("GetFeature", TYPENAMES="products", RESOURCEID="communes.1").shows(
        400, "InvalidParameterValue", "RESOURCEID"
    )
    query = (
        '<wfs:Query typeNames="app:products"><fes:Filter><fes:ResourceId rid="{}"/></fes:Filter></wfs:Query>'
    )
    wfs.post(post(query.format("communes.1"))).shows(400, "InvalidParameterValue", "RESOURCEID")
    for unknown in ("test-0c9d", "products.999999999", "products.x", "products.99999999999999999999999"):
        for answer in (
            wfs.get("GetFeature", TYPENAMES="products", RESOURCEID=unknown),
            wfs.post(post(query.format(unknown))),
        ):
            assert (answer.status, answer.kind, answer.ids) == (200, "FeatureCollection", [])


# ---- projection and order


def test_only_the_properties_asked_for_are_sent(wfs, real_data) -> None:
    keys = {"TYPENAMES": "app:products", "COUNT": 3, "PROPERTYNAME": "app:stars,name"}
    answer = wfs.valid(wfs.get("GetFeature", **keys), real_data)
    names = {etree.QName(e).localname for e in answer.all("//app:products/*")}
    assert names <= {"name", "stars"}
    posted = wfs.post(
        post(
            '<wfs:Query typeNames="products"><wfs:PropertyName>app:geom</wfs:PropertyName></wfs:Query>',
            count="3",
        )
    )
    assert {etree.QName(e).localname for e in posted.all("//app:products/*")} == {"geom"}
    wfs.get("GetFeature", TYPENAMES="products", PROPERTYNAME="nonsense").shows(400, "InvalidParameterValue")


@pytest.mark.parametrize(
    ("text", "descending"), [("name", False), ("name DESC", True), ("app:name D", True), ("name A", False)]
)
def test_features_come_in_the_order_asked_for(wfs, rows, text, descending) -> None:
    expected = rows(PRODUCTS, sort=(("name", descending),), limit=30)
    answer = wfs.get("GetFeature", TYPENAMES="products", SORTBY=text, COUNT=30)
    assert answer.ids == [f"products.{i}" for i in expected.ids.tolist()]


def test_order_by_document_and_order_by_nonsense(wfs, rows) -> None:
    expected = rows(PRODUCTS, sort=(("name", True),), limit=5)
    order = (
        "<fes:SortBy><fes:SortProperty><fes:ValueReference>app:name</fes:ValueReference>"
        "<fes:SortOrder>DESC</fes:SortOrder></fes:SortProperty></fes:SortBy>"
    )
    posted = wfs.post(post(f'<wfs:Query typeNames="products">{order}</wfs:Query>', count="5"))
    assert posted.ids == [f"products.{i}" for i in expected.ids.tolist()]
    wfs.get("GetFeature", TYPENAMES="products", SORTBY="geom").shows(400, "InvalidParameterValue", "sortBy")
    wfs.get("GetFeature", TYPENAMES="products", SORTBY="name SIDEWAYS").shows(400, "InvalidParameterValue")


# ---- paging


def test_hits_count_all_and_lead_to_the_first_page(wfs, real_data) -> None:
    hits = wfs.valid(wfs.get("GetFeature", TYPENAMES="products", RESULTTYPE="hits", COUNT=2), real_data)
    assert hits.root.get("numberReturned") == "0"
    assert int(hits.root.get("numberMatched")) > 100
    assert hits.root.get("previous") is None
    first = wfs.follow(hits.root.get("next"))
    assert first.root.get("numberReturned") == "2"
    assert len(first.ids) == 2


def test_the_pages_of_next_are_the_whole_and_previous_leads_back(wfs, rows) -> None:
    page = wfs.get("GetFeature", TYPENAMES="app:products", COUNT=60, STARTINDEX=0, SORTBY="stars DESC")
    assert page.root.get("previous") is None
    found, pages = list(page.ids), [page]
    while page.root.get("next") is not None:
        page = wfs.follow(page.root.get("next"))
        assert page.root.get("numberReturned") == str(len(page.ids))
        found += page.ids
        pages.append(page)
    expected = rows(PRODUCTS, sort=(("stars", True),))
    assert found == [f"products.{i}" for i in expected.ids.tolist()]
    assert len(pages) > 2
    assert {p.root.get("numberMatched") for p in pages} == {str(len(expected))}
    assert wfs.follow(pages[1].root.get("previous")).ids == pages[0].ids
    assert wfs.follow(pages[-1].root.get("previous")).ids[-1] == pages[-2].ids[-1]


def test_a_posted_request_pages_too(wfs) -> None:
    stars = (
        "<fes:Filter>"
        + EQUAL.format(p="fes", n="ValueReference", name="app:stars", value=3)
        + "</fes:Filter>"
    )
    first = wfs.post(post(f'<wfs:Query typeNames="app:products">{stars}</wfs:Query>', count="4"))
    second = wfs.follow(first.root.get("next"))
    assert len(second.ids) == 4
    assert not set(first.ids) & set(second.ids)
    assert set(second.all("//app:stars/text()")) == {"3"}
    assert wfs.follow(second.root.get("previous")).ids == first.ids


def test_beyond_the_end_is_an_empty_page(wfs) -> None:
    answer = wfs.get("GetFeature", TYPENAMES="products", STARTINDEX=100_000)
    assert (answer.status, answer.ids) == (200, [])
    assert wfs.get("GetFeature", TYPENAMES="products", COUNT=0).ids == []


@pytest.mark.parametrize(
    "keys", [{"COUNT": "-1"}, {"COUNT": "many"}, {"STARTINDEX": "x"}, {"RESULTTYPE": "some"}]
)
def test_numbers_that_are_none_are_refused(wfs, keys) -> None:
    wfs.get("GetFeature", TYPENAMES="products", **keys).shows(400, "InvalidParameterValue", next(iter(keys)))


def test_resolve_is_accepted_locally_only(wfs) -> None:
    for value in ("local", "none"):
        assert wfs.get("GetFeature", TYPENAMES="products", COUNT=1, RESOLVE=value).status == 200
    wfs.get("GetFeature", TYPENAMES="products", RESOLVE="remote").shows(
        400, "InvalidParameterValue", "resolve"
    )


# ---- several types


def test_several_types_answer_in_a_collection_each(wfs, real_data, demo_store) -> None:
    answer = wfs.valid(
        wfs.get("GetFeature", TYPENAMES="app:products,app:lots", COUNT=5, STARTINDEX=0), real_data
    )
    with demo_store.reading() as session:
        counts = [read.count(session, read.Query(catalogue.layer(la))) for la in ("products", "lots")]
    inner = answer.all("/wfs:FeatureCollection/wfs:member/wfs:FeatureCollection")
    assert [int(e.get("numberMatched")) for e in inner] == counts
    assert int(answer.root.get("numberMatched")) == sum(counts)
    assert len(answer.ids) == 5
    turn = wfs.get("GetFeature", TYPENAMES="products,lots", COUNT=4, STARTINDEX=counts[0] - 2)
    assert [i.partition(".")[0] for i in turn.ids] == ["products", "products", "lots", "lots"]


def test_several_types_with_a_filter_each(wfs) -> None:
    filters = (
        "(<Filter><PropertyIsEqualTo><ValueReference>stars</ValueReference><Literal>4</Literal>"
        "</PropertyIsEqualTo></Filter>)(<Filter><ResourceId rid='lots.1'/></Filter>)"
    )
    answer = wfs.get("GetFeature", TYPENAMES="(app:products)(app:lots)", FILTER=filters)
    assert {i.partition(".")[0] for i in answer.ids} == {"products", "lots"}
    assert [i for i in answer.ids if i.startswith("lots")] == ["lots.1"]


def test_a_join_is_refused(wfs) -> None:
    wfs.post(post('<wfs:Query typeNames="app:products app:lots"/>')).shows(400, "OptionNotSupported")


def test_several_types_in_old_versions_are_one_flat_collection(wfs, real_data) -> None:
    answer = wfs.valid(
        wfs.get("GetFeature", VERSION="1.1.0", TYPENAME="app:provinces,app:districts"), real_data
    )
    assert len(answer.all("/wfs1:FeatureCollection/gml3:featureMember")) == 10
