"""Asking for events: every parameter, pages, lists, forms, versions, and what each caller sees."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from data.accounts import Role
from data.store import Store
from tests.services.epcis_client import CONTEXT, Epcis, document, event, events_in, without_events

EX = {"ex": "https://ex.example/terms/"}
SGTIN = "urn:epc:id:sgtin:0614141.107346.{}"
LGTIN = "urn:epc:class:lgtin:4012345.012345.{}"
GLN = "urn:epc:id:sgln:0614141.07346.{}"
#: The keys under which tests know the events.
KEYS = ("ship", "make", "pack", "sell", "join", "warm", "wrong")


def _events() -> dict[str, dict[str, Any]]:
    return {
        "ship": event(
            eventTime="2026-03-01T00:00:00Z",
            disposition="in_transit",
            epcList=[SGTIN.format(1), SGTIN.format(2)],
            readPoint={"id": GLN.format(0)},
            bizLocation={"id": GLN.format(7), "ex:room": "A1"},
            bizTransactionList=[{"type": "po", "bizTransaction": "urn:epc:id:gdti:0614141.00001.1618034"}],
            sourceList=[{"type": "possessing_party", "source": "urn:epc:id:pgln:4012345.00225"}],
            destinationList=[
                {"type": "https://ex.example/terms/depot", "destination": "https://ex.example/d/9"}
            ],
            persistentDisposition={"set": ["completeness_verified"], "unset": ["damaged"]},
            certificationInfo="https://ex.example/cert/1",
            **{"ex:temper": "20", "ex:when": "2026-03-02T00:00:00Z", "ex:box": {"ex:inner": ["a", "b"]}},
        ),
        "make": {
            **event(action=None, epcList=None, bizStep="https://ex.example/terms/brew"),
            "type": "TransformationEvent",
            "eventTime": "2026-03-02T00:00:00Z",
            "transformationID": "urn:epc:id:gdti:0614141.00001.77",
            "inputQuantityList": [{"epcClass": LGTIN.format("IN1"), "quantity": 200, "uom": "KGM"}],
            "inputEPCList": [SGTIN.format(50)],
            "outputQuantityList": [{"epcClass": LGTIN.format("OUT1"), "quantity": 150.5, "uom": "KGM"}],
            "outputEPCList": [SGTIN.format(60)],
            "ilmd": {"cbvmda:lotNumber": "OUT1", "ex:note": {"ex:deep": 7}},
        },
        "pack": {
            **event(action="ADD", epcList=None, bizStep="packing"),
            "type": "AggregationEvent",
            "eventTime": "2026-03-03T00:00:00Z",
            "parentID": "urn:epc:id:sscc:0614141.1234567890",
            "childEPCs": [SGTIN.format(60)],
            "childQuantityList": [{"epcClass": LGTIN.format("OUT1"), "quantity": 5}],
        },
        "sell": {
            **event(bizStep="retail_selling", epcList=[SGTIN.format(60)]),
            "type": "TransactionEvent",
            "eventTime": "2026-03-04T00:00:00Z",
            "bizTransactionList": [{"bizTransaction": "https://ex.example/inv/4"}],
        },
        "join": {
            **event(action="ADD", epcList=None, bizStep="assembling"),
            "type": "AssociationEvent",
            "eventTime": "2026-03-05T00:00:00Z",
            "parentID": "urn:epc:id:grai:4012345.55555.987",
            "childEPCs": ["urn:epc:id:giai:4000001.12345"],
        },
        "warm": event(
            eventTime="2026-03-06T00:00:00Z",
            bizStep="sensor_reporting",
            epcList=["urn:epc:id:sgtin:4012345.011111.9876"],
            sensorElementList=[
                {
                    "sensorMetadata": {
                        "time": "2026-03-06T00:00:00Z",
                        "startTime": "2026-03-05T20:00:00Z",
                        "endTime": "2026-03-05T23:00:00Z",
                        "deviceID": "urn:epc:id:giai:4000001.111",
                        "dataProcessingMethod": "https://ex.example/253/4012345000054987",
                        "bizRules": "https://ex.example/rules/1",
                        "ex:probe": "P9",
                    },
                    "sensorReport": [
                        {
                            "type": "Temperature",
                            "value": 26,
                            "minValue": 12.3,
                            "maxValue": 32.5,
                            "meanValue": 13.5,
                            "sDev": 0.9,
                            "percRank": 50,
                            "percValue": 12.7,
                            "uom": "CEL",
                            "stringValue": "ấm",
                            "booleanValue": True,
                            "hexBinaryValue": "f0f0",
                            "uriValue": "https://ex.example/u/1",
                            "microorganism": "https://www.ncbi.nlm.nih.gov/taxonomy/1126011",
                            "chemicalSubstance": "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N",
                        }
                    ],
                    "ex:rack": 3,
                }
            ],
        ),
        "wrong": event(
            eventTime="2026-03-07T00:00:00Z",
            bizStep="inspecting",
            epcList=[SGTIN.format(99)],
            errorDeclaration={
                "declarationTime": "2026-03-08T00:00:00Z",
                "reason": "incorrect_data",
                "correctiveEventIDs": ["urn:uuid:00000000-0000-4000-8000-000000000001"],
                "ex:who": "QC",
            },
        ),
    }


@pytest.fixture
def filled(app: Any, header_of: Callable[..., dict[str, str]]) -> tuple[Epcis, dict[str, str]]:
    """An administrator's view of a handful of events, and the key of each id."""
    without_events(app.extensions["ocop_store"])
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    made = _events()
    answer = admin.post("/capture", document(*made.values(), context=[CONTEXT, EX]))
    job = admin.job(answer)
    assert job["success"], job["errors"]
    return admin, {one["eventID"]: key for key, one in made.items()}


