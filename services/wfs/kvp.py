"""Requests as keys and values of an address (OGC 09-025r2 and its predecessors: the KVP encoding)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.wfs import requests as asked
from services.wfs import xml
from services.wfs.dialects import DEFAULT, Dialect, accepted, exact, nearest
from services.wfs.exceptions import NEGOTIATION, NOT_SUPPORTED, OwsError, invalid, missing
from services.wfs.requests import COUNT_MAXIMUM, LOCK_SECONDS, Lock, Query, Request, StoredCall

_NAMESPACE = re.compile(r"xmlns\(\s*(?:([^=,()]+?)\s*[=,])?\s*([^()]*?)\s*\)")
_DESCENDING = {"D", "DESC"}
_ASCENDING = {"A", "ASC"}


class Keys:
    """The parameters of an address; the names are looked up whatever their case."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self.values: dict[str, str] = {}
        for name, value in arguments.items():
            self.values.setdefault(name.upper(), value)

    def get(self, *names: str) -> str | None:
        """Return the value of the first of these names that has one which is not empty."""
        return next((self.values[name] for name in names if self.values.get(name)), None)

    def need(self, *names: str) -> str:
        """Return such a value; refuse the request when there is none."""
        value = self.get(*names)
        if value is None:
            raise missing(names[0])
        return value

    def has(self, name: str) -> bool:
        """Tell whether a parameter is there, even without a value."""
        return name in self.values

    def whole(self, *names: str, maximum: int) -> int | None:
        """Return a whole number from zero, at most the maximum."""
        text = self.get(*names)
        return None if text is None else whole_number(names[0], text, maximum)


def whole_number(name: str, text: str, maximum: int) -> int:
    """Return a text as a whole number from zero, at most the maximum. Raises OwsError."""
    if not text.strip().isdecimal() or len(text) > 18:
        raise invalid(name, text)
    return min(int(text), maximum)


def dialect_of(keys: Keys) -> Dialect:
    """Return the dialect that an answer, even a refusal, is given in."""
    if (keys.get("REQUEST") or "").lower() == "getcapabilities":
        versions = keys.get("ACCEPTVERSIONS")
        if versions is not None:
            return accepted(versions.split(",")) or DEFAULT
        return nearest(keys.get("VERSION") or DEFAULT.version)
    return exact(keys.get("VERSION") or "") or DEFAULT


def read(arguments: Mapping[str, str]) -> Request:
    """Read a request from the parameters of an address. Raises OwsError."""
    keys = Keys(arguments)
    if keys.need("SERVICE").upper() != "WFS":
        raise invalid("service", keys.get("SERVICE"))
    operation = keys.need("REQUEST")
    reader = _READERS.get(operation.lower())
    if reader is None:
        raise OwsError(
            "Dịch vụ không có thao tác “%(operation)s”.",
            code=NOT_SUPPORTED,
            locator="request",
            operation=operation[:100],
        )
    if operation.lower() != "getcapabilities" and keys.get("VERSION"):
        check_version(keys.need("VERSION"))
    return reader(keys, dialect_of(keys))  # type: ignore[no-any-return]


def check_version(version: str) -> None:
    """Refuse a version that is not spoken."""
    if exact(version) is None:
        raise invalid("version", version)


# ---- operations


def _get_capabilities(keys: Keys, dialect: Dialect) -> asked.GetCapabilities:
    versions = keys.get("ACCEPTVERSIONS")
    if versions is not None and accepted(versions.split(",")) is None:
        raise no_common_version(versions)
    sections = (keys.get("SECTIONS") or "").split(",")
    return asked.GetCapabilities(dialect, frozenset(s.strip() for s in sections if s.strip()))


def no_common_version(versions: str) -> OwsError:
    """Return the refusal of a caller who speaks none of our versions."""
    return OwsError(
        "Không có phiên bản nào trong “%(versions)s” được hỗ trợ.",
        code=NEGOTIATION,
        versions=versions[:200],
    )


def _describe_feature_type(keys: Keys, dialect: Dialect) -> asked.DescribeFeatureType:
    spaces = namespaces(keys)
    names = [name for group in groups(keys.get("TYPENAME", "TYPENAMES") or "") for name in _listed(group)]
    return asked.DescribeFeatureType(
        dialect, tuple((name, spaces) for name in names), keys.get("OUTPUTFORMAT")
    )


