"""Transactions in every dialect: through the one edit path, in one unit of work, under its rights."""

from __future__ import annotations

import base64
from typing import Any
from xml.sax.saxutils import escape

import pyproj
import pytest
import shapely
import sqlalchemy as sa
from lxml import etree

from data import audit
from data.accounts import SYSTEM
from data.admin_units import Commune
from data.growing_areas import GrowingArea
from data.store import revisions
from layers import catalogue, read
from layers.edit import editing
from tests.services.wfs_client import NAMES, Answer, Wfs, transaction

AREAS = catalogue.layer("growing_areas")
SALES = catalogue.layer("sale_points")
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"


@pytest.fixture
def wfs(app: Any, header_of: Any) -> Wfs:
    """An officer of the province."""
    return Wfs(app, header_of("province_officer"))


@pytest.fixture
def place(demo_store: Any) -> shapely.Point:
    with demo_store.reading() as session:
        commune = session.scalars(sa.select(Commune).order_by(Commune.code)).first()
        return shapely.point_on_surface(commune.geom)


def square(place: shapely.Point, size: float = 0.002) -> tuple[float, float, float, float]:
    return place.x, place.y, place.x + size, place.y + size


def outline(place: shapely.Point, *, lat_first: bool) -> str:
    west, south, east, north = square(place)
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return " ".join(f"{y} {x}" if lat_first else f"{x} {y}" for x, y in corners)


def surface(place: shapely.Point, srs: str = "urn:ogc:def:crs:EPSG::4326") -> str:
    text = outline(place, lat_first=srs.endswith("::4326"))
    return (
        f'<gml:Polygon gml:id="p" srsName="{srs}"><gml:exterior><gml:LinearRing><gml:posList>{text}</gml:posList>'
        "</gml:LinearRing></gml:exterior></gml:Polygon>"
    )


def area(place: shapely.Point, name: str = "Vùng thử WFS", extra: str = "", shape: str | None = None) -> str:
    inner = surface(place) if shape is None else shape
    return (
        f"<app:growing_areas><app:name>{name}</app:name><app:crop>rice</app:crop>{extra}"
        f"<app:geom>{inner}</app:geom></app:growing_areas>"
    )


def inserted(answer: Answer) -> list[str]:
    return [str(i) for i in answer.all("//wfs:InsertResults/wfs:Feature/fes:ResourceId/@rid")]


def row(store: Any, rid: str) -> GrowingArea:
    with store.reading() as session:
        found = session.get(GrowingArea, int(rid.partition(".")[2]))
        session.expunge_all()
        return found


def by_id(rid: str) -> str:
    return f'<fes:Filter><fes:ResourceId rid="{rid}"/></fes:Filter>'


@pytest.fixture
def one(wfs: Wfs, place: shapely.Point) -> str:
    """The id of an area that was just inserted."""
    (rid,) = inserted(wfs.post(transaction(f"<wfs:Insert>{area(place)}</wfs:Insert>")))
    return rid


# ---- insert


def test_an_inserted_feature_is_there_under_its_id(wfs, real_data, place, demo_store) -> None:
    body = f'<wfs:Insert handle="mới">{area(place, extra="<app:households>12</app:households>")}</wfs:Insert>'
    answer = wfs.valid(wfs.post(transaction(body, handle="từ thử nghiệm")), real_data)
    assert answer.text("//wfs:totalInserted") == "1"
    (rid,) = inserted(answer)
    assert answer.text("//wfs:InsertResults/wfs:Feature/@handle") == "mới"
    assert wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=rid).status == 200
    found = row(demo_store, rid)
    assert (found.name, found.crop, found.households) == ("Vùng thử WFS", "rice", 12)
    assert found.geom.geom_type == "MultiPolygon"
    assert found.geom.bounds == pytest.approx(square(place))
    with demo_store.reading() as session:
        entry = audit.history(session, "growing_areas", found.id)[0]
    assert (entry.action, entry.source, entry.reason) == ("insert", "wfs", "từ thử nghiệm")