CASES: list[tuple[dict[str, str], set[str]]] = [
    ({"eventType": "AggregationEvent|AssociationEvent"}, {"pack", "join"}),
    ({"GE_eventTime": "2026-03-05T07:00:00+07:00", "LT_eventTime": "2026-03-06T00:00:00Z"}, {"join"}),
    ({"EQ_action": "ADD"}, {"pack", "join"}),
    ({"EQ_bizStep": "shipping|packing"}, {"ship", "pack"}),
    ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}, {"ship"}),
    ({"EQ_bizStep": "https://ex.example/terms/brew"}, {"make"}),
    ({"EQ_bizStep": "ex:brew"}, {"make"}),
    ({"EQ_disposition": "in_transit"}, {"ship"}),
    ({"EQ_persistentDisposition_set": "completeness_verified"}, {"ship"}),
    ({"EQ_persistentDisposition_unset": "damaged"}, {"ship"}),
    ({"EQ_persistentDisposition_set": "damaged"}, set()),
    ({"EQ_readPoint": GLN.format(0)}, {"ship"}),
    ({"EQ_readPoint": "https://id.gs1.org/414/0614141073467"}, {"ship"}),
    ({"EQ_bizLocation": "https://shop.example/414/0614141073467/254/7"}, {"ship"}),
    ({"WD_bizLocation": "https://id.gs1.org/414/0614141073467"}, {"ship"}),
    ({"EQ_bizLocation_ex:room": "A1"}, {"ship"}),
    ({"EQ_transformationID": "urn:epc:id:gdti:0614141.00001.77"}, {"make"}),
    ({"MATCH_epc": SGTIN.format(1)}, {"ship"}),
    ({"MATCH_epc": "https://id.gs1.org/01/10614141073464/21/2"}, {"ship"}),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:0614141.107346.*"}, {"ship", "pack", "sell", "wrong"}),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:0614141.*.*"}, {"ship", "pack", "sell", "wrong"}),
    ({"MATCH_parentID": "urn:epc:id:sscc:0614141.1234567890"}, {"pack"}),
    ({"MATCH_inputEPC": SGTIN.format(50)}, {"make"}),
    ({"MATCH_outputEPC": SGTIN.format(60)}, {"make"}),
    ({"MATCH_anyEPC": SGTIN.format(60)}, {"make", "pack", "sell"}),
    ({"MATCH_epcClass": LGTIN.format("OUT1")}, {"pack"}),
    ({"MATCH_inputEPCClass": LGTIN.format("IN1")}, {"make"}),
    ({"MATCH_outputEPCClass": LGTIN.format("OUT1")}, {"make"}),
    ({"MATCH_anyEPCClass": LGTIN.format("OUT1")}, {"make", "pack"}),
    ({"EQ_quantity": "200"}, {"make"}),
    ({"GT_quantity": "150.5"}, {"make"}),
    ({"GE_quantity": "201"}, set()),
    ({"LT_quantity": "6"}, {"pack"}),
    ({"LE_quantity": "5"}, {"pack"}),
    ({"EQ_quantity_KGM": "200"}, {"make"}),
    ({"EQ_quantity_GRM": "200000"}, {"make"}),
    ({"GE_quantity_TNE": "0.2"}, {"make"}),
    ({"EXISTS_errorDeclaration": "true"}, {"wrong"}),
    ({"GE_errorDeclarationTime": "2026-03-08T00:00:00Z"}, {"wrong"}),
    ({"LT_errorDeclaration_Time": "2026-03-08T00:00:00Z"}, set()),
    ({"EQ_errorReason": "incorrect_data|did_not_occur"}, {"wrong"}),
    ({"EQ_correctiveEventID": "urn:uuid:00000000-0000-4000-8000-000000000001"}, {"wrong"}),
    ({"EQ_ERROR_DECLARATION_ex:who": "QC"}, {"wrong"}),
    ({"EXISTS_sensorElementList": "true"}, {"warm"}),
    ({"EQ_type": "Temperature"}, {"warm"}),
    ({"EQ_deviceID": "urn:epc:id:giai:4000001.111"}, {"warm"}),
    ({"EQ_deviceID": "https://id.gs1.org/8004/4000001111"}, {"warm"}),
    ({"EQ_dataProcessingMethod": "https://ex.example/253/4012345000054987"}, {"warm"}),
    ({"EQ_bizRules": "https://ex.example/rules/1"}, {"warm"}),
    ({"EQ_microorganism": "https://www.ncbi.nlm.nih.gov/taxonomy/1126011"}, {"warm"}),
    ({"EQ_chemicalSubstance": "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N"}, {"warm"}),
    ({"EQ_stringValue": "ấm"}, {"warm"}),
    ({"EQ_booleanValue": "true"}, {"warm"}),
    ({"EQ_booleanValue": "false"}, set()),
    ({"EQ_hexBinaryValue": "f0f0"}, {"warm"}),
    ({"EQ_uriValue": "https://ex.example/u/1"}, {"warm"}),
    ({"GE_value_CEL": "26"}, {"warm"}),
    ({"GT_value_CEL": "26"}, set()),
    ({"EQ_value_CEL": "26"}, {"warm"}),
    ({"EQ_value_FAH": "78.8"}, {"warm"}),
    ({"GE_value_KEL": "299"}, {"warm"}),
    ({"LT_minValue_CEL": "13"}, {"warm"}),
    ({"LE_maxValue_CEL": "32.5"}, {"warm"}),
    ({"GT_meanValue_CEL": "13"}, {"warm"}),
    ({"LT_sDev_CEL": "1"}, {"warm"}),
    ({"LT_sDev_FAH": "1"}, set()),
    ({"GE_percRank": "50"}, {"warm"}),
    ({"LE_percValue_CEL": "12.7"}, {"warm"}),
    ({"GE_startTime": "2026-03-05T20:00:00Z"}, {"warm"}),
    ({"LT_endTime": "2026-03-05T23:00:00Z"}, set()),
    ({"GE_time": "2026-03-06T00:00:00Z"}, {"warm"}),
    ({"EQ_SENSORMETADATA_ex:probe": "P9"}, {"warm"}),
    ({"GT_SENSORELEMENT_ex:rack": "2"}, {"warm"}),
    ({"EQ_bizTransaction_po": "urn:epc:id:gdti:0614141.00001.1618034"}, {"ship"}),
    ({"EQ_bizTransaction_po": "https://id.gs1.org/253/0614141000012" + "1618034"}, {"ship"}),
    ({"EQ_bizTransaction_inv": "urn:epc:id:gdti:0614141.00001.1618034"}, set()),
    ({"EQ_source_possessing_party": "urn:epc:id:pgln:4012345.00225"}, {"ship"}),
    ({"EQ_destination_https://ex.example/terms/depot": "https://ex.example/d/9"}, {"ship"}),
    ({"EQ_destination_ex:depot": "https://ex.example/d/9"}, {"ship"}),
    ({"EQ_certificationInfo": "https://ex.example/cert/1"}, {"ship"}),
    ({"EQ_ex:temper": "20"}, {"ship"}),
    ({"EQ_ex:temper": "20.0"}, {"ship"}),
    ({"EQ_https://ex.example/terms/temper": "20"}, {"ship"}),
    ({"GE_ex:temper": "19.5", "LT_ex:temper": "21"}, {"ship"}),
    ({"GT_ex:when": "2026-03-01T00:00:00Z"}, {"ship"}),
    ({"EXISTS_ex:box": "true"}, {"ship"}),
    ({"EQ_INNER_ex:inner": "b"}, {"ship"}),
    ({"EQ_ILMD_cbvmda:lotNumber": "OUT1"}, {"make"}),
    ({"EQ_INNER_ILMD_ex:deep": "7"}, {"make"}),
    ({"EXISTS_ILMD_ex:note": "true"}, {"make"}),
    ({"EXISTS_INNER_ILMD_ex:deep": "true"}, {"make"}),
    ({"EQ_bizStep": "shipping", "EQ_action": "ADD"}, set()),
    ({"GE_recordTime": "2999-01-01T00:00:00Z"}, set()),
    ({"LT_recordTime": "2000-01-01T00:00:00Z"}, set()),
]


