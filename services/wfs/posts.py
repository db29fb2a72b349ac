"""Requests as XML documents: the elements of WFS 1.0, 1.1 and 2.0 become the same requests as keys and values."""

from __future__ import annotations

from typing import Any

from services.wfs import kvp, xml
from services.wfs import requests as asked
from services.wfs.dialects import DEFAULT, V110, WFS1, WFS20, Dialect, accepted, exact, nearest
from services.wfs.exceptions import NOT_SUPPORTED, OwsError, invalid, missing
from services.wfs.kvp import check_resolve, hits, lock_of, no_common_version, whole_number, with_lock
from services.wfs.requests import COUNT_MAXIMUM, Query, Request, StoredCall


def dialect_of(root: Any) -> Dialect:
    """Return the dialect of a document: by its version, else by its namespace."""
    if xml.local(root) == "GetCapabilities":
        versions = _accepted_versions(root)
        if versions:
            return accepted(versions) or DEFAULT
        return nearest(root.get("version") or (V110 if xml.namespace(root) == WFS1 else DEFAULT).version)
    spoken = exact(root.get("version") or "")
    if xml.namespace(root) == WFS1:
        return spoken if spoken is not None and not spoken.is_new else V110
    return spoken or DEFAULT


def read(root: Any) -> Request:
    """Read a request from a document. Raises OwsError."""
    operation = xml.local(root)
    reader = _READERS.get(operation)
    if reader is None or xml.namespace(root) not in (WFS1, WFS20, ""):
        raise OwsError(
            "Dịch vụ không có thao tác “%(operation)s”.",
            code=NOT_SUPPORTED,
            locator="request",
            operation=operation[:100],
        )
    service = root.get("service")
    if service is None and operation == "GetCapabilities":
        raise missing("service")
    if service is not None and service.upper() != "WFS":
        raise invalid("service", service)
    if root.get("version") and operation != "GetCapabilities":
        kvp.check_version(root.get("version"))
    return reader(root, dialect_of(root))  # type: ignore[no-any-return]


def _accepted_versions(root: Any) -> list[str]:
    found = xml.first(root, "AcceptVersions")
    return [] if found is None else [xml.text_of(v) for v in xml.children(found, "Version")]


def _get_capabilities(root: Any, dialect: Dialect) -> asked.GetCapabilities:
    versions = _accepted_versions(root)
    if versions and accepted(versions) is None:
        raise no_common_version(", ".join(versions))
    sections = xml.first(root, "Sections")
    names = [] if sections is None else [xml.text_of(s) for s in xml.children(sections, "Section")]
    return asked.GetCapabilities(dialect, frozenset(names))


def _describe_feature_type(root: Any, dialect: Dialect) -> asked.DescribeFeatureType:
    names = tuple((xml.text_of(e), xml.prefixes(e)) for e in xml.children(root, "TypeName"))
    return asked.DescribeFeatureType(dialect, names, root.get("outputFormat"))


def _get_feature(root: Any, dialect: Dialect) -> asked.GetFeature:
    count = root.get("count") or root.get("maxFeatures")
    start = root.get("startIndex")
    return asked.GetFeature(
        dialect,
        queries(root),
        count=None if count is None else whole_number("count", count, COUNT_MAXIMUM),
        start=0 if start is None else whole_number("startIndex", start, 2**62),
        hits=hits(root.get("resultType")),
        output_format=root.get("outputFormat"),
        posted=True,
    )


def _get_feature_with_lock(root: Any, dialect: Dialect) -> asked.GetFeature:
    return with_lock(_get_feature(root, dialect), _lock(root, dialect))


def _lock(root: Any, dialect: Dialect) -> asked.Lock:
    key = root.get("lockId")
    if key is None and (element := xml.first(root, "LockId")) is not None:
        key = xml.text_of(element)
    return lock_of(root.get("expiry"), root.get("lockAction"), key, dialect)


def _get_property_value(root: Any, dialect: Dialect) -> asked.GetPropertyValue:
    reference = root.get("valueReference")
    if reference is None:
        raise missing("valueReference")
    if not reference.strip():
        raise invalid("valueReference", "")
    return asked.GetPropertyValue(_get_feature(root, dialect), reference.strip(), xml.prefixes(root))


def _lock_feature(root: Any, dialect: Dialect) -> asked.LockFeature:
    lock = _lock(root, dialect)
    old = [_old_lock(e) for e in xml.children(root, "Lock")]
    asking = next(xml.children(root, "Query", "StoredQuery"), None) is not None
    found = tuple(old) or (queries(root) if asking or not lock.key else ())
    return asked.LockFeature(dialect, found, lock)