def test_a_feature_as_the_service_wrote_it_may_be_inserted_again(wfs, demo_store) -> None:
    source = wfs.get("GetFeature", TYPENAMES="sale_points", COUNT=1)
    (feature,) = source.all("//app:sale_points")
    feature.set("{http://www.opengis.net/gml/3.2}id", "id-1234")
    identifier = etree.fromstring(
        '<gml:identifier xmlns:gml="http://www.opengis.net/gml/3.2" codeSpace="http://example.org/">x</gml:identifier>'
    )
    feature.insert(0, identifier)
    answer = wfs.post(transaction(f"<wfs:Insert>{etree.tostring(feature).decode()}</wfs:Insert>"))
    assert answer.text("//wfs:totalInserted") == "1", answer.body
    copy = wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=inserted(answer)[0])
    assert copy.text("//app:name") == source.text("//app:name")
    assert copy.text("//gml:pos") == source.text("//gml:pos")


def test_axes_of_inserted_shapes_follow_their_names(wfs, place, demo_store) -> None:
    for srs in ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"):
        body = f"<wfs:Insert>{area(place, shape=surface(place, srs))}</wfs:Insert>"
        answer = wfs.post(transaction(body))
        (rid,) = inserted(answer)
        assert row(demo_store, rid).geom.bounds == pytest.approx(square(place)), srs


def test_metres_are_carried_to_degrees(wfs, place, demo_store) -> None:
    x, y = pyproj.Transformer.from_crs(4326, 32648, always_xy=True).transform(place.x, place.y)
    point = (
        f'<gml:Point gml:id="p" srsName="urn:ogc:def:crs:EPSG::32648"><gml:pos>{x} {y}</gml:pos></gml:Point>'
    )
    body = (
        "<wfs:Insert><app:sale_points><app:name>Quầy</app:name><app:kind>%s</app:kind><app:geom>%s</app:geom>"
        "</app:sale_points></wfs:Insert>"
    )
    kind = next(iter(SALES.field("kind").code_list or ()))
    answer = wfs.post(transaction(body % (kind, point)))
    found = wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=inserted(answer)[0])
    lat, lon = (float(n) for n in found.text("//gml:pos").split())
    assert (lon, lat) == pytest.approx((place.x, place.y), abs=1e-6)


@pytest.mark.parametrize(
    ("feature", "locator"),
    [
        (
            '<tns:Airport xmlns:tns="http://example.org" gml:id="YVR"><gml:name>Vancouver</gml:name></tns:Airport>',
            "",
        ),
        ("<app:unicorns/>", ""),
        ("<app:growing_areas><app:colour>red</app:colour></app:growing_areas>", "colour"),
        (
            "<app:growing_areas><app:crop>kryptonite</app:crop><app:name>x</app:name></app:growing_areas>",
            "crop",
        ),
        ("<app:growing_areas><app:crop>rice</app:crop></app:growing_areas>", "name"),
        (
            "<app:growing_areas><app:name>x</app:name><app:crop>rice</app:crop><app:geom>"
            '<Point xmlns="http://www.opengis.net/kml/2.2"><coordinates>-123.1,49.25</coordinates></Point>'
            "</app:geom></app:growing_areas>",
            "",
        ),
        (
            "<app:growing_areas><app:name>x</app:name><app:crop>rice</app:crop><app:geom>"
            '<gml:LineString srsName="EPSG:4326"><gml:posList>105 9 105.1 9</gml:posList></gml:LineString>'
            "</app:geom></app:growing_areas>",
            "geometry",
        ),
        (
            "<app:growing_areas><app:name>x</app:name><app:crop>rice</app:crop><app:geom>"
            '<gml:Polygon srsName="EPSG:4326"><gml:exterior><gml:LinearRing><gml:posList>a b c</gml:posList>'
            "</gml:LinearRing></gml:exterior></gml:Polygon></app:geom></app:growing_areas>",
            "geom",
        ),
    ],
)
def test_an_invalid_feature_is_refused_and_nothing_is_kept(wfs, place, demo_store, feature, locator) -> None:
    with demo_store.reading() as session:
        before = read.count(session, read.Query(AREAS, SYSTEM)), revisions(session)
    body = f"<wfs:Insert>{area(place)}</wfs:Insert><wfs:Insert>{feature}</wfs:Insert>"
    wfs.post(transaction(body)).shows(400, "InvalidValue", locator or None)
    with demo_store.reading() as session:
        assert (read.count(session, read.Query(AREAS, SYSTEM)), revisions(session)) == before


