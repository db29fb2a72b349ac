"""Stored queries: GetFeatureById, which every service has, and those that editors store under an identifier.

Source: OGC 09-025r2, clauses 7.9.3 and 14.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from data import wfs as kept
from data.accounts import EDITORS_OF_ALL, Actor
from layers import catalogue
from layers.edit import NotAllowed
from services import context
from services.formats.gml import NAMESPACE, PREFIX
from services.wfs import posts, queries, requests, xml
from services.wfs.dialects import WFS20, XSD, XSI, Dialect
from services.wfs.exceptions import INVALID, OwsError, invalid, missing
from services.wfs.names import id_of, type_name
from services.wfs.queries import Ask
from services.wfs.requests import Query, StoredCall
from services.wfs.xml import Writer

#: The identifiers of GetFeatureById in 2.0.0 and in 2.0.2.
BY_ID = (
    "urn:ogc:def:query:OGC-WFS::GetFeatureById",
    "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById",
)
LANGUAGES = (
    "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression",
    "urn:ogc:def:queryLanguage:OGC-WFS::WFS_QueryExpression",
)
MOST_QUERIES = 500
LONGEST_DEFINITION = 100_000
_PLACE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")

_BY_ID_DEFINITION = """<StoredQueryDefinition xmlns="http://www.opengis.net/wfs/2.0" id="">
<Title>GetFeatureById</Title>
<Parameter name="id" type="xsd:string" xmlns:xsd="http://www.w3.org/2001/XMLSchema"/>
<QueryExpressionText isPrivate="true" language="{language}" returnFeatureTypes=""/>
</StoredQueryDefinition>"""


@dataclass(frozen=True)
class Definition:
    """A stored query: its identifier and its definition as an element."""

    identifier: str
    element: Any
    account_id: int | None = None

    @property
    def expressions(self) -> list[Any]:
        """The QueryExpressionText elements."""
        return list(xml.children(self.element, "QueryExpressionText"))

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return [p.get("name") or "" for p in xml.children(self.element, "Parameter")]


def definitions() -> list[Definition]:
    """List all stored queries, those of the standard first."""
    own = [
        Definition(q.identifier, xml.parse(q.definition), q.account_id)
        for q in kept.stored_queries(context.session())
    ]
    return [*(_by_id(identifier) for identifier in BY_ID), *own]


def _by_id(identifier: str) -> Definition:
    element = xml.parse(_BY_ID_DEFINITION.format(language=LANGUAGES[0]))
    element.set("id", identifier)
    return Definition(identifier, element)


def _find(identifier: str, locator: str) -> Definition:
    if identifier in BY_ID:
        return _by_id(identifier)
    found = kept.stored_query(context.session(), identifier)
    if found is None:
        raise OwsError(
            "Không có truy vấn lưu sẵn “%(id)s”.", code=INVALID, locator=locator, id=identifier[:200]
        )
    return Definition(identifier, xml.parse(found.definition), found.account_id)


# ---- calling


def asks_of(
    asked: Sequence[Query | StoredCall], dialect: Dialect, actor: Actor, *, locator: str = "STOREDQUERY_ID"
) -> list[Ask]:
    """Return the questions of all queries of a request, stored ones with their parameters filled in."""
    found: list[Ask] = []
    for query in asked:
        if isinstance(query, StoredCall):
            found += _call(query, dialect, actor, locator)
        else:
            found += queries.understand(query, dialect, actor)
    return found


def _call(call: StoredCall, dialect: Dialect, actor: Actor, locator: str) -> list[Ask]:
    parameters = {name.upper(): value for name, value in call.parameters.items()}
    if call.identifier in BY_ID:
        return [_feature_by_id(parameters, dialect, actor)]
    definition = _find(call.identifier, locator)
    for name in definition.parameters:
        if name.upper() not in parameters:
            raise missing(name)
    filled = [copy.deepcopy(e) for text in definition.expressions for e in xml.children(text, "Query")]
    found: list[Ask] = []
    for element in filled:
        _fill(element, parameters)
        query = posts.query(element)
        spaces = {**query.namespaces, **call.namespaces}
        found += queries.understand(replace(query, namespaces=spaces), dialect, actor)
    return found


def _feature_by_id(parameters: Mapping[str, str], dialect: Dialect, actor: Actor) -> Ask:
    wanted = parameters.get("ID")
    if not wanted:
        raise missing("id")
    known = id_of(wanted)
    layer = known.layer if known else catalogue.LAYERS[0]
    (ask,) = queries.understand(Query(type_names=(layer.id,), ids=(wanted,)), dialect, actor)
    return replace(ask if known else queries.nothing(ask), bare=True)


def _fill(element: Any, parameters: Mapping[str, str]) -> None:
    """Put values into the places `${name}`; a value that is an element itself stands where only its place was."""
    for part in list(element.iter("{*}*")):
        for name, value in part.attrib.items():
            part.set(name, _filled(value, parameters))
        text = part.text or ""
        alone = _PLACE.fullmatch(text.strip())
        value = parameters.get(alone[1].upper(), "").strip() if alone else ""
        if value.startswith("<"):
            part.text = None
            part.append(xml.parse(value, locator=alone[1] if alone else "request"))
        elif text:
            part.text = _filled(text, parameters)


def _filled(text: str, parameters: Mapping[str, str]) -> str:
    def value(place: re.Match[str]) -> str:
        found = parameters.get(place[1].upper())
        if found is None:
            raise missing(place[1])
        return found

    return _PLACE.sub(value, text)


# ---- listing and describing


def list_all(request: requests.ListStoredQueries) -> Response:
    """Answer ListStoredQueries."""
    wfs = Writer(WFS20)
    root = _root(wfs, "ListStoredQueriesResponse", request.dialect)
    for definition in definitions():
        part = wfs.add(root, "StoredQuery", id=definition.identifier)
        for title in xml.children(definition.element, "Title"):
            wfs.add(part, "Title", xml.text_of(title))
        for name in _returned(definition):
            wfs.add(part, "ReturnFeatureType", name)
    return _answer(root)


def describe(request: requests.DescribeStoredQueries) -> Response:
    """Answer DescribeStoredQueries; what is private in a definition is left out."""
    wfs = Writer(WFS20)
    root = _root(wfs, "DescribeStoredQueriesResponse", request.dialect)
    wanted = [_find(i, "STOREDQUERY_ID") for i in request.identifiers] or definitions()
    for definition in wanted:
        part = wfs.add(root, "StoredQueryDescription", id=definition.identifier)
        for name in ("Title", "Abstract", "Metadata", "Parameter"):
            for element in xml.children(definition.element, name):
                part.append(copy.deepcopy(element))
        for element in definition.expressions:
            shown = copy.deepcopy(element)
            if (shown.get("isPrivate") or "").lower() in ("true", "1"):
                for child in list(shown):
                    shown.remove(child)
                shown.text = None
            shown.set("returnFeatureTypes", " ".join(_returned(definition)))
            part.append(shown)
    return _answer(root)


def _returned(definition: Definition) -> list[str]:
    """The types that a stored query may return: those that it names, or all."""
    named = {n for text in definition.expressions for n in (text.get("returnFeatureTypes") or "").split()}
    known = [type_name(layer) for layer in catalogue.LAYERS]
    return [name for name in known if name in named or name.rpartition(":")[2] in named] or known


# ---- storing and dropping


def create(request: requests.CreateStoredQuery) -> Response:
    """Answer CreateStoredQuery: keep all definitions or none. Raises OwsError or NotAllowed."""
    actor = context.actor()
    _may_store(actor)
    with context.store().writing() as session:
        if len(kept.stored_queries(session)) + len(request.definitions) > MOST_QUERIES:
            raise OwsError("Đã có quá nhiều truy vấn lưu sẵn.", code=INVALID, locator="StoredQueryDefinition")
        for element in request.definitions:
            identifier = _checked(element)
            if identifier in BY_ID or kept.stored_query(session, identifier) is not None:
                raise OwsError(
                    "Đã có truy vấn lưu sẵn “%(id)s”.",
                    code="DuplicateStoredQueryIdValue",
                    locator=identifier,
                    id=identifier,
                )
            session.add(
                kept.StoredQuery(
                    identifier=identifier, definition=xml.fragment(element), account_id=actor.account_id
                )
            )
            session.flush()
    context.renew_session()
    return _status("CreateStoredQueryResponse", request.dialect)


def _may_store(actor: Actor) -> None:
    if not actor.may_edit_something:
        raise NotAllowed("Bạn không có quyền lưu hay xóa truy vấn.")


def _checked(element: Any) -> str:
    """Return the identifier of a definition that can be kept. Raises OwsError."""
    identifier = (element.get("id") or "").strip()
    if not identifier or len(identifier) > 500:
        raise missing("id")
    xml.limit(element, locator=identifier)
    if len(xml.fragment(element)) > LONGEST_DEFINITION:
        raise OwsError("Định nghĩa truy vấn quá dài.", code=INVALID, locator=identifier)
    names = [p.get("name") or "" for p in xml.children(element, "Parameter")]
    for name in names:
        if names.count(name) > 1:
            raise OwsError(
                "Tham số “%(name)s” có hai lần.",
                code="DuplicateStoredQueryParameterName",
                locator=name,
                name=name,
            )
    expressions = list(xml.children(element, "QueryExpressionText"))
    if not expressions:
        raise missing("QueryExpressionText")
    for text in expressions:
        if text.get("language") not in LANGUAGES:
            raise invalid("language", text.get("language"))
        if next(xml.children(text, "Query"), None) is None:
            raise missing("Query")
    return identifier


def drop(request: requests.DropStoredQuery) -> Response:
    """Answer DropStoredQuery. Raises OwsError or NotAllowed."""
    actor = context.actor()
    _may_store(actor)
    with context.store().writing() as session:
        found = kept.stored_query(session, request.identifier)
        if found is None:
            raise OwsError(
                "Không có truy vấn lưu sẵn “%(id)s” để xóa.",
                code=INVALID,
                locator="id",
                id=request.identifier[:200],
            )
        if actor.role not in EDITORS_OF_ALL and found.account_id != actor.account_id:
            raise NotAllowed("Truy vấn này là của người khác.")
        session.delete(found)
    context.renew_session()
    return _status("DropStoredQueryResponse", request.dialect)


def _status(name: str, dialect: Dialect) -> Response:
    root = _root(Writer(WFS20), name, dialect)
    root.set("status", "OK")
    return _answer(root)


def _root(wfs: Writer, name: str, dialect: Dialect) -> Any:
    root = wfs.root(name, {"wfs": WFS20, PREFIX: NAMESPACE, "xsi": XSI, "xsd": XSD})
    root.set(f"{{{XSI}}}schemaLocation", f"{WFS20} {dialect.schema}")
    return root


def _answer(root: Any) -> Response:
    response = Response(xml.to_bytes(root), content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