def _old_lock(element: Any) -> Query:
    """The way in which versions 1.0 and 1.1 say which features to lock."""
    return Query(
        type_names=(element.get("typeName") or "",),
        namespaces=xml.prefixes(element),
        filter=xml.first(element, "Filter"),
    )


def _list_stored_queries(root: Any, dialect: Dialect) -> asked.ListStoredQueries:
    return asked.ListStoredQueries(dialect)


def _describe_stored_queries(root: Any, dialect: Dialect) -> asked.DescribeStoredQueries:
    names = tuple(xml.text_of(e) for e in xml.children(root, "StoredQueryId"))
    return asked.DescribeStoredQueries(dialect, names)


def _create_stored_query(root: Any, dialect: Dialect) -> asked.CreateStoredQuery:
    definitions = tuple(xml.children(root, "StoredQueryDefinition"))
    if not definitions:
        raise missing("StoredQueryDefinition")
    return asked.CreateStoredQuery(dialect, definitions)


def _drop_stored_query(root: Any, dialect: Dialect) -> asked.DropStoredQuery:
    identifier = root.get("id")
    if not identifier:
        raise missing("id")
    return asked.DropStoredQuery(dialect, identifier)


def _transaction(root: Any, dialect: Dialect) -> asked.Transaction:
    key = root.get("lockId")
    if key is None and (element := xml.first(root, "LockId")) is not None:
        key = xml.text_of(element)
    action = (root.get("releaseAction") or "ALL").upper()
    if action not in ("ALL", "SOME"):
        raise invalid("releaseAction", action)
    actions = tuple(e for e in xml.children(root) if xml.local(e) != "LockId")
    return asked.Transaction(dialect, actions, key or None, action == "ALL", root.get("srsName"))


_READERS: dict[str, Any] = {
    "GetCapabilities": _get_capabilities,
    "DescribeFeatureType": _describe_feature_type,
    "GetFeature": _get_feature,
    "GetFeatureWithLock": _get_feature_with_lock,
    "GetPropertyValue": _get_property_value,
    "LockFeature": _lock_feature,
    "ListStoredQueries": _list_stored_queries,
    "DescribeStoredQueries": _describe_stored_queries,
    "CreateStoredQuery": _create_stored_query,
    "DropStoredQuery": _drop_stored_query,
    "Transaction": _transaction,
}


# ---- queries


def queries(root: Any) -> tuple[Query | StoredCall, ...]:
    """Return the queries inside a request; it needs one at least."""
    check_resolve(root.get("resolve"))
    found = [
        stored_call(e) if xml.local(e) == "StoredQuery" else query(e)
        for e in xml.children(root, "Query", "StoredQuery")
    ]
    if not found:
        raise missing("Query")
    return tuple(found)


def stored_call(element: Any) -> StoredCall:
    """Read the call of a stored query; a parameter's value is its text, or the XML inside."""
    identifier = element.get("id")
    if not identifier:
        raise missing("id")
    parameters: dict[str, str] = {}
    spaces = xml.prefixes(element)
    for parameter in xml.children(element, "Parameter"):
        inner = next(xml.children(parameter), None)
        value = xml.text_of(parameter) if inner is None else xml.fragment(inner)
        parameters[(parameter.get("name") or "").upper()] = value
        spaces |= xml.prefixes(parameter)
    return StoredCall(identifier, parameters, spaces)


def query(element: Any) -> Query:
    """Read a Query element."""
    names = (element.get("typeNames") or element.get("typeName") or "").replace(",", " ").split()
    if not names:
        raise missing("typeNames")
    check_resolve(element.get("resolve"))
    properties = tuple(xml.text_of(e) for e in xml.children(element, "PropertyName", "XlinkPropertyName"))
    order = xml.first(element, "SortBy")
    return Query(
        type_names=tuple(names),
        namespaces=xml.prefixes(element),
        filter=xml.first(element, "Filter"),
        properties=properties if properties and "*" not in properties else None,
        sort=() if order is None else tuple(_sort(e) for e in xml.children(order, "SortProperty")),
        srs_name=element.get("srsName"),
        single=len(names) > 1,
    )


def _sort(element: Any) -> tuple[str, bool]:
    name = xml.first(element, "ValueReference", "PropertyName")
    direction = xml.first(element, "SortOrder")
    if name is None:
        raise missing("ValueReference")
    text = "ASC" if direction is None else xml.text_of(direction).upper()
    if text not in ("ASC", "DESC", "A", "D"):
        raise invalid("sortBy", text)
    return xml.text_of(name), text in ("DESC", "D")
