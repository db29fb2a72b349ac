"""The event hash: one value for every way of writing the same event, another for every other event."""

from __future__ import annotations

import copy
import hashlib
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.traceability.eventhash import event_hash, pre_hash

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"ocop": "urn:ocop:terms:", "ex": "https://ns.example.org/x/"},
]
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:fd338495-0e6d-41dd-afee-a862ecd32518",
    "eventTime": "2026-05-06T07:08:09+07:00",
    "recordTime": "2026-05-06T07:10:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    "action": "ADD",
    "bizStep": "commissioning",
    "disposition": "active",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/01/04012345111118/21/9877"],
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.Lot987", "quantity": 12.5, "uom": "KGM"}
    ],
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987", "ocop:room": "2"},
    "bizLocation": {"id": "https://id.gs1.org/414/4012345000115"},
    "bizTransactionList": [{"type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:ASN1099"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00000"}],
    "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:4012345.00012.0"}],
    "sensorElementList": [
        {
            "sensorMetadata": {
                "time": "2026-05-06T07:00:00+07:00",
                "deviceID": "urn:epc:id:giai:4000001.111",
            },
            "sensorReport": [
                {"type": "Temperature", "value": 26, "uom": "CEL"},
                {"type": "AbsoluteHumidity", "value": 12.1, "uom": "A93"},
            ],
        }
    ],
    "ilmd": {"cbvmda:lotNumber": "007", "ex:grade": ["A", "B"]},
    "ocop:test": {
        "report": "PKN-12",
        "results": [{"analyte": "Pb", "value": 0.02}, {"analyte": "Cd", "value": 0.01}],
    },
    "errorDeclaration": {"declarationTime": "2026-05-07T00:00:00Z", "reason": "incorrect_data"},
}
# Written by hand from the rules of CBV 2.0; each line is one field, the text has no line breaks.
TEXT = """eventType=ObjectEvent
eventTime=2026-05-06T00:08:09.000Z
eventTimeZoneOffset=+07:00
epcList
epc=https://id.gs1.org/01/04012345111118/21/9876
epc=https://id.gs1.org/01/04012345111118/21/9877
quantityList
quantityElement
epcClass=https://id.gs1.org/01/04012345123456/10/Lot987
quantity=12.5
uom=KGM
action=ADD
bizStep=https://ref.gs1.org/cbv/BizStep-commissioning
disposition=https://ref.gs1.org/cbv/Disp-active
readPoint
id=https://id.gs1.org/414/4012345000115/254/987
{urn:ocop:terms:}room=2
bizLocation
id=https://id.gs1.org/414/4012345000115
sensorElementList
sensorElement
sensorMetadata
time=2026-05-06T00:00:00.000Z
deviceID=https://id.gs1.org/8004/4000001111
sensorReport
type=https://gs1.org/voc/AbsoluteHumidity
value=12.1
uom=A93
sensorReport
type=https://gs1.org/voc/Temperature
value=26
uom=CEL
bizTransactionList
type=https://ref.gs1.org/cbv/BTT-inv
bizTransaction=urn:epcglobal:cbv:bt:4012345000009:ASN1099
destinationList
type=https://ref.gs1.org/cbv/SDT-location
destination=https://id.gs1.org/414/4012345000122
ilmd
{https://ns.example.org/x/}grade=A
{https://ns.example.org/x/}grade=B
{urn:epcglobal:cbv:mda:}lotNumber=007
sourceList
type=https://ref.gs1.org/cbv/SDT-owning_party
source=https://id.gs1.org/417/4012345000009
{urn:ocop:terms:}test
report=PKN-12
resultsanalyte=Cdvalue=0.01
resultsanalyte=Pbvalue=0.02
""".replace("\n", "")


def test_the_text_follows_the_rules_field_by_field() -> None:
    assert pre_hash(EVENT, CONTEXT) == TEXT


def test_the_hash_is_a_named_information_uri_of_the_text() -> None:
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert event_hash(EVENT, CONTEXT) == f"ni:///sha-256;{digest}?ver=CBV2.0"


def turned(value: Any, chance: random.Random) -> Any:
    """The same value with fields and items in another order."""
    if isinstance(value, dict):
        return {name: turned(value[name], chance) for name in chance.sample(list(value), len(value))}
    if isinstance(value, list):
        return [turned(item, chance) for item in chance.sample(value, len(value))]
    return value


@given(chance=st.randoms(use_true_random=False))
def test_the_order_of_fields_and_items_does_not_matter(chance: random.Random) -> None:
    assert event_hash(turned(EVENT, chance), CONTEXT) == event_hash(EVENT, CONTEXT)


