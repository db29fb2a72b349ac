"""What the feature service says of itself: capabilities, versions, schemas, refusals."""

from __future__ import annotations

import pytest
from lxml import etree

from layers import catalogue
from tests.services.wfs_client import APP, NAMES

VERSIONS = ["2.0.2", "2.0.0", "1.1.0", "1.0.0"]
CONSTRAINTS = [
    "ImplementsBasicWFS",
    "ImplementsTransactionalWFS",
    "ImplementsLockingWFS",
    "ImplementsInheritance",
    "ImplementsRemoteResolve",
    "ImplementsResultPaging",
    "ImplementsStandardJoins",
    "ImplementsSpatialJoins",
    "ImplementsTemporalJoins",
    "ImplementsFeatureVersioning",
    "ManageStoredQueries",
]
EDITING = ["Transaction", "LockFeature", "GetFeatureWithLock", "CreateStoredQuery", "DropStoredQuery"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", [None, "province_officer"])
def test_capabilities_of_every_version_are_valid_for_everybody(
    wfs, header_of, real_data, version, role
) -> None:
    caller = wfs.acting(header_of(role)) if role else wfs
    answer = caller.valid(caller.get("GetCapabilities", ACCEPTVERSIONS=version), real_data)
    assert answer.status == 200
    assert answer.root.get("version") == version


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("2.0.0,1.1.0,1.0.0", "2.0.0"),
        ("10.0.0,2.0.0,1.1.0", "2.0.0"),
        ("1.1.0,2.0.0", "1.1.0"),
        ("2.0.2", "2.0.2"),
    ],
)
def test_the_first_acceptable_version_that_is_spoken_is_answered(wfs, asked, spoken) -> None:
    assert wfs.get("GetCapabilities", ACCEPTVERSIONS=asked).root.get("version") == spoken


def test_versions_that_nobody_speaks_are_refused(wfs) -> None:
    wfs.get("GetCapabilities", ACCEPTVERSIONS="3.0.0,9.9.9").shows(400, "VersionNegotiationFailed")


@pytest.mark.parametrize(
    ("asked", "spoken"), [("1.1.0", "1.1.0"), ("1.0.0", "1.0.0"), ("1.0.5", "1.0.0"), ("0.0.1", "1.0.0")]
)
def test_the_old_way_of_negotiation_answers_the_nearest_version_below(wfs, asked, spoken) -> None:
    assert wfs.get("GetCapabilities", VERSION=asked).root.get("version") == spoken


def test_without_a_version_version_2_is_spoken(wfs) -> None:
    answer = wfs.get("GetCapabilities")
    assert answer.root.get("version") == "2.0.0"
    assert answer.root.prefix == "wfs"


def test_negotiation_by_document_is_like_that_by_address(wfs) -> None:
    answer = wfs.post(
        '<GetCapabilities service="WFS" xmlns="http://www.opengis.net/wfs/2.0" '
        'xmlns:ows="http://www.opengis.net/ows/1.1"><ows:AcceptVersions><ows:Version>10.0.0</ows:Version>'
        "<ows:Version>2.0.0</ows:Version><ows:Version>1.1.0</ows:Version></ows:AcceptVersions></GetCapabilities>"
    )
    assert answer.root.get("version") == "2.0.0"
    old = wfs.post('<GetCapabilities service="WFS" version="1.1.0" xmlns="http://www.opengis.net/wfs"/>')
    assert old.root.get("version") == "1.1.0"


def test_a_request_without_service_is_refused(wfs) -> None:
    wfs.get("GetCapabilities", SERVICE=None).shows(400, "MissingParameterValue", "service")
    wfs.post('<GetCapabilities xmlns="http://www.opengis.net/wfs/2.0"/>').shows(
        400, "MissingParameterValue", "service"
    )


