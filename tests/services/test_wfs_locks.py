"""Locks: one caller keeps features for a while; stored queries: a request under a name."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from data.base import now
from data.wfs import WfsLock, WfsLockedRow
from layers import catalogue, read
from tests.services.wfs_client import APP, NAMES, Answer, Wfs, transaction

SALES = catalogue.layer("sale_points")
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"


@pytest.fixture
def wfs(app: Any, header_of: Any) -> Wfs:
    return Wfs(app, header_of("province_officer"))


def lock(body: str, operation: str = "LockFeature", **attributes: str) -> str:
    more = "".join(f' {k}="{v}"' for k, v in attributes.items())
    return (
        f'<wfs:{operation} service="WFS" version="2.0.0"{more} xmlns:wfs="{NAMES["wfs"]}" xmlns:app="{APP}" '
        f'xmlns:fes="{NAMES["fes"]}">{body}</wfs:{operation}>'
    )


def stored(rid: str) -> str:
    return f'<wfs:StoredQuery id="{BY_ID}"><wfs:Parameter name="id">{rid}</wfs:Parameter></wfs:StoredQuery>'


def named(*ids: str) -> str:
    inner = "".join(f'<fes:ResourceId rid="{i}"/>' for i in ids)
    return f'<wfs:Query typeNames="app:sale_points"><fes:Filter>{inner}</fes:Filter></wfs:Query>'


def delete(rid: str) -> str:
    return f'<wfs:Delete typeName="app:sale_points"><fes:Filter><fes:ResourceId rid="{rid}"/></fes:Filter></wfs:Delete>'


def key_of(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return str(answer.root.get("lockId"))


@pytest.fixture
def ids(wfs: Wfs) -> list[str]:
    return wfs.get("GetFeature", TYPENAMES="sale_points", COUNT=10).ids


def expire(store: Any) -> None:
    with store.writing() as session:
        session.execute(sa.update(WfsLock).values(expires_at=now() - dt.timedelta(seconds=5)))


# ---- locks


def test_a_locked_feature_cannot_be_deleted_without_the_lock(wfs, real_data, ids) -> None:
    answer = wfs.valid(wfs.post(lock(stored(ids[0]), expiry="60")), real_data)
    assert answer.kind == "LockFeatureResponse"
    key = key_of(answer)
    assert answer.text("//wfs:FeaturesLocked/fes:ResourceId/@rid") == ids[0]
    wfs.post(transaction(delete(ids[0]))).shows(400, "MissingParameterValue", "lockId")
    wfs.post(transaction(delete(ids[0]), lockId="wrong")).shows(400, "InvalidLockId", "lockId")
    assert wfs.post(transaction(delete(ids[0]), lockId=key)).text("//wfs:totalDeleted") == "1"


def test_a_feature_is_under_one_lock_only(wfs, ids) -> None:
    key_of(wfs.post(lock(stored(ids[0]))))
    wfs.post(lock(stored(ids[0]), expiry="180")).shows(400, "CannotLockAllFeatures")
    wfs.post(lock(named(*ids[:3]))).shows(400, "CannotLockAllFeatures")
    some = wfs.post(lock(named(*ids[:3]), lockAction="SOME"))
    key_of(some)
    assert some.all("//wfs:FeaturesLocked/fes:ResourceId/@rid") == ids[1:3]
    assert some.all("//wfs:FeaturesNotLocked/fes:ResourceId/@rid") == ids[:1]


@pytest.mark.parametrize("layer", ["sale_points", "growing_areas", "communes"])
def test_all_features_of_a_type_are_locked(wfs, demo_store, layer) -> None:
    answer = wfs.post(lock(f'<wfs:Query typeNames="app:{layer}"/>'))
    key_of(answer)
    with demo_store.reading() as session:
        locked = session.scalar(sa.select(sa.func.count()).select_from(WfsLockedRow))
        seconds = session.scalar(sa.select(WfsLock.seconds))
    assert len(answer.all("//wfs:FeaturesLocked/fes:ResourceId")) == locked > 50
    assert seconds == 300
    assert not answer.all("//wfs:FeaturesNotLocked")


def test_a_lock_that_never_was_has_expired(wfs, ids) -> None:
    wfs.post(lock(stored(ids[0]), lockId="lock-does-not-exist")).shows(403, "LockHasExpired", "lockId")


def test_a_lock_begins_anew_while_it_lasts_and_not_after(wfs, ids, demo_store) -> None:
    key = key_of(wfs.post(lock(stored(ids[0]), expiry="20")))
    assert key_of(wfs.post(lock("", lockId=key, expiry="40"))) == key
    assert key_of(wfs.get("LockFeature", LOCKID=key)) == key
    expire(demo_store)
    wfs.post(lock(stored(ids[0]), lockId=key)).shows(403, "LockHasExpired", "lockId")
    wfs.post(transaction(delete(ids[1]), lockId=key)).shows(403, "LockHasExpired", "lockId")
    assert key_of(wfs.post(lock(stored(ids[0])))) != key


def test_a_lock_and_a_query_are_not_named_together(wfs, ids) -> None:
    key = key_of(wfs.post(lock(stored(ids[0]))))
    wfs.post(lock(stored(ids[1]), lockId=key)).shows(400, "OperationParsingFailed")


def test_an_expired_lock_hinders_nobody(wfs, ids, demo_store) -> None:
    key_of(wfs.post(lock(stored(ids[0]))))
    expire(demo_store)
    assert wfs.post(transaction(delete(ids[0]))).text("//wfs:totalDeleted") == "1"


def test_a_transaction_frees_all_or_what_it_touched(wfs, ids, demo_store) -> None:
    key = key_of(wfs.post(lock(named(*ids[:3]))))
    wfs.post(transaction(delete(ids[0]), lockId=key, releaseAction="SOME"))
    wfs.post(transaction(delete(ids[1]))).shows(400, "MissingParameterValue", "lockId")
    wfs.post(transaction(delete(ids[1]), lockId=key))
    assert wfs.post(transaction(delete(ids[2]))).text("//wfs:totalDeleted") == "1"
    with demo_store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(WfsLock)) == 0
    wfs.post(transaction("", lockId=key)).shows(400, "InvalidLockId")


def test_anothers_lock_is_not_ones_own(wfs, ids, header_of) -> None:
    key = key_of(wfs.post(lock(stored(ids[0]))))
    other = wfs.acting(header_of("administrator"))
    other.post(transaction(delete(ids[0]))).shows(400, "MissingParameterValue", "lockId")
    other.post(transaction(delete(ids[0]), lockId=key)).shows(403, "OperationProcessingFailed")


def test_who_may_not_edit_may_not_lock(wfs, app, ids, header_of, demo_store) -> None:
    assert Wfs(app).post(lock(stored(ids[0]))).status == 401
    wfs.acting(header_of("planner")).post(lock(stored(ids[0]))).shows(403, "OperationProcessingFailed")
    with demo_store.reading() as session:
        page = read.rows(session, read.Query(SALES, fields=("commune_code",)))
    codes = page.columns[0]
    officer = wfs.acting(header_of("commune_officer", codes[0]))
    officer.post(lock('<wfs:Query typeNames="sale_points"/>')).shows(400, "CannotLockAllFeatures")
    some = officer.post(lock('<wfs:Query typeNames="sale_points"/>', lockAction="SOME"))
    own = [f"sale_points.{i}" for i, code in zip(page.ids.tolist(), codes, strict=True) if code == codes[0]]
    assert some.all("//wfs:FeaturesLocked/fes:ResourceId/@rid") == own


def test_features_come_with_their_lock(wfs, real_data, ids) -> None:
    answer = wfs.post(lock(named(*ids[:4]), "GetFeatureWithLock", expiry="60"))
    key = key_of(wfs.valid(answer, real_data))
    assert answer.ids == ids[:4]
    wfs.post(transaction(delete(ids[2]))).shows(400, "MissingParameterValue")
    some = wfs.post(lock('<wfs:Query typeNames="sale_points"/>', "GetFeatureWithLock", lockAction="SOME"))
    assert key_of(some) != key
    assert not set(some.ids) & set(ids[:4])
    assert int(some.root.get("numberReturned")) == len(some.ids) > 1


def test_features_with_a_lock_are_results_and_at_most_so_many(wfs, ids) -> None:
    wfs.post(lock(named(*ids), "GetFeatureWithLock", resultType="hits")).shows(
        400, "InvalidParameterValue", "resultType"
    )
    answer = wfs.get("GetFeatureWithLock", TYPENAMES="sale_points", COUNT=3, STARTINDEX=2)
    assert answer.ids == ids[2:5]
    assert wfs.post(transaction(delete(ids[0]))).text("//wfs:totalDeleted") == "1"
    wfs.post(transaction(delete(ids[3]))).shows(400, "MissingParameterValue")


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_old_locks_are_in_minutes_and_kept_in_an_element(wfs, real_data, ids, demo_store, version) -> None:
    document = (
        f'<wfs:LockFeature service="WFS" version="{version}" expiry="2" xmlns:wfs="{NAMES["wfs1"]}" '
        f'xmlns:ogc="{NAMES["ogc"]}" xmlns:app="{APP}"><wfs:Lock typeName="app:sale_points"><ogc:Filter>'
        f'<ogc:FeatureId fid="{ids[0]}"/></ogc:Filter></wfs:Lock></wfs:LockFeature>'
    )
    answer = wfs.valid(wfs.post(document), real_data)
    key = answer.text("//wfs1:LockId")
    assert answer.text("//wfs1:FeaturesLocked/ogc:FeatureId/@fid") == ids[0]
    with demo_store.reading() as session:
        assert session.scalar(sa.select(WfsLock.seconds)) == 120
    body = (
        f"<wfs:LockId>{key}</wfs:LockId>"
        '<wfs:Delete typeName="app:sale_points"><ogc:Filter><ogc:FeatureId fid="{}"/></ogc:Filter></wfs:Delete>'
    ).format(ids[0])
    refused = wfs.post(transaction(body.replace(f"<wfs:LockId>{key}</wfs:LockId>", ""), version))
    assert "Exception" in refused.kind
    assert "Transaction" in wfs.post(transaction(body, version)).kind


@pytest.mark.parametrize("keys", [{"EXPIRY": "soon"}, {"LOCKACTION": "MAYBE"}])
def test_a_lock_of_nonsense_is_refused(wfs, keys) -> None:
    wfs.get("LockFeature", TYPENAMES="sale_points", **keys).shows(400, "InvalidParameterValue")


# ---- stored queries


WFS_QUERY = "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression"
BY_TYPE = "urn:example:wfs2-query:GetFeatureByTypeName"
BY_NAME = "urn:example:wfs2-query:GetFeatureByName"


def creation(
    identifier: str, parameter: str, query: str, language: str = WFS_QUERY, kind: str = "xsd:string"
) -> str:
    return (
        f'<CreateStoredQuery version="2.0.0" service="WFS" xmlns="{NAMES["wfs"]}" xmlns:app="{APP}">'
        f'<StoredQueryDefinition id="{identifier}" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f'<Title>Thử</Title><Abstract>Tìm thử.</Abstract><Parameter name="{parameter}" type="{kind}"/>'
        f'<QueryExpressionText xmlns:fes="{NAMES["fes"]}" xmlns:gml="{NAMES["gml"]}" returnFeatureTypes="" '
        f'language="{language}" isPrivate="false">{query}</QueryExpressionText>'
        "</StoredQueryDefinition></CreateStoredQuery>"
    )


LIKE_NAME = (
    '<Query typeNames="app:sale_points"><fes:Filter><fes:PropertyIsLike wildCard="*" singleChar="?" '
    'escapeChar="\\"><fes:ValueReference>gml:name</fes:ValueReference><fes:Literal>*${name}*</fes:Literal>'
    "</fes:PropertyIsLike></fes:Filter></Query>"
)


def drop(identifier: str) -> str:
    return f'<DropStoredQuery version="2.0.0" service="WFS" id="{identifier}" xmlns="{NAMES["wfs"]}"/>'


def test_the_query_that_every_service_has_is_listed_and_described(app, real_data) -> None:
    anybody = Wfs(app)
    listed = anybody.valid(anybody.get("ListStoredQueries"), real_data)
    assert BY_ID in listed.all("//wfs:StoredQuery/@id")
    assert listed.all("//wfs:StoredQuery/wfs:ReturnFeatureType")
    every = anybody.valid(anybody.get("DescribeStoredQueries"), real_data)
    assert len(every.all("//wfs:StoredQueryDescription")) == 2
    described = anybody.get("DescribeStoredQueries", STOREDQUERY_ID=BY_ID)
    assert described.all("//wfs:StoredQueryDescription/@id") == [BY_ID]
    assert described.text("//wfs:Parameter/@name") == "id"
    anybody.get("DescribeStoredQueries", STOREDQUERY_ID="urn:nothing").shows(400, "InvalidParameterValue")


def test_an_unknown_stored_query_is_refused(app) -> None:
    Wfs(app).get("GetFeature", STOREDQUERY_ID="http://docbook.org/ns/docbook").shows(
        400, "InvalidParameterValue"
    )


def test_a_query_by_type_is_stored_called_and_dropped(wfs, app, real_data) -> None:
    document = creation(BY_TYPE, "typeName", '<Query typeNames="${typeName}"/>', kind="xsd:QName")
    created = wfs.valid(wfs.post(document), real_data)
    assert created.root.tag == f"{{{NAMES['wfs']}}}CreateStoredQueryResponse"
    anybody = Wfs(app)
    for layer in ("sale_points", "products"):
        found = anybody.post(
            f'<wfs:GetFeature service="WFS" version="2.0.0" count="3" xmlns:wfs="{NAMES["wfs"]}">'
            f'<wfs:StoredQuery id="{BY_TYPE}"><wfs:Parameter name="typeName" xmlns:tns="{APP}">tns:{layer}'
            "</wfs:Parameter></wfs:StoredQuery></wfs:GetFeature>"
        )
        assert [i.partition(".")[0] for i in found.ids] == [layer] * 3
        by_address = anybody.get("GetFeature", STOREDQUERY_ID=BY_TYPE, typeName=f"app:{layer}", COUNT=3)
        assert by_address.ids == found.ids
    anybody.get("GetFeature", STOREDQUERY_ID=BY_TYPE).shows(400, "MissingParameterValue", "typeName")
    assert BY_TYPE in anybody.valid(anybody.get("ListStoredQueries"), real_data).all("//wfs:StoredQuery/@id")
    described = anybody.valid(anybody.get("DescribeStoredQueries", STOREDQUERY_ID=BY_TYPE), real_data)
    assert described.all("//wfs:QueryExpressionText/wfs:Query/@typeNames") == ["${typeName}"]
    dropped = wfs.valid(wfs.post(drop(BY_TYPE)), real_data)
    assert dropped.root.tag == f"{{{NAMES['wfs']}}}DropStoredQueryResponse"
    anybody.get("GetFeature", STOREDQUERY_ID=BY_TYPE, typeName="app:products").shows(
        400, "InvalidParameterValue", "STOREDQUERY_ID"
    )


def test_values_are_put_into_filters_as_text_and_cannot_break_out(wfs) -> None:
    wfs.post(creation(BY_NAME, "name", LIKE_NAME))
    name = wfs.get("GetFeature", TYPENAMES="sale_points", COUNT=1).text("//app:name")
    found = wfs.get("GetFeature", STOREDQUERY_ID=BY_NAME, name=name)
    assert name in found.all("//app:sale_points/app:name/text()")
    for hostile in ("</fes:Literal><x/>", "'; DROP TABLE products; --", "&amp;"):
        assert wfs.get("GetFeature", STOREDQUERY_ID=BY_NAME, name=hostile).ids == []


def test_a_definition_that_exists_or_cannot_be_read_is_refused(wfs) -> None:
    wfs.post(creation(BY_NAME, "name", LIKE_NAME))
    wfs.post(creation(BY_NAME, "name", LIKE_NAME)).shows(400, "DuplicateStoredQueryIdValue", BY_NAME)
    wfs.post(creation(BY_ID, "id", LIKE_NAME)).shows(400, "DuplicateStoredQueryIdValue")
    wfs.post(creation("urn:x:1", "name", LIKE_NAME, language="http://qry.example.org")).shows(
        400, "InvalidParameterValue", "language"
    )
    wfs.post(creation("urn:x:2", "name", "")).shows(400, "MissingParameterValue", "Query")
    wfs.post(drop("urn:uuid:nothing")).shows(400, "InvalidParameterValue", "id")
    wfs.post(drop(BY_ID)).shows(400, "InvalidParameterValue", "id")


def test_a_private_definition_is_not_shown(wfs, app) -> None:
    wfs.post(creation(BY_NAME, "name", LIKE_NAME).replace('isPrivate="false"', 'isPrivate="true"'))
    described = Wfs(app).get("DescribeStoredQueries", STOREDQUERY_ID=BY_NAME)
    assert not described.all("//wfs:QueryExpressionText/*")


def test_only_editors_store_queries_and_drop_their_own(wfs, app, header_of, demo_store) -> None:
    document = creation(BY_NAME, "name", LIKE_NAME)
    assert Wfs(app).post(document).status == 401
    wfs.acting(header_of("planner")).post(document).shows(403, "OperationProcessingFailed")
    wfs.post(document)
    with demo_store.reading() as session:
        code = session.scalar(sa.text("SELECT min(code) FROM communes WHERE edition = '2020'"))
    wfs.acting(header_of("commune_officer", code)).post(drop(BY_NAME)).shows(403, "OperationProcessingFailed")
    assert wfs.get("DropStoredQuery", STOREDQUERY_ID=BY_NAME).kind == "DropStoredQueryResponse"