def _get_feature(keys: Keys, dialect: Dialect) -> asked.GetFeature:
    return asked.GetFeature(
        dialect,
        queries(keys, dialect),
        count=keys.whole("COUNT", "MAXFEATURES", maximum=COUNT_MAXIMUM),
        start=keys.whole("STARTINDEX", maximum=2**62) or 0,
        hits=hits(keys.get("RESULTTYPE")),
        output_format=keys.get("OUTPUTFORMAT"),
    )


def _get_feature_with_lock(keys: Keys, dialect: Dialect) -> asked.GetFeature:
    plain = _get_feature(keys, dialect)
    return with_lock(plain, _lock(keys, dialect))


def with_lock(request: asked.GetFeature, lock: Lock) -> asked.GetFeature:
    """Return a request for features that locks them; it must ask for results (13.2.4.3)."""
    if request.hits:
        raise invalid("resultType", "hits")
    return asked.GetFeature(**{**vars(request), "locking": True, "lock": lock})


def hits(text: str | None) -> bool:
    """Tell whether only the number of features is wanted."""
    if (text or "results").lower() not in ("results", "hits"):
        raise invalid("resultType", text)
    return (text or "").lower() == "hits"


def check_resolve(text: str | None) -> None:
    """Refuse to follow references to other servers."""
    if text and text.lower() not in ("local", "none"):
        raise invalid("resolve", text)


def _get_property_value(keys: Keys, dialect: Dialect) -> asked.GetPropertyValue:
    if not keys.has("VALUEREFERENCE"):
        raise missing("valueReference")
    reference = keys.values["VALUEREFERENCE"].strip()
    if not reference:
        raise invalid("valueReference", "")
    return asked.GetPropertyValue(_get_feature(keys, dialect), reference, namespaces(keys))


def _lock_feature(keys: Keys, dialect: Dialect) -> asked.LockFeature:
    lock = _lock(keys, dialect)
    found = (
        () if lock.key and not keys.get("TYPENAME", "TYPENAMES", "STOREDQUERY_ID") else queries(keys, dialect)
    )
    return asked.LockFeature(dialect, found, lock)


def _lock(keys: Keys, dialect: Dialect) -> Lock:
    return lock_of(keys.get("EXPIRY"), keys.get("LOCKACTION"), keys.get("LOCKID"), dialect)


def lock_of(expiry: str | None, action: str | None, key: str | None, dialect: Dialect) -> Lock:
    """Return what a request says of a lock; versions before 2 give the time in minutes."""
    seconds = LOCK_SECONDS
    if expiry is not None:
        seconds = whole_number("expiry", expiry, 86_400) * (1 if dialect.is_new else 60)
    if (action or "ALL").upper() not in ("ALL", "SOME"):
        raise invalid("lockAction", action)
    return Lock(max(seconds, 1), (action or "").upper() == "SOME", key)


def _list_stored_queries(keys: Keys, dialect: Dialect) -> asked.ListStoredQueries:
    return asked.ListStoredQueries(dialect)


def _describe_stored_queries(keys: Keys, dialect: Dialect) -> asked.DescribeStoredQueries:
    return asked.DescribeStoredQueries(dialect, tuple(_listed(keys.get("STOREDQUERY_ID") or "")))


def _drop_stored_query(keys: Keys, dialect: Dialect) -> asked.DropStoredQuery:
    return asked.DropStoredQuery(dialect, keys.need("STOREDQUERY_ID", "ID"))


def _only_posted(keys: Keys, dialect: Dialect) -> Request:
    raise OwsError("Thao tác này chỉ nhận bằng POST với tài liệu XML.", code=NOT_SUPPORTED, locator="request")


_READERS: dict[str, Any] = {
    "getcapabilities": _get_capabilities,
    "describefeaturetype": _describe_feature_type,
    "getfeature": _get_feature,
    "getfeaturewithlock": _get_feature_with_lock,
    "getpropertyvalue": _get_property_value,
    "lockfeature": _lock_feature,
    "liststoredqueries": _list_stored_queries,
    "describestoredqueries": _describe_stored_queries,
    "dropstoredquery": _drop_stored_query,
    "createstoredquery": _only_posted,
    "transaction": _only_posted,
}


# ---- queries


