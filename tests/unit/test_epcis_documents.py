"""EPCIS documents: what the standard allows, one clear sentence for what it does not, and lenient reading."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from data.traceability import documents, epcisschema, valuerepairs
from gis.errors import Refusal
from webmap.cli import main

GS1_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
LOT = "https://id.gs1.org/01/04012345111118/10/L01"
JAR = "urn:epc:id:sgtin:4012345.011111.9876"
BOX = "urn:epc:id:sscc:4012345.0111111111"
BASE = {"eventTime": "2026-05-06T07:08:09+07:00", "eventTimeZoneOffset": "+07:00"}

EVENTS: dict[str, dict[str, Any]] = {
    "ObjectEvent": {
        **BASE,
        "type": "ObjectEvent",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [JAR],
        "quantityList": [{"epcClass": LOT, "quantity": 12.5, "uom": "KGM"}],
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
        "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00000"}],
        "bizTransactionList": [{"type": "testres", "bizTransaction": "urn:ocop:report:12"}],
        "ilmd": {"ocop:lotNumber": "L01"},
        "ocop:test": {"report": "12", "results": [{"analyte": "Pb"}]},
        "sensorElementList": [
            {
                "sensorMetadata": {"time": "2026-05-06T07:00:00+07:00"},
                "sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}],
            }
        ],
    },
    "AggregationEvent": {
        **BASE,
        "type": "AggregationEvent",
        "action": "ADD",
        "parentID": BOX,
        "childEPCs": [JAR],
    },
    "AssociationEvent": {
        **BASE,
        "type": "AssociationEvent",
        "action": "ADD",
        "parentID": BOX,
        "childEPCs": [JAR],
    },
    "TransactionEvent": {
        **BASE,
        "type": "TransactionEvent",
        "action": "ADD",
        "bizTransactionList": [{"bizTransaction": "urn:ocop:invoice:1"}],
        "epcList": [JAR],
    },
    "TransformationEvent": {
        **BASE,
        "type": "TransformationEvent",
        "inputQuantityList": [{"epcClass": "urn:ocop:area:7", "quantity": 40, "uom": "KGM"}],
        "outputQuantityList": [{"epcClass": LOT, "quantity": 12.5, "uom": "KGM"}],
    },
}


def document(*events: Any, **changes: Any) -> dict[str, Any]:
    """An EPCIS document that holds the events."""
    return {
        "@context": [GS1_CONTEXT, {"ocop": "urn:ocop:terms:"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-06T08:00:00+07:00",
        "epcisBody": {"eventList": list(events)},
        **changes,
    }


def query_document(*events: Any) -> dict[str, Any]:
    """The answer of a query that holds the events."""
    results = {"queryName": "Q", "resultsBody": {"eventList": list(events)}}
    return {
        "@context": [GS1_CONTEXT, {"ocop": "urn:ocop:terms:"}],
        "type": "EPCISQueryDocument",
        "epcisBody": {"queryResults": results},
    }


def changed(event: str, **changes: Any) -> dict[str, Any]:
    """A valid event with fields set, or removed where the value is ... ."""
    found = {**copy.deepcopy(EVENTS[event]), **changes}
    return {name: value for name, value in found.items() if value is not ...}


# ---- what is valid


def test_the_schema_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(epcisschema.schema())


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_of_each_type_is_valid_in_every_kind_of_document(event: str) -> None:
    one = EVENTS[event]
    alone = {**one, "@context": [GS1_CONTEXT, {"ocop": "urn:ocop:terms:"}]}
    for held in (document(one), query_document(one, one), alone, [one, one]):
        assert documents.faults(held) == []


VALID: dict[str, dict[str, Any]] = {
    "sensor data at a place without goods": changed(
        "ObjectEvent", epcList=..., quantityList=..., action="OBSERVE", ilmd=...
    ),
    "a quantity of unknown size": changed("ObjectEvent", quantityList=[{"epcClass": LOT}]),
    "an own step as a URI": changed("ObjectEvent", bizStep="urn:ocop:step:say"),
    "an own step with a prefix": changed("ObjectEvent", bizStep="ocop:say"),
    "no children when all is unpacked": changed("AggregationEvent", action="DELETE", childEPCs=...),
    "an observed heap without a parent": changed("AggregationEvent", action="OBSERVE", parentID=...),
    "an input that comes later": changed(
        "TransformationEvent", transformationID="urn:ocop:run:1", inputQuantityList=...
    ),
    "a transaction that ends for all": changed("TransactionEvent", action="DELETE", epcList=...),
    "two certificates": changed("ObjectEvent", certificationInfo=["https://example.org/a", "urn:b:c"]),
    "a declaration of error": changed(
        "ObjectEvent",
        errorDeclaration={
            "declarationTime": "2026-05-07T00:00:00Z",
            "reason": "incorrect_data",
            "correctiveEventIDs": ["urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518"],
            "ocop:who": "KCS",
        },
    ),
    "a standing disposition of a carton": changed(
        "AggregationEvent", persistentDisposition={"set": ["recalled"]}
    ),
    "a later kind of measurement": changed(
        "ObjectEvent", sensorElementList=[{"sensorReport": [{"type": "Molar_concentration", "value": 1}]}]
    ),
    "an extension under its whole URI": changed("ObjectEvent", **{"https://example.org/x": 1}),
    "a prefix declared in the event": changed("ObjectEvent", **{"@context": {"a": "urn:a:"}, "a:b": 1}),
    "an event type of another house": {**BASE, "type": "https://example.org/CustomEvent", "anything": 1},
    "an offset of fourteen hours": changed("ObjectEvent", eventTimeZoneOffset="+14:00"),
    "an EPC of a scheme that is not GS1's": changed(
        "ObjectEvent", epcList=["urn:epc:id:adi:2S194.12345ABC.X"]
    ),
    "a pattern with two stars": changed(
        "ObjectEvent", quantityList=[{"epcClass": "urn:epc:idpat:sgtin:4012345.*.*"}]
    ),
}


@pytest.mark.parametrize("event", VALID.values(), ids=VALID)
def test_what_the_standard_allows_has_no_fault(event: dict[str, Any]) -> None:
    assert documents.faults(document(event)) == []


def test_prefixes_may_be_declared_in_a_context_that_is_elsewhere() -> None:
    event = changed("ObjectEvent", **{"abc:d": 1})
    assert documents.faults(document(event))
    assert (
        documents.faults(document(event, **{"@context": [GS1_CONTEXT, "https://example.org/c.jsonld"]})) == []
    )


# ---- what is not

Q = {"epcClass": LOT, "quantity": 1}
SENSOR = {"type": "Temperature", "value": 1}


def sensed(**report: Any) -> dict[str, Any]:
    """An event with one sensor report."""
    return changed("ObjectEvent", sensorElementList=[{"sensorReport": [{**SENSOR, **report}]}])


INVALID: dict[str, tuple[dict[str, Any], str, str]] = {
    "a slip in a step": (changed("ObjectEvent", bizStep="comissioning"), ".bizStep", "“commissioning”"),
    "a step in other letters": (
        changed("ObjectEvent", bizStep="Retail Selling"),
        ".bizStep",
        "“retail_selling”",
    ),
    "a step of no vocabulary": (changed("ObjectEvent", bizStep="sao chè"), ".bizStep", "từ vựng bizStep"),
    "a step of the older vocabulary": (
        changed("ObjectEvent", bizStep="urn:epcglobal:cbv:bizstep:packing"),
        ".bizStep",
        "từ trần của CBV trong JSON: “packing”",
    ),
    "a step as GS1's web word": (
        changed("ObjectEvent", bizStep="https://ns.gs1.org/cbv/BizStep-packing"),
        ".bizStep",
        "“packing”",
    ),
    "a step that is a number": (changed("ObjectEvent", bizStep=5), ".bizStep", "chuỗi ký tự"),
    "a disposition of no vocabulary": (
        changed("ObjectEvent", disposition="in_transitt"),
        ".disposition",
        "“in_transit”",
    ),
    "no type": (changed("ObjectEvent", type=...), "", "“type”"),
    "a slip in the type": (changed("ObjectEvent", type="ObjectEvnt"), ".type", "ObjectEvent"),
    "no time": (changed("ObjectEvent", eventTime=...), "", "“eventTime”"),
    "no offset": (changed("ObjectEvent", eventTimeZoneOffset=...), "", "“eventTimeZoneOffset”"),
    "no action": (changed("ObjectEvent", action=...), "", "“action”"),
    "a time without zone": (changed("ObjectEvent", eventTime="2026-05-06T07:08:09"), ".eventTime", "múi giờ"),
    "a day for a time": (changed("ObjectEvent", eventTime="2026-05-06"), ".eventTime", "RFC 3339"),
    "a month too many": (changed("ObjectEvent", eventTime="2026-13-06T07:08:09Z"), ".eventTime", "RFC 3339"),
    "a record time in words": (changed("ObjectEvent", recordTime="hôm qua"), ".recordTime", "RFC 3339"),
    "a short offset": (changed("ObjectEvent", eventTimeZoneOffset="+7"), ".eventTimeZoneOffset", "+07:00"),
    "an offset off the globe": (
        changed("ObjectEvent", eventTimeZoneOffset="+14:30"),
        ".eventTimeZoneOffset",
        "+14:00",
    ),
    "an action in small letters": (changed("ObjectEvent", action="add"), ".action", "ADD, OBSERVE, DELETE"),
    "an event of nothing": (
        changed("ObjectEvent", epcList=..., quantityList=..., sensorElementList=...),
        "",
        "ObjectEvent phải có epcList",
    ),
    "sensors without a place": (
        changed("ObjectEvent", epcList=..., quantityList=..., readPoint=...),
        "",
        "readPoint",
    ),
    "an EPC that is no URI": (changed("ObjectEvent", epcList=["9876"]), ".epcList[0]", "không phải URI"),
    "an EPC with letters of Vietnamese": (
        changed("ObjectEvent", epcList=["urn:lô:1"]),
        ".epcList[0]",
        "không phải URI",
    ),
    "one EPC twice": (changed("ObjectEvent", epcList=[JAR, JAR]), ".epcList", "lặp lại"),
    "an EPC outside a list": (changed("ObjectEvent", epcList=JAR), ".epcList", "danh sách"),
    "an EPC that breaks its scheme": (
        changed("ObjectEvent", epcList=["urn:epc:id:sgtin:1.2.3"]),
        ".epcList[0]",
        "sgtin",
    ),
    "a Digital Link with a wrong check digit": (
        changed("ObjectEvent", epcList=["https://id.gs1.org/01/04012345111117/21/1"]),
        ".epcList[0]",
        "Digital Link",
    ),
    "master data of an observed lot": (
        changed("ObjectEvent", action="OBSERVE"),
        ".action",
        "ilmd chỉ được có",
    ),
    "master data without a prefix": (
        changed("ObjectEvent", ilmd={"lotNumber": "1"}),
        ".ilmd.lotNumber",
        "tiền tố",
    ),
    "a field of no standard": (
        changed("ObjectEvent", farmer="A"),
        ".farmer",
        "“farmer” không có trong ObjectEvent",
    ),
    "a field in other letters": (changed("ObjectEvent", BizStep="packing"), ".BizStep", "có lẽ là “bizStep”"),
    "a prefix that nobody declared": (changed("ObjectEvent", **{"abc:d": 1}), "['abc:d']", "“abc”"),
    "a name that is no URI": (changed("ObjectEvent", **{"ghi chú: a": 1}), "", "Tên trường"),
    "a prefix undeclared in a place": (
        changed("ObjectEvent", readPoint={"id": "urn:a:b", "abc:d": 1}),
        ".readPoint['abc:d']",
        "“abc”",
    ),
    "children of an object": (
        changed("ObjectEvent", childEPCs=[JAR]),
        ".childEPCs",
        "không có trong ObjectEvent",
    ),
    "a quantity as text": (
        changed("ObjectEvent", quantityList=[{**Q, "quantity": "1"}]),
        ".quantityList[0].quantity",
        "con số",
    ),
    "a unit that people say": (
        changed("ObjectEvent", quantityList=[{**Q, "uom": "kg"}]),
        ".quantityList[0].uom",
        "KGM",
    ),
    "a quantity of nothing": (
        changed("ObjectEvent", quantityList=[{"quantity": 1}]),
        ".quantityList[0]",
        "“epcClass”",
    ),
    "more in a quantity than is allowed": (
        changed("ObjectEvent", quantityList=[{**Q, "ocop:x": 1}]),
        ".quantityList[0]['ocop:x']",
        "epcClass, quantity, uom",
    ),
    "a place as text": (changed("ObjectEvent", readPoint="urn:a:b"), ".readPoint", "đối tượng"),
    "a place without a name": (changed("ObjectEvent", bizLocation={}), ".bizLocation", "“id”"),
    "a place that is no URI": (
        changed("ObjectEvent", bizLocation={"id": "kho"}),
        ".bizLocation.id",
        "không phải URI",
    ),
    "a source without its type": (
        changed("ObjectEvent", sourceList=[{"source": "urn:a:b"}]),
        ".sourceList[0]",
        "“type”",
    ),
    "a source of an unknown type": (
        changed("ObjectEvent", sourceList=[{"type": "owner", "source": "urn:a:b"}]),
        ".sourceList[0].type",
        "owning_party",
    ),
    "a destination among the sources": (
        changed("ObjectEvent", sourceList=[{"type": "location", "destination": "urn:a:b"}]),
        ".sourceList[0]",
        "“source”",
    ),
    "a transaction of an unknown type": (
        changed("ObjectEvent", bizTransactionList=[{"type": "invoice", "bizTransaction": "urn:a:b"}]),
        ".bizTransactionList[0].type",
        "bizTransactionType",
    ),
    "a certificate that is a number": (
        changed("ObjectEvent", certificationInfo=42),
        ".certificationInfo",
        "con số",
    ),
    "an error declared without a time": (
        changed("ObjectEvent", errorDeclaration={}),
        ".errorDeclaration",
        "declarationTime",
    ),
    "an error for an unknown reason": (
        changed(
            "ObjectEvent", errorDeclaration={"declarationTime": "2026-05-07T00:00:00Z", "reason": "oops"}
        ),
        ".errorDeclaration.reason",
        "did_not_occur",
    ),
    "a standing disposition of nothing": (
        changed("ObjectEvent", persistentDisposition={}),
        ".persistentDisposition",
        "“set” hoặc “unset”",
    ),
    "a standing disposition outside a list": (
        changed("ObjectEvent", persistentDisposition={"set": "recalled"}),
        ".persistentDisposition.set",
        "danh sách",
    ),
    "a report of an unknown measure": (
        sensed(type="Temprature"),
        ".sensorElementList[0].sensorReport[0].type",
        "“Temperature”",
    ),
    "a report without a measure": (
        changed("ObjectEvent", sensorElementList=[{"sensorReport": [{"value": 1}]}]),
        ".sensorElementList[0].sensorReport[0]",
        "“type”",
    ),
    "a measured value as text": (sensed(value="1"), ".sensorElementList[0].sensorReport[0].value", "con số"),
    "hexadecimal of other letters": (
        sensed(hexBinaryValue="xyz"),
        ".sensorElementList[0].sensorReport[0].hexBinaryValue",
        "thập lục phân",
    ),
    "a yes in words": (
        sensed(booleanValue="yes"),
        ".sensorElementList[0].sensorReport[0].booleanValue",
        "true hoặc false",
    ),
    "sensors without reports": (
        changed("ObjectEvent", sensorElementList=[{"sensorReport": []}]),
        ".sensorElementList[0].sensorReport",
        "không được rỗng",
    ),
    "a carton without its number": (changed("AggregationEvent", parentID=...), "", "phải có parentID"),
    "an empty carton": (changed("AggregationEvent", childEPCs=[]), "", "AggregationEvent phải có childEPCs"),
    "a label on nothing": (changed("AssociationEvent", parentID=...), "", "“parentID”"),
    "a label without children": (
        changed("AssociationEvent", childEPCs=...),
        "",
        "AssociationEvent phải có childEPCs",
    ),
    "a sale without papers": (
        changed("TransactionEvent", bizTransactionList=...),
        "",
        "“bizTransactionList”",
    ),
    "a sale with no paper in the list": (
        changed("TransactionEvent", bizTransactionList=[]),
        ".bizTransactionList",
        "không được rỗng",
    ),
    "a sale of nothing": (changed("TransactionEvent", epcList=...), "", "TransactionEvent phải có epcList"),
    "a run with an action": (changed("TransformationEvent", action="ADD"), ".action", "không có “action”"),
    "a run without output": (changed("TransformationEvent", outputQuantityList=...), "", "cả đầu vào"),
    "a run without output under its number": (
        changed(
            "TransformationEvent", transformationID="urn:a:b", outputQuantityList=..., inputQuantityList=[]
        ),
        "",
        "transformationID",
    ),
}


@pytest.mark.parametrize(("event", "place", "told"), INVALID.values(), ids=INVALID)
def test_what_the_standard_forbids_is_told_where_it_is(event: dict[str, Any], place: str, told: str) -> None:
    good = EVENTS["AggregationEvent"]
    for held, before in (
        (document(good, event), "$.epcisBody.eventList[1]"),
        (query_document(good, event), "$.epcisBody.queryResults.resultsBody.eventList[1]"),
    ):
        found = [fault for fault in documents.faults(held) if told in fault.sentence]
        assert found, [str(fault) for fault in documents.faults(held)]
        assert found[0].path == before + place
        assert found[0].event == 2
        assert found[0].sentence.startswith("Sự kiện 2: ")


@pytest.mark.parametrize(
    "name", ["a slip in a step", "a quantity as text", "an event of nothing", "a run with an action"]
)
def test_one_mistake_is_told_once(name: str) -> None:
    assert len(documents.faults(document(INVALID[name][0]))) == 1


WRONG_FRAMES: dict[str, tuple[Any, str]] = {
    "nothing": (None, "đối tượng"),
    "a text": ("x", "đối tượng"),
    "an empty object": ({}, "“type”"),
    "no context": (document(**{"@context": None}), "@context"),
    "a context that is no address": (document(**{"@context": ["x y"]}), "không phải URI"),
    "no version": ({k: v for k, v in document().items() if k != "schemaVersion"}, "“schemaVersion”"),
    "a version in words": (document(schemaVersion="two"), "phiên bản"),
    "no date": ({k: v for k, v in document().items() if k != "creationDate"}, "“creationDate”"),
    "a body that is a list": (document(epcisBody=[]), "đối tượng"),
    "no list of events": (document(epcisBody={}), "“eventList”"),
    "events that are one": (document(epcisBody={"eventList": EVENTS["ObjectEvent"]}), "danh sách"),
    "an event that is a number": (document(5), "đối tượng"),
    "a remark": (document(_comment="x"), "“_comment”"),
    "an event alone without context": (EVENTS["AggregationEvent"], "@context"),
    "a query without a name": (
        {**query_document(), "epcisBody": {"queryResults": {"resultsBody": {"eventList": []}}}},
        "“queryName”",
    ),
}


@pytest.mark.parametrize(("held", "told"), WRONG_FRAMES.values(), ids=WRONG_FRAMES)
def test_what_is_wrong_around_the_events_is_told(held: Any, told: str) -> None:
    found = documents.faults(held)
    assert any(told in fault.sentence for fault in found), [str(fault) for fault in found]


def test_faults_of_a_list_count_its_events() -> None:
    (fault,) = documents.faults([EVENTS["AggregationEvent"], changed("AggregationEvent", bizStep="packin")])
    assert (fault.path, fault.event) == ("$[1].bizStep", 2)


def test_a_hundred_faults_are_enough() -> None:
    found = documents.faults(document(*[changed("AggregationEvent", bizStep="packin")] * 150))
    assert len(found) == 101
    assert found[-1].sentence.startswith("Còn lỗi nữa")


# ---- limits and reading


def nested(levels: int) -> Any:
    """An object in an object, so many times."""
    held: Any = 1
    for _ in range(levels):
        held = {"ocop:x": held}
    return held


@pytest.mark.parametrize("ask", [documents.faults, documents.events_of, documents.repaired])
def test_what_is_too_deep_or_too_long_is_refused(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(documents.TooLarge, match="40 tầng"):
        ask(document(changed("ObjectEvent", **{"ocop:x": nested(100_000)})))
    with pytest.raises(documents.TooLarge, match="5001"):
        ask(document(*[EVENTS["AggregationEvent"]] * 5001))
    with pytest.raises(documents.TooLarge, match="5001"):
        ask([EVENTS["AggregationEvent"]] * 5001)
    with pytest.raises(documents.DocumentError, match="Unicode"):
        ask(document(changed("ObjectEvent", **{"ocop:x": "\ud800"})))


UNREADABLE = {
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?><epcis:EPCISDocument/>', "XML"),
    "half a document": (b'{"type": ', "dòng 1"),
    "another encoding": ("lô".encode("utf-16"), "UTF-8"),
    "no number": (b'{"a": NaN}', "NaN"),
    "a number without end": (b"9" * 5000, "quá lớn"),
    "a number beyond all": (b'{"a": 1e999}', "quá lớn"),
    "many brackets": (b"[" * 200_000, "tầng"),
    "too many letters": (b" " * 10_000_001, "10 MB"),
}


@pytest.mark.parametrize(("data", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_in_a_sentence(data: bytes, told: str) -> None:
    with pytest.raises(documents.DocumentError, match=told) as refused:
        documents.parsed(data)
    assert isinstance(refused.value, Refusal)


def test_json_is_read_from_bytes_and_text_with_and_without_mark() -> None:
    for data in (b'{"a": 1}', b'\xef\xbb\xbf{"a": 1}', '{"a": 1}', '\ufeff{"a": 1}'):
        assert documents.parsed(data) == {"a": 1}


def test_events_come_with_the_context_that_they_share() -> None:
    events = list(EVENTS.values())
    context = [GS1_CONTEXT, {"ocop": "urn:ocop:terms:"}]
    assert documents.events_of(document(*events)) == (events, context)
    assert documents.events_of(query_document(*events)) == (events, context)
    assert documents.events_of({**events[0], "@context": GS1_CONTEXT}) == ([events[0]], [GS1_CONTEXT])
    assert documents.events_of(events) == (events, [])


@pytest.mark.parametrize("held", [None, 5, "x", [1], document(5)])
def test_what_holds_no_events_is_refused(held: Any) -> None:
    with pytest.raises(documents.DocumentError):
        documents.events_of(held)


# ---- lenient reading

LENIENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "older words": (
        {
            "bizStep": "urn:epcglobal:cbv:bizstep:packing",
            "disposition": "https://ns.gs1.org/cbv/Disp-in_progress",
        },
        {"bizStep": "packing", "disposition": "in_progress"},
    ),
    "words in other letters": (
        {"bizStep": "Stock-Taking", "action": "add"},
        {"bizStep": "stock_taking", "action": "ADD"},
    ),
    "no offset": ({"eventTimeZoneOffset": ...}, {"eventTimeZoneOffset": "+07:00"}),
    "a loose offset": ({"eventTimeZoneOffset": "UTC+7"}, {"eventTimeZoneOffset": "+07:00"}),
    "a loose time": ({"eventTime": "2026-05-06 07:08+0700"}, {"eventTime": "2026-05-06T07:08:00+07:00"}),
    "a time that leaves its zone to the offset": (
        {"eventTime": "2026-05-06T07:08:09"},
        {"eventTime": "2026-05-06T07:08:09+07:00"},
    ),
    "one thing for a list": ({"childEPCs": JAR}, {"childEPCs": [JAR]}),
    "a list as XML has it": (
        {"childQuantityList": {"quantityElement": {"epcClass": LOT, "quantity": 2}}},
        {"childQuantityList": [{"epcClass": LOT, "quantity": 2}]},
    ),
    "a decimal comma": (
        {"childQuantityList": [{"epcClass": LOT, "quantity": "12,5", "uom": "kg"}]},
        {"childQuantityList": [{"epcClass": LOT, "quantity": 12.5, "uom": "KGM"}]},
    ),
    "a remark in a quantity": (
        {"childQuantityList": [{"epcClass": LOT, "_comment": "x", "ocop:y": 1}]},
        {"childQuantityList": [{"epcClass": LOT}]},
    ),
    "a place as text": ({"readPoint": "urn:a:b"}, {"readPoint": {"id": "urn:a:b"}}),
    "fields of nothing": ({"bizLocation": None, "bizStep": ""}, {}),
    "remarks": ({"_comment": "x", "#note": "y", "comment": "z"}, {}),
    "a field in other letters": ({"BizStep": "packing"}, {"bizStep": "packing"}),
    "a field of no standard": ({"farmer": "A"}, {"import:farmer": "A"}),
    "a field of no standard with marks": ({"ghi chú": "A"}, {"import:ghi%20ch%C3%BA": "A"}),
    "a bare UUID": (
        {"eventID": "FD338495-0e6d-41dd-afee-a862ecd32518"},
        {"eventID": "urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518"},
    ),
    "spaces around a URI": ({"parentID": f" {BOX} "}, {"parentID": BOX}),
    "Vietnamese in a URI": (
        {"certificationInfo": "https://example.vn/chứng"},
        {"certificationInfo": "https://example.vn/ch%E1%BB%A9ng"},
    ),
    "a standing disposition": (
        {"persistentDisposition": {"set": "Recalled"}},
        {"persistentDisposition": {"set": ["recalled"]}},
    ),
    "an undeclared prefix": ({"abc:d": 1}, {"abc:d": 1}),
    "an older name of the type": ({"type": ..., "isA": "aggregationEvent"}, {}),
}


@pytest.mark.parametrize(("given", "wanted"), LENIENT.values(), ids=LENIENT)
def test_what_looser_programs_write_is_put_right_and_told(
    given: dict[str, Any], wanted: dict[str, Any]
) -> None:
    event = changed("AggregationEvent", **given)
    expected = {name: value for name, value in EVENTS["AggregationEvent"].items()} | wanted
    before = document(EVENTS["AssociationEvent"], event)
    kept = copy.deepcopy(before)
    assert documents.faults(before)
    mended, repairs = documents.repaired(before)
    assert before == kept
    assert mended["epcisBody"]["eventList"] == [EVENTS["AssociationEvent"], expected]
    assert documents.faults(mended) == []
    assert {repair.event for repair in repairs} <= {2, None}
    assert all(repair.path.startswith("$") and "%(" not in repair.sentence for repair in repairs)
    assert documents.repaired(mended) == (mended, [])


def test_epc_urns_stay_as_they_are() -> None:
    mended, _ = documents.repaired(document(changed("AggregationEvent", childEPCs=JAR)))
    assert mended["epcisBody"]["eventList"][0]["childEPCs"] == [JAR]


def test_master_data_goes_under_the_prefix_that_the_standard_has_for_it() -> None:
    event = changed("ObjectEvent", ilmd={"lotNumber": "L01", "màu": "xanh"})
    mended, _ = documents.repaired(document(event))
    assert mended["epcisBody"]["eventList"][0]["ilmd"] == {
        "cbvmda:lotNumber": "L01",
        "import:m%C3%A0u": "xanh",
    }
    assert documents.faults(mended) == []


def test_a_bare_list_of_events_becomes_a_document() -> None:
    mended, repairs = documents.repaired([EVENTS["AggregationEvent"]])
    assert documents.faults(mended) == []
    assert (mended["type"], mended["creationDate"]) == ("EPCISDocument", BASE["eventTime"])
    assert repairs[0].sentence == "Danh sách sự kiện được đặt vào một EPCISDocument."


def test_a_frame_without_type_version_and_date_is_completed() -> None:
    mended, repairs = documents.repaired({"eventList": [EVENTS["AggregationEvent"]]})
    assert documents.faults(mended) == []
    assert {repair.message for repair in repairs}
    mended, _ = documents.repaired({"epcisBody": {"event": EVENTS["AggregationEvent"]}, "schemaVersion": 2.0})
    assert documents.faults(mended) == []


UNKNOWABLE = {
    "a quantity that may be thousands": {"childQuantityList": [{"epcClass": LOT, "quantity": "1.250"}]},
    "a day without a time": {"eventTime": "2026-05-06"},
    "a time without any zone": {"eventTime": "2026-05-06T07:08:09", "eventTimeZoneOffset": ...},
    "a step of no vocabulary": {"bizStep": "sao chè"},
    "a carton without its number": {"parentID": ...},
    "an EPC that is no URI": {"childEPCs": ["9876"]},
}


@pytest.mark.parametrize("change", UNKNOWABLE.values(), ids=UNKNOWABLE)
def test_what_cannot_be_known_is_not_made_up(change: dict[str, Any]) -> None:
    event = changed("AggregationEvent", **change)
    mended, repairs = documents.repaired(document(event))
    assert mended == document(event)
    assert repairs == []
    assert documents.faults(mended)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12,5", 12.5),
        ("12.5", 12.5),
        ("1200", 1200),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1.234.567", 1234567),
        ("1 200,5", 1200.5),
        ("0,125", 0.125),
        ("-3,5", -3.5),
        ("1.234", None),
        ("1,234", None),
        ("1.2.3", None),
        ("1,2.3,4", None),
        ("hai", None),
        ("", None),
    ],
)
def test_numbers_are_read_only_where_one_reading_is_left(text: str, number: float | None) -> None:
    assert valuerepairs.number(text) == number


# ---- the command


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run `ocopmap epcis check` on a document."""

    def check(held: Any, *options: str) -> tuple[int, str]:
        file = tmp_path / "tai-lieu.json"
        file.write_text(
            held if isinstance(held, str) else json.dumps(held, ensure_ascii=False), encoding="utf-8"
        )
        result = CliRunner().invoke(main, ["epcis", "check", str(file), *options])
        return result.exit_code, result.output

    return check


def test_the_command_prints_faults_and_ends_with_one(run: Callable[..., tuple[int, str]]) -> None:
    code, text = run(document(changed("AggregationEvent", bizStep="packin")))
    assert code == 1
    assert "$.epcisBody.eventList[0].bizStep: Sự kiện 1:" in text
    assert "“packing”" in text
    assert run(document(*EVENTS.values()))[0] == 0


def test_the_command_repairs_and_writes(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    target = tmp_path / "da-sua.json"
    code, text = run(document(changed("AggregationEvent", action="add")), "--repair", "--output", str(target))
    assert (code, text.count("Sửa ")) == (0, 1)
    assert documents.faults(json.loads(target.read_text(encoding="utf-8"))) == []


def test_the_command_says_what_it_cannot_read(run: Callable[..., tuple[int, str]]) -> None:
    code, text = run("<epcis/>")
    assert code == 1
    assert "XML" in text
    assert "Traceback" not in text
