"""Filter Encoding of every version means what the same filter in CQL2 means."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from data.accounts import PUBLIC
from data.store import Store
from gis import gml
from layers import catalogue, read
from layers.filters import (
    CaseI,
    Combination,
    Comparison,
    FilterError,
    Ids,
    IsLike,
    Literal,
    Not,
    Property,
    Shape,
    Spatial,
    cql2,
)
from services.wfs import fes

NAMESPACES = (
    'xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:ogc="http://www.opengis.net/ogc" '
    'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:app="urn:app"'
)


def element(text: str, *, gml_namespace: str = "http://www.opengis.net/gml/3.2") -> Any:
    namespaces = NAMESPACES.replace("http://www.opengis.net/gml/3.2", gml_namespace)
    return etree.fromstring(f"<x {namespaces}>{text}</x>")[0]


def parsed(text: str, layer_id: str = "products", **options: Any) -> Any:
    return fes.parse(element(f"<fes:Filter>{text}</fes:Filter>"), layer=catalogue.layer(layer_id), **options)


def selected(store: Store, layer_id: str, where: Any) -> set[int]:
    query = read.Query(catalogue.layer(layer_id), PUBLIC, where=where, fields=(), geometry=False)
    with store.reading() as session:
        return set(read.rows(session, query).ids.tolist())


def op(name: str, reference: str, literal: str, **attributes: str) -> str:
    extra = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return (
        f"<fes:{name}{extra}><fes:ValueReference>{reference}</fes:ValueReference>"
        f"<fes:Literal>{literal}</fes:Literal></fes:{name}>"
    )


def spatial(name: str, geometry: str, reference: str = "geom") -> str:
    return f"<fes:{name}><fes:ValueReference>{reference}</fes:ValueReference>{geometry}</fes:{name}>"


def temporal(name: str, time: str, reference: str = "certified_on") -> str:
    return spatial(name, time, reference)


def period(begin: str, end: str) -> str:
    return (
        f'<gml:TimePeriod gml:id="t"><gml:beginPosition>{begin}</gml:beginPosition>'
        f"<gml:endPosition>{end}</gml:endPosition></gml:TimePeriod>"
    )


def instant(at: str) -> str:
    return f'<gml:TimeInstant gml:id="t"><gml:timePosition>{at}</gml:timePosition></gml:TimeInstant>'


URN = "urn:ogc:def:crs:EPSG::4326"
ENVELOPE = (
    f'<gml:Envelope srsName="{URN}"><gml:lowerCorner>8.9 104.9</gml:lowerCorner>'
    "<gml:upperCorner>9.3 105.2</gml:upperCorner></gml:Envelope>"
)
POLYGON = (
    f'<gml:Polygon srsName="{URN}" gml:id="p"><gml:exterior><gml:LinearRing><gml:posList>'
    "8.6 104.8 9.0 105.4 9.5 104.9 8.6 104.8</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
POINT = f'<gml:Point srsName="{URN}" gml:id="q"><gml:pos>9.1 105.05</gml:pos></gml:Point>'
RING = "POLYGON((104.8 8.6,105.4 9.0,104.9 9.5,104.8 8.6))"

SAME: list[tuple[str, str, str]] = [
    ("products", op("PropertyIsEqualTo", "stars", "5"), "stars = 5"),
    ("products", op("PropertyIsNotEqualTo", "app:stars", "5"), "stars <> 5"),
    ("products", op("PropertyIsLessThan", "stars", "4"), "stars < 4"),
    ("products", op("PropertyIsGreaterThan", "stars", "3.5"), "stars > 3.5"),
    ("products", op("PropertyIsLessThanOrEqualTo", "*/stars", "4"), "stars <= 4"),
    ("products", op("PropertyIsGreaterThanOrEqualTo", "/app:products/app:stars", " 4 "), "stars >= 4"),
    ("products", op("PropertyIsEqualTo", "app:stars[1]/text()", "5"), "stars = 5"),
    ("products", op("PropertyIsEqualTo", "district_name", "Huyện U Minh"), "district_name = 'Huyện U Minh'"),
    ("products", op("PropertyIsEqualTo", "district_name", "HUYỆN U MINH", matchCase="false"),
     "CASEI(district_name) = CASEI('huyện u minh')"),
    ("products", op("PropertyIsEqualTo", "stars", "5", matchCase="false"), "stars = 5"),
    ("products", op("PropertyIsEqualTo", "stars", "5", matchAction="All"), "stars = 5"),
    ("products", op("PropertyIsEqualTo", "certified_on", "2026-06-20"), "certified_on = DATE('2026-06-20')"),
    ("products", op("PropertyIsEqualTo", "certified_on", "2026-06-20Z"[:-1]), "certified_on = DATE('2026-06-20')"),
    ("products", op("PropertyIsLessThan", "updated_at", "2026-06-30T08:00:01+07:00"),
     "updated_at < TIMESTAMP('2026-06-30T01:00:01Z')"),
    ("craft_village_points", op("PropertyIsEqualTo", "homestay", "true"), "homestay = TRUE"),
    ("craft_village_points", op("PropertyIsEqualTo", "homestay", "0"), "homestay = FALSE"),
    ("products", op("PropertyIsEqualTo", "gml:name", "không có"), "name = 'không có'"),
    ("products", op("PropertyIsLike", "name", "Bánh*", wildCard="*", singleChar="#", escapeChar="!"),
     "name LIKE 'Bánh%'"),
    ("products", op("PropertyIsLike", "gtin", "095209600000#4", wildCard="*", singleChar="#", escape="!"),
     "gtin LIKE '095209600000_4'"),
    ("products", op("PropertyIsLike", "name", "BÁNH.*", wildCard=".*", singleChar=".", escapeChar="!",
                    matchCase="false"), "CASEI(name) LIKE CASEI('bánh%')"),
    ("products", op("PropertyIsLike", "name", "%", wildCard="*", singleChar="?", escapeChar="\\"), "name LIKE '\\%'"),
    ("products", "<fes:PropertyIsNull><fes:ValueReference>stars</fes:ValueReference></fes:PropertyIsNull>",
     "stars IS NULL"),
    ("products", "<fes:PropertyIsNil><fes:ValueReference>app:story</fes:ValueReference></fes:PropertyIsNil>",
     "story IS NULL"),
    ("products", "<fes:PropertyIsBetween><fes:ValueReference>stars</fes:ValueReference><fes:LowerBoundary>"
     "<fes:Literal>3</fes:Literal></fes:LowerBoundary><fes:UpperBoundary><fes:Literal>4</fes:Literal>"
     "</fes:UpperBoundary></fes:PropertyIsBetween>", "stars BETWEEN 3 AND 4"),
    ("products", f"<fes:And>{op('PropertyIsEqualTo', 'stars', '4')}{op('PropertyIsEqualTo', 'product_set', '5')}"
     "</fes:And>", "stars = 4 AND product_set = 5"),
    ("products", f"<fes:Or>{op('PropertyIsEqualTo', 'stars', '4')}<fes:Not>"
     f"{op('PropertyIsEqualTo', 'product_set', '5')}</fes:Not></fes:Or>", "stars = 4 OR NOT product_set = 5"),
    ("craft_villages", "<fes:PropertyIsGreaterThan><fes:Mul><fes:ValueReference>trade_households"
     "</fes:ValueReference><fes:Literal>2</fes:Literal></fes:Mul><fes:ValueReference>households"
     "</fes:ValueReference></fes:PropertyIsGreaterThan>", "trade_households * 2 > households"),
    ("growing_areas", spatial("BBOX", ENVELOPE), "S_INTERSECTS(geom, BBOX(104.9,8.9,105.2,9.3))"),
    ("growing_areas", spatial("BBOX", ENVELOPE, "gml:boundedBy"), "S_INTERSECTS(geom, BBOX(104.9,8.9,105.2,9.3))"),
    ("growing_areas", f"<fes:BBOX>{ENVELOPE}</fes:BBOX>", "S_INTERSECTS(geom, BBOX(104.9,8.9,105.2,9.3))"),
    ("growing_areas", spatial("Intersects", POLYGON), f"S_INTERSECTS(geom, {RING})"),
    ("growing_areas", spatial("Within", POLYGON), f"S_WITHIN(geom, {RING})"),
    ("growing_areas", spatial("Disjoint", POLYGON), f"S_DISJOINT(geom, {RING})"),
    ("growing_areas", spatial("Overlaps", POLYGON), f"S_OVERLAPS(geom, {RING})"),
    ("growing_areas", spatial("Touches", POLYGON), f"S_TOUCHES(geom, {RING})"),
    ("growing_areas", spatial("Crosses", POLYGON), f"S_CROSSES(geom, {RING})"),
    ("growing_areas", spatial("Equals", POLYGON), f"S_EQUALS(geom, {RING})"),
    ("communes", spatial("Contains", POINT), "S_CONTAINS(geom, POINT(105.05 9.1))"),
    ("communes", f"<fes:Within><fes:Literal>{POINT}</fes:Literal><fes:ValueReference>geom</fes:ValueReference>"
     "</fes:Within>", "S_CONTAINS(geom, POINT(105.05 9.1))"),
    ("products", f"<fes:DWithin><fes:ValueReference>geom</fes:ValueReference>{POINT}"
     '<fes:Distance uom="m">9000</fes:Distance></fes:DWithin>', "S_DWITHIN(geom, POINT(105.05 9.1), 9000)"),
    ("products", f"<fes:Beyond><fes:ValueReference>geom</fes:ValueReference>{POINT}"
     '<fes:Distance units="km">9</fes:Distance></fes:Beyond>', "S_BEYOND(geom, POINT(105.05 9.1), 9000)"),
    ("products", f"<fes:DWithin><fes:ValueReference>geom</fes:ValueReference>{POINT}"
     '<fes:Distance uom="urn:ogc:def:uom:EPSG::9001">9000</fes:Distance></fes:DWithin>',
     "S_DWITHIN(geom, POINT(105.05 9.1), 9, km)"),
    ("products", temporal("After", instant("2025-06-30")), "T_AFTER(certified_on, DATE('2025-06-30'))"),
    ("products", temporal("Before", instant("2025-06-30T10:00:00Z")), "T_BEFORE(certified_on, DATE('2025-06-30'))"),
    ("products", temporal("Before", "<fes:Literal>2025-06-30</fes:Literal>"),
     "T_BEFORE(certified_on, DATE('2025-06-30'))"),
    ("products", temporal("TEquals", instant("2026-06-20")), "T_EQUALS(certified_on, DATE('2026-06-20'))"),
    ("products", temporal("During", period("2024-01-01", "2024-12-31")),
     "T_DURING(certified_on, INTERVAL('2024-01-01','2024-12-31'))"),
    ("products", temporal("AnyInteracts", period("2024-01-01", "2024-12-31")),
     "T_INTERSECTS(certified_on, INTERVAL('2024-01-01','2024-12-31'))"),
    ("products", temporal("During", '<gml:TimePeriod gml:id="t"><gml:begin><gml:TimeInstant gml:id="u">'
     "<gml:timePosition>2024-01-01</gml:timePosition></gml:TimeInstant></gml:begin>"
     '<gml:endPosition indeterminatePosition="unknown"/></gml:TimePeriod>'),
     "T_DURING(certified_on, INTERVAL('2024-01-01','..'))"),
    ("products", temporal("Begins", period("2026-06-20", "2027-01-01")),
     "T_STARTS(certified_on, INTERVAL('2026-06-20','2027-01-01'))"),
    ("products", temporal("Ends", period("2020-06-20", "2026-06-20")),
     "T_FINISHES(certified_on, INTERVAL('2020-06-20','2026-06-20'))"),
]  # fmt: skip


@pytest.mark.parametrize(("layer_id", "text", "same"), SAME, ids=[f"{s[0]}: {s[2]}"[:60] for s in SAME])
def test_a_filter_means_the_same_in_fes_and_in_cql2(
    record: Store, layer_id: str, text: str, same: str
) -> None:
    expected = selected(record, layer_id, cql2.parse_text(same))
    assert selected(record, layer_id, parsed(text, layer_id)) == expected
    old = text.replace("fes:", "ogc:").replace("ValueReference", "PropertyName")
    plain = old.replace("<ogc:", "<").replace("</ogc:", "</")
    for document in (f"<ogc:Filter>{old}</ogc:Filter>", f"<Filter>{plain}</Filter>", plain):
        again = fes.parse(element(document), layer=catalogue.layer(layer_id), version="1.1")
        assert selected(record, layer_id, again) == expected


def test_the_filter_that_qgis_sends_with_its_box_is_understood(record: Store) -> None:
    document = (
        '<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2">'
        f"<fes:And><fes:BBOX><fes:ValueReference>app:geom</fes:ValueReference>{ENVELOPE}</fes:BBOX>"
        '<fes:PropertyIsEqualTo xmlns:fes="http://www.opengis.net/fes/2.0"><fes:ValueReference>crop'
        "</fes:ValueReference><fes:Literal>rice</fes:Literal></fes:PropertyIsEqualTo></fes:And></fes:Filter>"
    )
    found = selected(record, "growing_areas", fes.parse(element(document)))
    same = cql2.parse_text("S_INTERSECTS(geom, BBOX(104.9,8.9,105.2,9.3)) AND crop = 'rice'")
    assert found == selected(record, "growing_areas", same) != set()


@pytest.mark.parametrize(
    ("version", "name", "corners"),
    [
        ("2.0", "urn:ogc:def:crs:EPSG::4326", "8.9 104.9,9.3 105.2"),
        ("1.1", "urn:x-ogc:def:crs:EPSG:4326", "8.9 104.9,9.3 105.2"),
        ("2.0", "http://www.opengis.net/def/crs/EPSG/0/4326", "8.9 104.9,9.3 105.2"),
        ("2.0", "urn:ogc:def:crs:OGC:1.3:CRS84", "104.9 8.9,105.2 9.3"),
        ("2.0", "EPSG:4326", "104.9 8.9,105.2 9.3"),
        ("1.1", "http://www.opengis.net/gml/srs/epsg.xml#4326", "104.9 8.9,105.2 9.3"),
        ("1.0", "urn:ogc:def:crs:EPSG::4326", "104.9 8.9,105.2 9.3"),
        ("1.0", "EPSG:4326", "104.9 8.9,105.2 9.3"),
        ("2.0", "urn:ogc:def:crs:EPSG::3857", "11677414.58 994726.6,11710810.43 1039821.3"),
    ],
)
def test_the_form_of_a_reference_system_says_which_axis_comes_first(
    version: str, name: str, corners: str
) -> None:
    lower, upper = corners.split(",")
    box = (
        f'<gml:Envelope srsName="{name}"><gml:lowerCorner>{lower}</gml:lowerCorner>'
        f"<gml:upperCorner>{upper}</gml:upperCorner></gml:Envelope>"
    )
    where = parsed(f"<fes:BBOX>{box}</fes:BBOX>", version=version)
    assert isinstance(where, Spatial) and isinstance(where.right, Shape)
    assert where.right.geometry.bounds == pytest.approx((104.9, 8.9, 105.2, 9.3), abs=2e-3)


def test_a_geometry_without_reference_system_takes_the_default_of_the_request() -> None:
    box = "<gml:Box><gml:coordinates>104.9,8.9 105.2,9.3</gml:coordinates></gml:Box>"
    where = fes.parse(
        element(f"<ogc:Filter><ogc:BBOX>{box}</ogc:BBOX></ogc:Filter>", gml_namespace="http://www.opengis.net/gml"),
        version="1.0",
        default_crs="EPSG:4326",
    )  # fmt: skip
    assert where.right.geometry.bounds == pytest.approx((104.9, 8.9, 105.2, 9.3))
    assert where.left == Property("geom")


def test_ids_of_all_versions_are_rows() -> None:
    new = '<fes:ResourceId rid="products.1"/><fes:ResourceId rid="products.2" version="LAST"/>'
    assert parsed(new) == Ids(("products.1", "products.2"))
    assert parsed('<ogc:FeatureId fid="products.1"/>') == Ids(("products.1",))
    assert parsed('<ogc:GmlObjectId gml:id="products.1"/>') == Ids(("products.1",))
    assert parsed(op("PropertyIsEqualTo", "@gml:id", "products.1")) == Ids(("products.1",))
    assert parsed(op("PropertyIsNotEqualTo", "@gml:id", "products.1")) == Not(Ids(("products.1",)))


def test_the_id_of_another_layer_is_refused_with_its_locator(record: Store) -> None:
    with pytest.raises(FilterError) as refused:
        selected(record, "products", parsed('<fes:ResourceId rid="lots.1"/>'))
    assert refused.value.locator == "RESOURCEID"
    assert selected(record, "products", parsed('<fes:ResourceId rid="products.123456789"/>')) == set()


def test_the_tree_is_what_the_document_says() -> None:
    assert parsed(op("PropertyIsEqualTo", "app:crop", "rice"), "growing_areas") == Comparison(
        Property("crop"), "=", Literal("rice", typed=False)
    )
    like = op(
        "PropertyIsLike", "name", "a*b!*_", wildCard="*", singleChar="?", escapeChar="!", matchCase="false"
    )
    assert parsed(like) == IsLike(CaseI(Property("name")), CaseI(Literal("a%b*\\_")))
    both = f"<fes:And>{op('PropertyIsEqualTo', 'name', 'a')}<!-- x -->{op('PropertyIsEqualTo', 'name', 'b')}</fes:And>"
    assert isinstance(parsed(both), Combination)


BAD = [
    "",
    "<fes:Unknown/>",
    "<fes:And/>",
    "<fes:Not/>",
    f"{op('PropertyIsEqualTo', 'stars', '5')}{op('PropertyIsEqualTo', 'stars', '4')}",
    op("PropertyIsEqualTo", "stars", "nhiều"),
    op("PropertyIsEqualTo", "stars", "NaN"),
    op("PropertyIsEqualTo", "no_such", "5"),
    op("PropertyIsEqualTo", "annual_revenue_million", "5"),
    op("PropertyIsEqualTo", "a/b/c", "5"),
    op("PropertyIsEqualTo", "geom", "5"),
    op("PropertyIsEqualTo", "certified_on", "hôm qua"),
    op("PropertyIsEqualTo", "stars", "5", matchAction="Some"),
    op("PropertyIsLessThan", "@gml:id", "products.1"),
    op("PropertyIsLike", "stars", "5*", wildCard="*", singleChar="?", escapeChar="!"),
    "<fes:PropertyIsEqualTo><fes:ValueReference>stars</fes:ValueReference></fes:PropertyIsEqualTo>",
    "<fes:PropertyIsEqualTo><fes:Function name='system'><fes:Literal>1</fes:Literal></fes:Function>"
    "<fes:Literal>1</fes:Literal></fes:PropertyIsEqualTo>",
    spatial("BBOX", ENVELOPE, "gml:description"),
    spatial("BBOX", ENVELOPE, "name"),
    spatial("BBOX", ENVELOPE.replace("EPSG::4326", "EPSG::99999")),
    spatial("Intersects", POLYGON.replace("8.6 104.8 9.0 105.4", "8.6 x 9.0 105.4")),
    spatial("Intersects", "<gml:Polygon gml:id='e'/>"),
    spatial("Intersects", "<fes:Literal>POINT(1 2)</fes:Literal>"),
    f"<fes:DWithin><fes:ValueReference>geom</fes:ValueReference>{POINT}<fes:Distance uom='sào'>9</fes:Distance>"
    "</fes:DWithin>",
    f"<fes:DWithin><fes:ValueReference>geom</fes:ValueReference>{POINT}<fes:Distance uom='m'>-9</fes:Distance>"
    "</fes:DWithin>",
    f"<fes:DWithin><fes:ValueReference>geom</fes:ValueReference>{POINT}<fes:Distance uom='m'>nan</fes:Distance>"
    "</fes:DWithin>",
    temporal("During", period("2024-12-31", "2024-01-01")),
    temporal("During", period("sớm", "muộn")),
    temporal("After", instant("")),
    temporal("After", instant("2024-01-01"), "name"),
    "<fes:Not>" * 70 + op("PropertyIsEqualTo", "stars", "5") + "</fes:Not>" * 70,
    "<fes:Or>" + op("PropertyIsEqualTo", "stars", "5") * 1000 + "</fes:Or>",
    "<fes:ResourceId/>",
    spatial("BBOX", ENVELOPE.replace("4326", "3857").replace("9.3 105.2", "1e308 1e308")),
    spatial(
        "BBOX", ENVELOPE.replace("4326", "3857").replace("8.9 104.9", "0 0").replace("9.3 105.2", "5e-324 0")
    ),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_filter_that_cannot_be_meant_is_refused_in_one_sentence(record: Store, text: str) -> None:
    with pytest.raises(FilterError) as refused:
        selected(record, "products", parsed(text))
    assert str(refused.value).strip().endswith((".", "”.", "km."))


def test_every_geometry_that_gml_reads_can_be_asked_about() -> None:
    """The readers of filters and of features are the same."""
    assert gml.is_geometry(element(POINT)) and gml.is_geometry(element(ENVELOPE))