def test_a_request_without_operation_or_with_another_service_is_refused(wfs) -> None:
    wfs.get(None).shows(400, "MissingParameterValue", "request")
    wfs.get("GetCapabilities", SERVICE="WMS").shows(400, "InvalidParameterValue", "service")
    wfs.get("Dance").shows(400, "OperationNotSupported", "request")
    wfs.get("GetFeature", VERSION="7.0.0", TYPENAMES="communes").shows(
        400, "InvalidParameterValue", "version"
    )


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_every_conformance_class_is_declared_or_denied(wfs, name) -> None:
    answer = wfs.get("GetCapabilities")
    path = f"//ows:OperationsMetadata/ows:Constraint[@name='{name}']/ows:DefaultValue"
    assert answer.text(path) in ("TRUE", "FALSE")


def test_paging_is_declared_in_the_way_that_qgis_reads(wfs) -> None:
    answer = wfs.get("GetCapabilities")
    constraint = "//ows:OperationsMetadata/ows:Constraint[@name='{}']/ows:DefaultValue"
    assert answer.text(constraint.format("ImplementsResultPaging")) == "TRUE"
    assert int(answer.text(constraint.format("CountDefault"))) >= 1_000


@pytest.mark.parametrize("operation", ["GetFeature", "GetPropertyValue"])
def test_references_are_resolved_locally(wfs, operation) -> None:
    path = f"//ows:Operation[@name='{operation}']/ows:Parameter[@name='resolve']//ows:Value/text()"
    assert "local" in wfs.get("GetCapabilities").all(path)


def test_formats_beside_gml_are_offered_under_the_names_that_clients_know(wfs) -> None:
    answer = wfs.get("GetCapabilities")
    offered = answer.all(
        "//ows:Operation[@name='GetFeature']/ows:Parameter[@name='outputFormat']//ows:Value/text()"
    )
    assert {"application/json", "application/flatgeobuf", "application/gml+xml; version=3.2"} <= set(offered)


@pytest.mark.parametrize(
    "name",
    [
        "ImplementsQuery",
        "ImplementsAdHocQuery",
        "ImplementsResourceId",
        "ImplementsMinStandardFilter",
        "ImplementsStandardFilter",
        "ImplementsMinSpatialFilter",
        "ImplementsSorting",
        "ImplementsMinimumXPath",
    ],
)
def test_the_filters_of_a_basic_service_are_declared(wfs, name) -> None:
    path = f"//fes:Conformance/fes:Constraint[@name='{name}']/ows:DefaultValue"
    assert wfs.get("GetCapabilities").text(path) == "TRUE"


@pytest.mark.parametrize("version", VERSIONS)
def test_who_may_not_edit_is_not_told_about_transactions(wfs, header_of, version) -> None:
    public = wfs.get("GetCapabilities", ACCEPTVERSIONS=version).body.decode()
    planner = wfs.acting(header_of("planner")).get("GetCapabilities", ACCEPTVERSIONS=version).body.decode()
    officer = wfs.acting(header_of("province_officer")).get("GetCapabilities", ACCEPTVERSIONS=version)
    told = "Transaction" if version == "1.0.0" else 'name="Transaction"'
    assert told not in public
    assert told not in planner
    assert told in officer.body.decode()
    if version.startswith("2"):
        for name in EDITING:
            assert f'name="{name}"' not in public
            assert f'name="{name}"' in officer.body.decode()
    elif version == "1.1.0":
        operations = officer.all("//wfs1:FeatureType[wfs1:Name='app:growing_areas']//wfs1:Operation/text()")
        assert {"Insert", "Update", "Delete"} <= set(operations)


def test_every_layer_is_listed_with_its_prefix_declared_where_it_stands(wfs) -> None:
    answer = wfs.get("GetCapabilities")
    listed = answer.all("//wfs:FeatureTypeList/wfs:FeatureType")
    assert [e.findtext("wfs:Name", namespaces=NAMES) for e in listed] == [
        f"app:{la.id}" for la in catalogue.LAYERS
    ]
    for element in listed:
        assert element.nsmap["app"] == APP
        assert element.findtext("wfs:DefaultCRS", namespaces=NAMES) == "urn:ogc:def:crs:EPSG::4326"
        others = [e.text for e in element.findall("wfs:OtherCRS", namespaces=NAMES)]
        assert "urn:ogc:def:crs:EPSG::5897" in others
        assert element.find("ows:WGS84BoundingBox", namespaces=NAMES) is not None