def test_every_parameter_finds_what_it_should_and_nothing_else(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, keys = filled
    for query, expected in CASES:
        asked = {"EQ_eventID": "|".join(keys), **query, "perPage": 1000}
        answer = admin.get("/events", asked, GS1_Extensions="ex=https://ex.example/terms/")
        assert answer.status_code == 200, (query, answer.text)
        found = {keys[one["eventID"]] for one in events_in(answer) if one["eventID"] in keys}
        assert found == expected, query


BAD: list[dict[str, str]] = [
    {"EQ_colour": "red"},
    {"colour": "red"},
    {"eventType": "Teleport"},
    {"EQ_action": "LOOK"},
    {"GE_eventTime": "hôm qua"},
    {"LE_eventTime": "2026-01-01T00:00:00Z"},
    {"GT_quantity": "nhiều"},
    {"EQ_booleanValue": "có"},
    {"EXISTS_errorDeclaration": "có"},
    {"EQ_bizStep": ""},
    {"EQ_unknown:field": "1"},
    {"orderBy": "colour"},
    {"orderBy": "eventTime", "orderDirection": "UP"},
    {"eventCountLimit": "3"},
    {"orderBy": "eventTime", "eventCountLimit": "0"},
    {"orderBy": "eventTime", "eventCountLimit": "3", "maxEventCount": "3"},
    {"MATCH_everything": "urn:x:y"},
    {"HASATTR_ex:a": "b"},
]


@pytest.mark.parametrize("query", BAD)
def test_a_parameter_that_makes_no_sense_is_named_in_one_sentence(
    app: Any, header_of: Callable[..., dict[str, str]], query: dict[str, str]
) -> None:
    answer = Epcis(app, header_of(Role.ADMINISTRATOR)).get("/events", query)
    assert answer.status_code == 400, answer.text
    assert answer.json["type"] == "epcisException:QueryParameterException"
    assert answer.json["parameter"] in query and answer.json["detail"].endswith((".", "…"))


# ---- order, limits, pages


def _walk(caller: Epcis, query: dict[str, Any], **headers: str) -> list[str]:
    answer = caller.get("/events", query, **headers)
    found = [one["eventID"] for one in events_in(answer)]
    while "Link" in answer.headers:
        assert answer.headers["GS1-Next-Page-Token-Expires"].endswith("Z")
        answer = caller.client.get(answer.headers["Link"][1:].partition(">")[0], headers=caller.headers)
        assert answer.status_code == 200, answer.text
        found += [one["eventID"] for one in events_in(answer)]
    return found


@pytest.mark.parametrize("order", ["", "eventTime", "recordTime", "https://ex.example/terms/number"])
def test_pages_in_any_order_hold_every_event_once(
    app: Any, header_of: Callable[..., dict[str, str]], order: str
) -> None:
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    step = "https://ex.example/terms/pages"
    made = [
        event(
            bizStep=step,
            eventTime=f"2026-04-0{1 + n // 3}T00:00:00Z",
            **{"https://ex.example/terms/number": n * 7 % 10} if n % 4 else {},
        )
        for n in range(11)
    ]
    assert admin.capture(*made)["success"]
    query = {"EQ_bizStep": step, "perPage": 3} | ({"orderBy": order} if order else {})
    whole = _walk(admin, query)
    assert sorted(whole) == sorted(one["eventID"] for one in made)
    times = {one["eventID"]: one["eventTime"] for one in made}
    if order == "eventTime":
        assert [times[i] for i in whole] == sorted(times.values(), reverse=True)
        up = _walk(admin, {**query, "orderDirection": "ASC"})
        assert [times[i] for i in up] == sorted(times.values())
    if order.startswith("https:"):
        numbers = {one["eventID"]: one.get(order) for one in made}
        told = [numbers[i] for i in whole if numbers[i] is not None]
        assert told == sorted(told, reverse=True)


def test_a_page_stays_where_it_was_when_events_come_in_between(
    app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    step = "https://ex.example/terms/late"
    made = [event(bizStep=step, eventTime=f"2026-04-0{n}T00:00:00Z") for n in (1, 3, 5)]
    admin.capture(*made)
    query = {"EQ_bizStep": step, "orderBy": "eventTime", "orderDirection": "ASC", "perPage": 2}
    first = admin.get("/events", query)
    admin.capture(event(bizStep=step, eventTime="2026-04-02T00:00:00Z"))
    rest = admin.client.get(first.headers["Link"][1:].partition(">")[0], headers=admin.headers)
    assert [one["eventID"] for one in events_in(rest)] == [made[2]["eventID"]]


def test_the_first_n_are_the_first_n_over_pages(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, keys = filled
    query = {
        "GE_eventTime": "2026-03-01T00:00:00Z",
        "LT_eventTime": "2026-03-08T00:00:00Z",
        "EQ_eventID": "|".join(keys),
        "orderBy": "eventTime",
        "orderDirection": "ASC",
        "eventCountLimit": 5,
        "perPage": 2,
    }
    assert [keys[found] for found in _walk(admin, query)] == list(KEYS[:5])


def test_more_than_the_most_is_refused_as_too_large(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, keys = filled
    ids = "|".join(keys)
    assert len(admin.ids({"EQ_eventID": ids, "maxEventCount": 7})) == 7
    answer = admin.get("/events", {"EQ_eventID": ids, "maxEventCount": 6})
    assert answer.status_code == 413 and answer.json["type"] == "epcisException:QueryTooLargeException"


def test_a_token_works_alone_for_its_owner_and_until_it_is_given_up(
    filled: tuple[Epcis, dict[str, str]], app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    admin, keys = filled
    query = {"EQ_eventID": "|".join(keys), "perPage": 2}
    link = admin.get("/events", query).headers["Link"]
    token = link.partition("nextPageToken=")[2].partition(">")[0]
    assert len(admin.ids({"nextPageToken": token})) == 2
    other = {"nextPageToken": token, "EQ_action": "ADD"}
    assert admin.get("/events", other).json["type"] == "epcisException:ValidationException"
    assert admin.get("/events", {"nextPageToken": token[:-2] + "xx"}).status_code == 400
    stranger = Epcis(app, header_of(Role.PROVINCE_OFFICER))
    assert stranger.get("/events", {"nextPageToken": token}).status_code == 400
    assert admin.delete(f"/nextPageToken/{token}").status_code == 204
    assert admin.get("/events", {"nextPageToken": token}).status_code == 400


# ---- lists


def test_what_occurs_can_be_walked_through(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, keys = filled
    lists = {
        "bizSteps": ("packing", {"pack"}),
        "dispositions": ("in_transit", {"ship"}),
        "readPoints": ("https://id.gs1.org/414/0614141073467", {"ship"}),
        "bizLocations": ("https://id.gs1.org/414/0614141073467/254/7", {"ship"}),
        "eventTypes": ("AssociationEvent", {"join"}),
        "epcs": ("https://id.gs1.org/01/10614141073464/21/60", {"make", "pack", "sell"}),
    }
    for name, (value, expected) in lists.items():
        members: list[str] = []
        answer = admin.get(f"/{name}", {"perPage": 3})
        while True:
            assert answer.json["type"] == "Collection"
            members += answer.json["member"]
            if "Link" not in answer.headers:
                break
            answer = admin.client.get(answer.headers["Link"][1:].partition(">")[0], headers=admin.headers)
        assert value in members and len(members) == len(set(members)), name
        below = admin.get(f"/{name}/{value}")
        assert below.json["member"] == ["events"], below.text
        found = admin.ids({"perPage": 1000}, f"/{name}/{value}/events")
        assert {keys[one] for one in found if one in keys} == expected, name
        encoded = value.replace(":", "%3A").replace("/", "%2F")
        assert admin.ids({"perPage": 1000}, f"/{name}/{encoded}/events") == found
    lot = admin.ids(None, "/epcs/https://id.gs1.org/01/04012345123456/10/OUT1/events")
    assert {keys[one] for one in lot} == {"make", "pack"}
    assert admin.get("/epcs/urn:nothing:here").json["type"] == "epcisException:NoSuchNameException"
    assert admin.get("/bizSteps/packing/events", {"EQ_bizStep": "packing"}).status_code == 400
    assert {"queries", "capture", "events"} <= set(
        admin.get("", None, Accept="application/json").json["member"]
    )


# ---- documents


def test_events_come_back_as_captured_or_named_by_digital_links(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, keys = filled
    (ship,) = [one for one, key in keys.items() if key == "ship"]
    links = events_in(admin.get(f"/events/{ship}"))[0]
    assert links["epcList"] == [f"https://id.gs1.org/01/10614141073464/21/{n}" for n in (1, 2)]
    assert links["readPoint"]["id"] == "https://id.gs1.org/414/0614141073467"
    answer = admin.get(f"/events/{ship}", GS1_EPC_Format="Never_Translates")
    assert answer.headers["GS1-EPC-Format"] == "Never_Translates"
    same = events_in(answer)[0]
    assert same.pop("recordTime")
    assert same == {**_events()["ship"], "eventID": ship}
    assert answer.json["@context"] == [CONTEXT, EX]


def test_prefixes_of_two_meanings_go_with_their_events(
    app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    step = "https://ex.example/terms/two"
    for namespace in ("https://one.example/", "https://two.example/"):
        sent = document(event(bizStep=step, **{"p:x": namespace}), context=[CONTEXT, {"p": namespace}])
        assert admin.job(admin.post("/capture", sent))["success"]
    answer = admin.get("/events", {"EQ_bizStep": step})
    shared = answer.json["@context"][-1]["p"]
    for one in events_in(answer):
        own = one.get("@context", [{"p": shared}])
        assert own[-1]["p"] == one["p:x"]
    for namespace in ("https://one.example/", "https://two.example/"):
        query = {"EQ_bizStep": step, "EXISTS_p:x": "true"}
        found = events_in(admin.get("/events", query, GS1_Extensions=f"p={namespace}"))
        assert [one["p:x"] for one in found] == [namespace]


def test_forms_and_versions_are_agreed_on_or_refused(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, _ = filled
    plain = admin.get("/events")
    assert plain.mimetype == "application/json" and plain.headers["GS1-EPCIS-Version"] == "2.0.0"
    assert admin.get("/events", Accept="application/ld+json").mimetype == "application/ld+json"
    for headers in (
        {"Accept": "application/xml"},
        {"GS1_EPCIS_Min": "2.1"},
        {"GS1_EPCIS_Max": "1.2"},
        {"GS1_CBV_Min": "3"},
        {"GS1_EPC_Format": "Always_EPC_URN"},
    ):
        answer = admin.get("/events", **headers)
        assert answer.status_code == 406, headers
        assert answer.json["type"] == "epcisException:NotAcceptableException"
    assert admin.get("/events", GS1_EPCIS_Min="1.0.0", GS1_EPCIS_Max="2.0").status_code == 200
    assert admin.post("/capture", document(event()), GS1_EPCIS_Version="1.2").status_code == 406
    assert admin.get("/events", GS1_EPC_Format="Sideways").status_code == 400


def test_options_tell_what_is_spoken_to_anybody(app: Any) -> None:
    for path, methods in (
        ("", {"GET"}),
        ("/events", {"GET", "POST"}),
        ("/capture", {"GET", "POST"}),
        ("/events/urn:uuid:x", {"GET"}),
        ("/queries/q", {"GET", "DELETE"}),
        ("/epcs/urn:x:y/events", {"GET"}),
    ):
        answer = app.test_client().open(f"/epcis{path}", method="OPTIONS")
        assert answer.status_code == 204, path
        assert methods <= set(answer.headers["Allow"].split(", ")), path
        assert answer.headers["GS1-EPCIS-Min"] == answer.headers["GS1-EPCIS-Max"] == "2.0.0"
        assert "Always_GS1_Digital_Link" in answer.headers["GS1-EPC-Format"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "GS1-Capture-Error-Behaviour" in answer.headers["Access-Control-Allow-Headers"]
    limits = app.test_client().options("/epcis/capture").headers
    assert int(limits["GS1-EPCIS-Capture-Limit"]) > 0 < int(limits["GS1-EPCIS-Capture-File-Size-Limit"])


def test_an_answer_is_sent_again_only_after_something_was_captured(
    filled: tuple[Epcis, dict[str, str]],
) -> None:
    admin, _ = filled
    tag = admin.get("/events").headers["ETag"]
    assert admin.get("/events", If_None_Match=tag).status_code == 304
    assert admin.get("/events", {"perPage": 5}).headers["ETag"] != tag
    admin.capture(event())
    assert admin.get("/events", If_None_Match=tag).status_code == 200


def test_answers_are_packed_for_who_takes_it(filled: tuple[Epcis, dict[str, str]]) -> None:
    admin, _ = filled
    answer = admin.get("/events", Accept_Encoding="gzip", Accept="application/ld+json")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"EPCISQueryDocument" in gzip.decompress(answer.data)


def test_what_is_not_there_is_said_in_the_words_of_epcis(
    app: Any, header_of: Callable[..., dict[str, str]]
) -> None:
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    assert admin.get("/events/urn:uuid:none").json["type"] == "epcisException:NoSuchNameException"
    assert admin.get("/nowhere").json["type"] == "epcisException:NoSuchNameException"
    answer = admin.client.put("/epcis/events", json={}, headers=admin.headers)
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"]
    long = admin.get("/events", {"EQ_eventID": "x" * 20_000})
    assert long.status_code == 414 and long.json["type"] == "epcisException:URITooLongException"


def test_people_get_a_page_and_programs_a_description(app: Any) -> None:
    page = app.test_client().get("/epcis", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "<h1>Dịch vụ EPCIS 2.0</h1>" in page.text
    api = app.test_client().get("/epcis/openapi.json").json
    assert api["openapi"].startswith("3.0") and "/capture/{captureID}" in api["paths"]


# ---- rights


def test_each_sees_what_their_role_gives_them(
    app: Any, demo_store: Store, header_of: Callable[..., dict[str, str]]
) -> None:
    with demo_store.reading() as session:
        rows = session.execute(
            sa.text(
                "SELECT p.id, c.code, d.code, min(l.product_id), min(l.lot_number) FROM lots l "
                "JOIN producers p ON p.id = l.producer_id JOIN communes c ON c.id = p.commune_id "
                "JOIN districts d ON d.id = c.district_id "
                "WHERE l.commune_id = p.commune_id GROUP BY p.id, c.code, d.code ORDER BY p.id"
            )
        ).all()
    mine = rows[0]
    other = next(row for row in rows if row[2] != mine[2])
    admin = Epcis(app, header_of(Role.ADMINISTRATOR))
    ids = []
    for producer, *_ in (mine, other):
        place = {"id": f"urn:ocop:producer:{producer}"}
        sent = event(epcList=[f"https://ex.example/box/{producer}"], bizLocation=place)
        assert admin.capture(sent)["success"]
        ids.append(sent["eventID"])

    def seen(role: Role, **more: Any) -> list[bool]:
        found = Epcis(app, header_of(role, **more)).ids({"EQ_eventID": "|".join(ids)})
        return [one in found for one in ids]

    assert seen(Role.PRODUCER, producer_id=mine[0]) == [True, False]
    assert seen(Role.COMMUNE_OFFICER, territory=mine[1]) == [True, False]
    assert seen(Role.DISTRICT_OFFICER, territory=other[2]) == [False, True]
    for role in (Role.PROVINCE_OFFICER, Role.INSPECTOR, Role.PLANNER):
        assert seen(role) == [True, True], role
    assert seen(Role.COUNCIL_MEMBER) == [False, False]
    within = admin.ids({"WD_bizLocation": f"urn:ocop:commune:{mine[1]}", "EQ_eventID": "|".join(ids)})
    assert within == ids[:1]
    assert admin.ids({"WD_readPoint": f"urn:ocop:commune:{mine[1]}", "EQ_eventID": "|".join(ids)}) == []