def test_the_number_of_features_follows_every_change(wfs, app, place, header_of) -> None:
    def numbers() -> list[int]:
        asking = (Wfs(app), wfs)
        hits = [w.get("GetFeature", TYPENAMES="growing_areas", RESULTTYPE="hits") for w in asking]
        return [int(h.root.get("numberMatched")) for h in hits]

    before = numbers()
    draft = area(place, extra="<app:status>draft</app:status>")
    (rid,) = inserted(wfs.post(transaction(f"<wfs:Insert>{draft}</wfs:Insert>")))
    assert numbers() == [before[0], before[1] + 1]
    publish = "<wfs:ValueReference>status</wfs:ValueReference><wfs:Value>published</wfs:Value>"
    body = f'<wfs:Update typeName="growing_areas"><wfs:Property>{publish}</wfs:Property>{by_id(rid)}</wfs:Update>'
    wfs.post(transaction(body))
    assert numbers() == [before[0] + 1, before[1] + 1]
    wfs.post(transaction(f'<wfs:Delete typeName="app:growing_areas">{by_id(rid)}</wfs:Delete>'))
    assert numbers() == before


# ---- update


def test_properties_are_updated_emptied_and_seen_at_once(wfs, real_data, one, demo_store) -> None:
    body = (
        '<wfs:Update typeName="app:growing_areas" handle="đổi">'
        "<wfs:Property><wfs:ValueReference>app:name[1]</wfs:ValueReference><wfs:Value>Tên mới</wfs:Value>"
        "</wfs:Property>"
        "<wfs:Property><wfs:ValueReference>households</wfs:ValueReference><wfs:Value>7</wfs:Value></wfs:Property>"
        f"<wfs:Property><wfs:ValueReference>variety</wfs:ValueReference></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    answer = wfs.valid(wfs.post(transaction(body)), real_data)
    assert answer.text("//wfs:totalUpdated") == "1"
    found = row(demo_store, one)
    assert (found.name, found.households, found.variety, found.version) == ("Tên mới", 7, None, 2)
    assert wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=one).text("//app:name") == "Tên mới"


def test_the_name_that_gml_gives_is_the_name_of_the_feature(wfs, one) -> None:
    body = (
        '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>gml:name[1]</wfs:ValueReference>'
        f"<wfs:Value>Pellentesque Arcu Lorem</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == "1"
    answer = wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=one)
    assert answer.text("/app:growing_areas/gml:name") == "Pellentesque Arcu Lorem"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "TEST_VALUE"),
        ("households", "13"),
        ("declared_area_ha", "2.75"),
        ("description", "a < b & c"),
    ],
)
def test_values_of_every_type_are_updated(wfs, one, field, value) -> None:
    body = (
        f'<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>app:{field}'
        f"</wfs:ValueReference><wfs:Value>{escape(value)}</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == "1"
    assert wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=one).text(f"//app:{field}") == value


def test_dates_and_truths_are_updated(wfs) -> None:
    rid = wfs.get("GetFeature", TYPENAMES="craft_village_points", COUNT=1).ids[0]
    for field, value in (("checked_on", "2026-07-01"), ("hands_on", "true"), ("hands_on", "0")):
        body = (
            f'<wfs:Update typeName="craft_village_points"><wfs:Property><wfs:ValueReference>{field}'
            f"</wfs:ValueReference><wfs:Value>{value}</wfs:Value></wfs:Property>{by_id(rid)}</wfs:Update>"
        )
        assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == "1"
        shown = wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=rid).text(f"//app:{field}")
        assert shown == {"0": "false"}.get(value, value)