def test_the_prefix_is_written_on_the_feature_type_element_itself(wfs) -> None:
    body = wfs.get("GetCapabilities").body.decode()
    assert f'<wfs:FeatureType xmlns:app="{APP}">' in body


def test_titles_are_in_the_language_of_the_caller(wfs) -> None:
    path = "//wfs:FeatureType[wfs:Name='app:growing_areas']/wfs:Title"
    assert wfs.get("GetCapabilities").text(path) == catalogue.layer("growing_areas").title.vi
    assert wfs.get("GetCapabilities", lang="en").text(path) == catalogue.layer("growing_areas").title.en


def test_sections_are_given_alone_when_asked_for(wfs, real_data) -> None:
    answer = wfs.valid(wfs.get("GetCapabilities", SECTIONS="FeatureTypeList"), real_data)
    assert [etree.QName(e).localname for e in answer.root] == ["FeatureTypeList"]
    wfs.get("GetCapabilities", SECTIONS="Gossip").shows(400, "InvalidParameterValue", "sections")


def test_unchanged_capabilities_are_not_sent_again(wfs) -> None:
    first = wfs.get("GetCapabilities")
    wfs.headers = {"If-None-Match": first.headers["ETag"]}
    assert wfs.get("GetCapabilities").status == 304


# ---- DescribeFeatureType


@pytest.mark.parametrize(("version", "gml"), [("2.0.0", "3.2.1"), ("1.1.0", "3.1.1"), ("1.0.0", "2.1.2")])
def test_without_types_every_type_is_described(wfs, version, gml) -> None:
    answer = wfs.get("DescribeFeatureType", VERSION=version)
    assert answer.status == 200
    assert answer.kind == "schema"
    assert answer.root.get("targetNamespace") == APP
    assert answer.all("/xsd:schema/xsd:element/@name") == [la.id for la in catalogue.LAYERS]
    assert f"/gml/{gml}/" in answer.text("//xsd:import/@schemaLocation")


def test_a_type_is_described_as_qgis_and_gdal_want_it(wfs) -> None:
    answer = wfs.get("DescribeFeatureType", TYPENAMES="app:growing_areas")
    assert answer.all("/xsd:schema/xsd:element/@type") == ["app:growing_areasType"]
    fields = {e.get("name"): e for e in answer.all("//xsd:sequence/xsd:element")}
    assert fields["geom"].get("type") == "gml:MultiSurfacePropertyType"
    assert fields["area_ha"].get("type") == "xsd:double"
    assert "owner_name" not in fields
    assert b"nillable" not in answer.body
    assert not answer.all("//xsd:simpleType")


def test_the_fields_of_officers_are_described_to_officers_only(wfs, header_of) -> None:
    officer = wfs.acting(header_of("province_officer"))
    answer = officer.get("DescribeFeatureType", TYPENAMES="app:growing_areas")
    assert "owner_name" in answer.all("//xsd:sequence/xsd:element/@name")


def test_an_unknown_type_is_refused(wfs) -> None:
    wfs.get("DescribeFeatureType", TYPENAMES="app:unicorns").shows(400, "InvalidParameterValue", "typeNames")
    wfs.get(
        "DescribeFeatureType", TYPENAMES="ns1:communes", NAMESPACES="xmlns(ns1,http://example.org)"
    ).shows(400, "InvalidParameterValue")
    wfs.post(
        '<wfs:DescribeFeatureType service="WFS" version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0" '
        'xmlns:x="http://example.org"><wfs:TypeName>x:Unknown1.Type</wfs:TypeName></wfs:DescribeFeatureType>'
    ).shows(400, "InvalidParameterValue", "typeNames")