EXTENSIONS = st.recursive(
    st.one_of(
        st.text(max_size=8), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200)
@given(extension=EXTENSIONS, chance=st.randoms(use_true_random=False))
def test_any_extension_has_one_hash_whatever_its_order(extension: Any, chance: random.Random) -> None:
    event = {**EVENT, "ex:any": extension}
    assert event_hash(turned(event, chance), CONTEXT) == event_hash(event, CONTEXT)


SAME = {
    "another zone": {"eventTime": "2026-05-06T00:08:09Z"},
    "more digits of the second": {"eventTime": "2026-05-06T07:08:09.00000+07:00"},
    "another record time": {"recordTime": "2027-01-01T00:00:00Z"},
    "another identifier": {"eventID": "urn:uuid:00000000-0000-0000-0000-000000000000"},
    "no declaration of error": {"errorDeclaration": None},
    "the word of the older vocabulary": {"bizStep": "urn:epcglobal:cbv:bizstep:commissioning"},
    "the word as a web address": {"bizStep": "https://ref.gs1.org/cbv/BizStep-commissioning"},
    "the word with a prefix": {"disposition": "cbv:Disp-active"},
    "links of another host": {
        "epcList": [
            "https://shop.example.vn/a/01/04012345111118/21/9876?17=271231",
            "urn:epc:id:sgtin:4012345.011111.9877",
        ]
    },
    "keys in words": {
        "epcList": [
            "https://example.com/gtin/04012345111118/ser/9876",
            "urn:epc:id:sgtin:4012345.011111.9877",
        ]
    },
    "spaces around": {"bizLocation": {"id": " https://id.gs1.org/414/4012345000115 "}},
    "a comment": {"rdfs:comment": "đã đối chiếu"},
    "an extension of nothing": {"ex:none": None},
    "an empty list": {"persistentDisposition": {"set": []}, "childEPCs": []},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_another_way_of_writing_has_the_same_hash(change: dict[str, Any]) -> None:
    event = {name: value for name, value in {**EVENT, **change}.items() if value is not None}
    assert event_hash(event, CONTEXT) == event_hash(EVENT, CONTEXT)


def test_the_name_of_a_prefix_does_not_matter() -> None:
    renamed = {("o:test" if name == "ocop:test" else name): value for name, value in EVENT.items()}
    renamed["readPoint"] = {"id": EVENT["readPoint"]["id"], "o:room": "2"}
    context = [*CONTEXT, {"o": "urn:ocop:terms:"}]
    assert event_hash(renamed, context) == event_hash(EVENT, CONTEXT)


def test_a_field_under_its_whole_uri_is_the_same_field() -> None:
    event = {"type": "ObjectEvent", "urn:ocop:terms:a": "1", "https://ns.example.org/x/b": "2"}
    prefixed = {"type": "ObjectEvent", "ocop:a": "1", "ex:b": "2"}
    assert event_hash(event) == event_hash(prefixed, CONTEXT)


def test_a_context_inside_the_event_counts_like_one_around_it() -> None:
    assert event_hash({**EVENT, "@context": CONTEXT}) == event_hash(EVENT, CONTEXT)


def test_whole_numbers_have_one_spelling() -> None:
    texts = set()
    for quantity in (600, 600.0, 6e2):
        event = copy.deepcopy(EVENT)
        event["quantityList"][0]["quantity"] = quantity
        texts.add(pre_hash(event, CONTEXT))
    assert len(texts) == 1
    assert "quantity=600uom" in texts.pop()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1, "0.1"), (1e-7, "0.0000001"), (-0.0, "0"), (10**20, "1" + "0" * 20), (100, "100")],
)
def test_numbers_are_written_without_exponent_and_trailing_zeros(number: float, text: str) -> None:
    event = {"type": "ObjectEvent", "quantityList": [{"epcClass": "urn:a:b", "quantity": number}]}
    assert pre_hash(event).endswith(f"quantity={text}")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2023-02-02T11:04:03.1415Z", "2023-02-02T11:04:03.142Z"),
        ("2023-02-02T11:04:03.1425Z", "2023-02-02T11:04:03.143Z"),
        ("2023-02-02T11:04:03.1414999Z", "2023-02-02T11:04:03.141Z"),
        ("2023-12-31T23:59:59.9996Z", "2024-01-01T00:00:00.000Z"),
        ("2023-12-31t23:59:60z", "2024-01-01T00:00:00.000Z"),
        ("2024-03-01T02:00:00+07:00", "2024-02-29T19:00:00.000Z"),
        ("2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.100Z"),
        ("hôm qua", "hôm qua"),
    ],
)
def test_times_are_utc_and_half_a_millisecond_goes_up(time: str, text: str) -> None:
    assert pre_hash({"type": "ObjectEvent", "eventTime": time}) == f"eventType=ObjectEventeventTime={text}"


OTHER = {
    "a letter": {"ocop:test": {**EVENT["ocop:test"], "report": "PKN-13"}},
    "leading zeros of a lot": {"ilmd": {**EVENT["ilmd"], "cbvmda:lotNumber": "7"}},
    "a quantity": {"quantityList": [{**EVENT["quantityList"][0], "quantity": 12.6}]},
    "a unit": {"quantityList": [{**EVENT["quantityList"][0], "uom": "GRM"}]},
    "an item less": {"epcList": EVENT["epcList"][:1]},
    "the place": {"readPoint": {"id": EVENT["readPoint"]["id"]}},
    "a millisecond": {"eventTime": "2026-05-06T07:08:09.001+07:00"},
    "the zone of the event": {"eventTimeZoneOffset": "+08:00"},
    "a standing disposition": {"persistentDisposition": {"set": ["recalled"]}},
    "the certificate": {"certificationInfo": "https://example.org/cert/1"},
    "the type": {"type": "TransactionEvent"},
    "a field of our own": {"ex:extra": ""},
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_another_event_has_another_hash(change: dict[str, Any]) -> None:
    assert event_hash({**EVENT, **change}, CONTEXT) != event_hash(EVENT, CONTEXT)


def test_fields_that_a_repository_added_can_be_left_out() -> None:
    event = {**EVENT, "ex:captureID": "17", "ex:hash": "ni:///x"}
    assert event_hash(event, CONTEXT, ignore=["ex:captureID", "ex:hash"]) == event_hash(EVENT, CONTEXT)


def test_hashing_does_not_change_the_event() -> None:
    event = copy.deepcopy(EVENT)
    event_hash(event, CONTEXT)
    assert event == EVENT


@pytest.mark.parametrize("value", [None, 5, "x", [], [1], {}, {"x": [None]}, True])
def test_odd_shapes_are_hashed_all_the_same(value: Any) -> None:
    for name in EVENT:
        assert event_hash({**EVENT, name: value}, value).startswith("ni:///sha-256;")