def queries(keys: Keys, dialect: Dialect) -> tuple[Query | StoredCall, ...]:
    """Return the queries of a request: a stored one, or one for each type that is named."""
    check_resolve(keys.get("RESOLVE"))
    spaces = namespaces(keys)
    identifier = keys.get("STOREDQUERY_ID")
    if identifier is not None:
        return (StoredCall(identifier, keys.values, spaces),)
    _exclusive(keys)
    ids = [i for group in groups(keys.get("RESOURCEID", "FEATUREID") or "") for i in _listed(group)]
    types = _types(keys.get("TYPENAMES", "TYPENAME"), ids)
    if not types:
        raise missing("typeNames" if dialect.is_new else "typeName")
    filters = groups(keys.get("FILTER") or "")
    projections = groups(keys.get("PROPERTYNAME") or "")
    orders = groups(keys.get("SORTBY") or "")
    if len(types) > 1 and 1 < len(filters) != len(types):
        raise invalid("filter", f"{len(filters)} / {len(types)}")
    return tuple(
        Query(
            type_names=names,
            namespaces=spaces,
            filter=_filter(_nth(filters, i)),
            cql=keys.get("CQL_FILTER"),
            bbox=keys.get("BBOX"),
            ids=tuple(ids) if keys.get("TYPENAMES", "TYPENAME") else _of_type(ids, names[0]),
            properties=_properties(_nth(projections, i)),
            sort=_sort(_nth(orders, i)),
            srs_name=keys.get("SRSNAME"),
            single=len(names) > 1,
        )
        for i, names in enumerate(types)
    )


def _exclusive(keys: Keys) -> None:
    given = [n for n in ("FILTER", "BBOX", "RESOURCEID", "FEATUREID", "CQL_FILTER") if keys.get(n)]
    if len(given) > 1:
        raise OwsError(
            "Các tham số %(names)s loại trừ nhau.",
            code="InvalidParameterValue",
            locator=given[1],
            names=", ".join(given),
        )


def _types(text: str | None, ids: list[str]) -> list[tuple[str, ...]]:
    """Return the types of each query: in brackets a list is one query, without them each name is one."""
    if text is None:
        return [(name,) for name in dict.fromkeys(i.rpartition(".")[0] for i in ids) if name]
    if text.startswith("("):
        return [tuple(_listed(group)) for group in groups(text)]
    return [(name,) for name in _listed(text)]


def _of_type(ids: list[str], name: str) -> tuple[str, ...]:
    return tuple(i for i in ids if i.rpartition(".")[0] == name)


def groups(text: str) -> list[str]:
    """Split `(a)(b)` into its parts; a text without brackets is one part, an empty one none."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].split(")(")
    return [text] if text else []


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _nth(parts: list[str], index: int) -> str | None:
    if not parts:
        return None
    return parts[index] if index < len(parts) else parts[-1]


def _filter(text: str | None) -> Any:
    """Return the filter element of a text; prefixes that it does not declare are taken for the usual ones."""
    if text is None:
        return None
    found = xml.parse(declared(text), locator="filter")
    if xml.local(found) != "Filter":
        raise invalid("filter", xml.local(found))
    return found


_USUAL = {
    "ogc": "http://www.opengis.net/ogc",
    "fes": "http://www.opengis.net/fes/2.0",
    "gml": "http://www.opengis.net/gml",
    "app": "http://www.ocopmap.vn/ns",
    "xlink": "http://www.w3.org/1999/xlink",
}


def declared(text: str) -> str:
    """Return a fragment of XML in which every prefix that it uses is declared."""
    used = set(re.findall(r"</?\s*([A-Za-z_][\w.-]*):", text))
    bare = used - set(re.findall(r"xmlns:([A-Za-z_][\w.-]*)\s*=", text))
    start = re.search(r"<[A-Za-z_][\w.:-]*", text)
    if not bare or start is None:
        return text
    added = "".join(f' xmlns:{p}="{_USUAL.get(p, f"urn:x-prefix:{p}")}"' for p in sorted(bare))
    return text[: start.end()] + added + text[start.end() :]


def _properties(text: str | None) -> tuple[str, ...] | None:
    names = _listed(text or "")
    return None if not names or "*" in names else tuple(names)


def _sort(text: str | None) -> tuple[tuple[str, bool], ...]:
    found: list[tuple[str, bool]] = []
    for part in _listed(text or ""):
        name, _, direction = part.partition(" ")
        direction = direction.strip().upper() or "ASC"
        if direction not in _DESCENDING | _ASCENDING:
            raise invalid("sortBy", part)
        found.append((name, direction in _DESCENDING))
    return tuple(found)


def namespaces(keys: Keys) -> dict[str, str]:
    """Return the prefixes that the request declares; the default namespace stands under the empty name."""
    text = keys.get("NAMESPACES", "NAMESPACE") or ""
    return {prefix.strip(): uri for prefix, uri in _NAMESPACE.findall(text)}