@pytest.mark.parametrize(
    "keys",
    [
        {"TYPENAMES": "app:communes"},
        {"TYPENAME": "communes"},
        {"TYPENAMES": "ns7:communes", "NAMESPACES": f"xmlns(ns7,{APP})"},
        {"TYPENAMES": "ns7:communes", "NAMESPACES": f"xmlns(xml,http://www.w3.org/XML),xmlns(ns7,{APP})"},
        {"TYPENAMES": "app:communes", "OUTPUTFORMAT": "application/gml+xml; version=3.2"},
        {"TYPENAMES": "app:communes", "OUTPUTFORMAT": "text/xml"},
    ],
)
def test_a_type_may_be_named_in_every_usual_way(wfs, keys) -> None:
    assert wfs.get("DescribeFeatureType", **keys).all("/xsd:schema/xsd:element/@name") == ["communes"]


def test_another_schema_language_is_refused(wfs) -> None:
    wfs.get("DescribeFeatureType", OUTPUTFORMAT="application/prs.relax-ng").shows(
        400, "InvalidParameterValue", "outputFormat"
    )


# ---- reports


def test_reports_of_old_versions_come_with_200_which_old_clients_need(wfs, real_data) -> None:
    answer = wfs.get("GetFeature", VERSION="1.1.0", TYPENAME="app:unicorns")
    assert answer.status == 200
    assert answer.root.tag == "{http://www.opengis.net/ows}ExceptionReport"
    wfs.valid(answer, real_data)
    answer = wfs.get("GetFeature", VERSION="1.0.0", TYPENAME="app:unicorns")
    assert answer.status == 200
    assert answer.root.tag == "{http://www.opengis.net/ogc}ServiceExceptionReport"
    assert answer.text("//ogc:ServiceException").strip()


def test_a_report_is_valid_and_in_the_language_of_the_caller(wfs, real_data) -> None:
    answer = wfs.valid(wfs.get("DescribeFeatureType", TYPENAMES="app:unicorns", lang="en"), real_data)
    assert answer.root.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


BOMB = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
    '<wfs:GetFeature service="WFS" version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0">'
    '<wfs:Query typeNames="communes"/>&c;</wfs:GetFeature>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'
    '<wfs:GetFeature service="WFS" version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0">'
    '<wfs:StoredQuery id="&secret;"/></wfs:GetFeature>'
)
DEEP = (
    '<wfs:GetFeature service="WFS" version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0" '
    'xmlns:fes="http://www.opengis.net/fes/2.0"><wfs:Query typeNames="communes"><fes:Filter>'
    + "<fes:Not>" * 200
    + '<fes:ResourceId rid="communes.1"/>'
    + "</fes:Not>" * 200
    + "</fes:Filter></wfs:Query></wfs:GetFeature>"
)
LONG = (
    '<wfs:GetFeature service="WFS" version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0" '
    'xmlns:fes="http://www.opengis.net/fes/2.0"><wfs:Query typeNames="communes"><fes:Filter><fes:Or>'
    + "<fes:PropertyIsNull><fes:ValueReference>name</fes:ValueReference></fes:PropertyIsNull>" * 20_000
    + "</fes:Or></fes:Filter></wfs:Query></wfs:GetFeature>"
)


@pytest.mark.parametrize("document", [BOMB, OUTSIDE, DEEP, LONG, "<not-closed>", "plain text", "\x00<a/>"])
def test_hostile_and_broken_documents_are_refused(wfs, document) -> None:
    answer = wfs.post(document)
    answer.shows(400, "OperationParsingFailed")
    assert b"ha" * 60 not in answer.body


def test_a_fault_of_ours_is_a_report_without_details(wfs, monkeypatch) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("services.wfs.views.feature_type_schema", fail)
    answer = wfs.get("DescribeFeatureType")
    answer.shows(500, "NoApplicableCode")
    assert b"secret" not in answer.body