@pytest.mark.parametrize(
    ("reference", "value", "code"),
    [
        ("gml:boundedBy", '<Point xmlns="http://www.opengis.net/kml/2.2"/>', "InvalidValue"),
        ("app:colour", "red", "InvalidValue"),
        ("app:area_ha", "5", "InvalidValue"),
        ("app:commune_name", "Nơi khác", "InvalidValue"),
        ("@gml:id", "growing_areas.1", "InvalidValue"),
        ("app:households", "nhiều", "InvalidValue"),
        ("app:name", "<b>x</b>", "InvalidValue"),
        ("app:name", "", "InvalidValue"),
    ],
)
def test_an_update_that_cannot_be_is_refused(wfs, one, demo_store, reference, value, code) -> None:
    body = (
        f'<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>{reference}</wfs:ValueReference>'
        f"<wfs:Value>{value}</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    wfs.post(transaction(body)).shows(400, code)
    assert row(demo_store, one).version == 1


def test_values_that_nobody_sets_may_be_repeated_as_gdal_does(wfs, one, demo_store) -> None:
    fetched = wfs.get("GetFeature", TYPENAMES="growing_areas", RESOURCEID=one)
    properties = "".join(
        f"<wfs:Property><wfs:ValueReference>{etree.QName(e).localname}</wfs:ValueReference><wfs:Value>"
        f"{'Tên khác' if e.tag.endswith('}name') else escape(e.text)}</wfs:Value></wfs:Property>"
        for e in fetched.all("//app:growing_areas/*")
        if not len(e)
    )
    properties += "<wfs:Property><wfs:ValueReference>code_summary</wfs:ValueReference></wfs:Property>"
    body = f'<wfs:Update typeName="app:growing_areas">{properties}{by_id(one)}</wfs:Update>'
    assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == "1"
    assert row(demo_store, one).name == "Tên khác"


def test_a_geometry_is_updated(wfs, one, place, demo_store) -> None:
    moved = shapely.Point(place.x + 0.001, place.y)
    body = (
        '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>app:geom</wfs:ValueReference>'
        f"<wfs:Value>{surface(moved)}</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == "1"
    assert row(demo_store, one).geom.bounds == pytest.approx(square(moved))


def test_a_filter_updates_all_that_it_selects(wfs, demo_store) -> None:
    body = (
        '<wfs:Update typeName="app:sale_points"><wfs:Property><wfs:ValueReference>opening_hours</wfs:ValueReference>'
        "<wfs:Value>7–19 giờ</wfs:Value></wfs:Property><fes:Filter><fes:PropertyIsLike wildCard='*' singleChar='?' "
        "escapeChar='!'><fes:ValueReference>name</fes:ValueReference><fes:Literal>*</fes:Literal>"
        "</fes:PropertyIsLike></fes:Filter></wfs:Update>"
    )
    with demo_store.reading() as session:
        every = read.count(session, read.Query(SALES, SYSTEM))
    assert wfs.post(transaction(body)).text("//wfs:totalUpdated") == str(every)
    assert set(
        wfs.get("GetPropertyValue", TYPENAMES="sale_points", VALUEREFERENCE="opening_hours").all(
            "//wfs:member/text()"
        )
    ) == {"7–19 giờ"}


def test_who_was_slower_is_told_so_and_overwrites_nothing(wfs, one, demo_store) -> None:
    with editing(demo_store, SYSTEM, "test") as edits:
        edits.update(AREAS, int(one.partition(".")[2]), {"variety": "ST25"})
    body = (
        '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>variety</wfs:ValueReference>'
        "<wfs:Value>Một bụi đỏ</wfs:Value></wfs:Property><wfs:Property><wfs:ValueReference>version"
        f"</wfs:ValueReference><wfs:Value>1</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    answer = wfs.post(transaction(body))
    answer.shows(403, "OperationProcessingFailed")
    assert "2" in answer.text("//ows:ExceptionText")
    assert row(demo_store, one).variety == "ST25"


# ---- replace, delete, native


def test_a_replaced_feature_has_only_what_was_sent(wfs, real_data, one, place, demo_store) -> None:
    wfs.post(
        transaction(
            '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>variety</wfs:ValueReference>'
            f"<wfs:Value>ST24</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
        )
    )
    body = f'<wfs:Replace handle="thay">{area(place, "Vùng thay")}{by_id(one)}</wfs:Replace>'
    answer = wfs.valid(wfs.post(transaction(body)), real_data)
    assert answer.text("//wfs:totalReplaced") == "1"
    assert answer.text("//wfs:ReplaceResults/wfs:Feature/fes:ResourceId/@rid") == one
    found = row(demo_store, one)
    assert (found.name, found.variety, found.geom is None) == ("Vùng thay", None, False)


def test_a_feature_fetched_and_sent_back_replaces_itself(wfs, one) -> None:
    fetched = wfs.get("GetFeature", TYPENAMES="growing_areas", RESOURCEID=one)
    (feature,) = fetched.all("//app:growing_areas")
    answer = wfs.post(
        transaction(f"<wfs:Replace>{etree.tostring(feature).decode()}{by_id(one)}</wfs:Replace>")
    )
    assert answer.text("//wfs:totalReplaced") == "1", answer.body
    again = wfs.get("GetFeature", TYPENAMES="growing_areas", RESOURCEID=one)
    values = {e.tag: e.text for e in feature if e.text}
    kept = {e.tag: e.text for e in again.all("//app:growing_areas")[0] if e.text}
    changing = {f"{{{NAMES['app']}}}{n}" for n in ("version", "updated_at")}
    assert {k: v for k, v in kept.items() if k not in changing} == {
        k: v for k, v in values.items() if k not in changing
    }


def test_a_replacement_must_name_one_feature(wfs, place) -> None:
    two = '<fes:Filter><fes:ResourceId rid="growing_areas.1"/><fes:ResourceId rid="growing_areas.2"/></fes:Filter>'
    wfs.post(transaction(f"<wfs:Replace>{area(place)}{two}</wfs:Replace>")).shows(400, "InvalidValue")


def test_a_deleted_feature_is_gone_and_its_id_is_not_used_again(wfs, real_data, one, place) -> None:
    body = f'<wfs:Delete typeName="app:growing_areas">{by_id(one)}</wfs:Delete>'
    answer = wfs.valid(wfs.post(transaction(body)), real_data)
    assert answer.text("//wfs:totalDeleted") == "1"
    wfs.get("GetFeature", STOREDQUERY_ID=BY_ID, ID=one).shows(404, "NotFound")
    (newer,) = inserted(wfs.post(transaction(f"<wfs:Insert>{area(place)}</wfs:Insert>")))
    assert int(newer.partition(".")[2]) > int(one.partition(".")[2])
    again = wfs.post(transaction(body))
    again.shows(403, "OperationProcessingFailed")


def test_a_deletion_without_a_filter_is_refused(wfs) -> None:
    wfs.post(transaction('<wfs:Delete typeName="app:growing_areas"/>')).shows(
        400, "MissingParameterValue", "Filter"
    )


def test_foreign_actions_are_refused_unless_they_may_be_ignored(wfs) -> None:
    native = '<wfs:Native vendorId="x" safeToIgnore="{}">DROP TABLE</wfs:Native>'
    wfs.post(transaction(native.format("false"))).shows(400, "OperationNotSupported")
    assert wfs.post(transaction(native.format("true"))).kind == "TransactionResponse"


def test_all_actions_of_a_transaction_are_kept_or_none(wfs, one, place, demo_store) -> None:
    with demo_store.reading() as session:
        before = revisions(session)
    body = (
        f"<wfs:Insert>{area(place)}</wfs:Insert>"
        f'<wfs:Delete typeName="app:growing_areas">{by_id(one)}</wfs:Delete>'
        '<wfs:Delete typeName="app:growing_areas" handle="cuối"><fes:Filter>'
        '<fes:ResourceId rid="growing_areas.99999999"/></fes:Filter></wfs:Delete>'
    )
    answer = wfs.post(transaction(body))
    answer.shows(403, "OperationProcessingFailed", "cuối")
    assert row(demo_store, one) is not None
    with demo_store.reading() as session:
        assert revisions(session) == before


# ---- rights


def test_a_stranger_is_asked_for_a_name(app) -> None:
    answer = Wfs(app).post(transaction('<wfs:Delete typeName="app:communes"/>'))
    answer.shows(401, "NoApplicableCode")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert Wfs(app).post(transaction("", "1.0.0")).status == 401


@pytest.mark.parametrize("role", ["planner", "inspector", "council_member"])
def test_who_only_reads_is_refused(wfs, header_of, place, role) -> None:
    reader = wfs.acting(header_of(role))
    reader.post(transaction(f"<wfs:Insert>{area(place)}</wfs:Insert>")).shows(
        403, "OperationProcessingFailed"
    )


def test_a_commune_officer_edits_at_home_only(wfs, header_of, one, demo_store) -> None:
    with demo_store.reading() as session:
        codes = list(session.scalars(sa.select(Commune.code).order_by(Commune.code)))
    home = row(demo_store, one).commune_id
    with demo_store.reading() as session:
        home_code = session.get(Commune, home).code
    body = (
        '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:ValueReference>variety</wfs:ValueReference>'
        f"<wfs:Value>ST25</wfs:Value></wfs:Property>{by_id(one)}</wfs:Update>"
    )
    stranger = wfs.acting(header_of("commune_officer", next(c for c in codes if c != home_code)))
    stranger.post(transaction(body)).shows(403, "OperationProcessingFailed")
    assert row(demo_store, one).variety is None
    officer = wfs.acting(header_of("commune_officer", home_code))
    assert officer.post(transaction(body)).text("//wfs:totalUpdated") == "1"


# ---- old dialects, as QGIS speaks them


def old_outline(place: shapely.Point) -> str:
    west, south, east, north = square(place)
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return " ".join(f"{x},{y}" for x, y in corners)


def old_area(place: shapely.Point, srs: str) -> str:
    return area(
        place,
        shape=f'<gml:MultiPolygon srsName="{srs}"><gml:polygonMember><gml:Polygon srsName="{srs}">'
        f'<gml:outerBoundaryIs><gml:LinearRing><gml:coordinates cs="," ts=" ">{old_outline(place)}</gml:coordinates>'
        "</gml:LinearRing></gml:outerBoundaryIs></gml:Polygon></gml:polygonMember></gml:MultiPolygon>",
    )


@pytest.mark.parametrize("srs", ["EPSG:4326", "urn:ogc:def:crs:EPSG::4326"])
def test_version_10_inserts_east_before_north_whatever_the_name(
    wfs, real_data, place, demo_store, srs
) -> None:
    answer = wfs.post(transaction(f"<wfs:Insert>{old_area(place, srs)}</wfs:Insert>", "1.0.0"))
    wfs.valid(answer, real_data)
    assert answer.kind == "WFS_TransactionResponse"
    assert answer.all("//wfs1:TransactionResult/wfs1:Status/wfs1:SUCCESS")
    rid = answer.text("//wfs1:InsertResult/ogc:FeatureId/@fid")
    assert row(demo_store, rid).geom.bounds == pytest.approx(square(place))


def test_version_11_inserts_and_counts(wfs, real_data, place, demo_store) -> None:
    shape = surface(place).replace(' gml:id="p"', "")
    answer = wfs.post(transaction(f"<wfs:Insert>{area(place, shape=shape)}</wfs:Insert>", "1.1.0"))
    wfs.valid(answer, real_data)
    assert answer.text("//wfs1:TransactionSummary/wfs1:totalInserted") == "1"
    rid = answer.text("//wfs1:InsertResults/wfs1:Feature/ogc:FeatureId/@fid")
    assert row(demo_store, rid).geom.bounds == pytest.approx(square(place))


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_old_updates_and_deletions(wfs, real_data, one, demo_store, version) -> None:
    selected = f'<ogc:Filter><ogc:FeatureId fid="{one}"/></ogc:Filter>'
    body = (
        '<wfs:Update typeName="app:growing_areas"><wfs:Property><wfs:Name>app:name</wfs:Name><wfs:Value>Đổi cũ'
        f"</wfs:Value></wfs:Property><wfs:Property><wfs:Name>variety</wfs:Name></wfs:Property>{selected}</wfs:Update>"
    )
    answer = wfs.valid(wfs.post(transaction(body, version)), real_data)
    if version == "1.1.0":
        assert answer.text("//wfs1:totalUpdated") == "1"
    assert row(demo_store, one).name == "Đổi cũ"
    delete = f'<wfs:Delete typeName="app:growing_areas">{selected}</wfs:Delete>'
    wfs.valid(wfs.post(transaction(delete, version)), real_data)
    assert row(demo_store, one) is None


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_a_refusal_in_old_versions_is_a_report_that_qgis_shows(wfs, version) -> None:
    body = (
        '<wfs:Delete typeName="app:growing_areas"><ogc:Filter><ogc:FeatureId fid="growing_areas.99999999"/>'
        "</ogc:Filter></wfs:Delete>"
    )
    answer = wfs.post(transaction(body, version))
    assert answer.status == 200
    assert answer.root.prefix is None
    text = answer.text("//*[local-name()='ServiceException' or local-name()='ExceptionText']")
    assert "99999999" in text


def test_a_wrong_password_is_told(app) -> None:
    token = base64.b64encode(b"nobody:nothing-at-all").decode()
    answer = Wfs(app, {"Authorization": f"Basic {token}"}).get("GetCapabilities")
    answer.shows(401, "NoApplicableCode")
