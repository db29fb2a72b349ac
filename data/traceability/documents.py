"""EPCIS 2.0 documents: reading them within limits, their events, and their faults in plain sentences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from data.traceability import epcisschema, epcisterms
from data.traceability.documentlimits import DocumentError, TooLarge, check_limits, parsed
from data.traceability.epcisschema import Step
from data.traceability.epcurns import digital_link_of
from data.traceability.faultsentences import fault_of
from data.traceability.findings import Fault, Repair, path_of, shown
from data.traceability.identifiers import CANONICAL_STEM, IdentifierError, parse
from data.traceability.repairs import repaired
from gis.errors import marked

__all__ = ["DocumentError", "Fault", "Repair", "TooLarge", "events_of", "faults", "parsed", "repaired"]

MOST_FAULTS = 100

_URN = re.compile(r"urn:epc:(?:id|class):([a-z]+):", re.ASCII)
_URN_SCHEMES = frozenset(
    {"cpi", "gdti", "giai", "ginc", "grai", "gsin", "gsrn", "gsrnp", "itip", "lgtin", "pgln", "sgcn", "sgln"}
    | {"sgtin", "sscc", "upui"}
)
_EXTENDED = ("readPoint", "bizLocation", "errorDeclaration", "ilmd")
_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_PAIRS = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}

_PREFIX = marked(
    "Tiền tố “%(prefix)s” của trường “%(name)s” chưa được khai báo trong @context; "
    "hãy thêm {“%(prefix)s”: “địa chỉ không gian tên”} hoặc viết tên trường bằng URI đầy đủ."
)
_WRONG_URN = marked(
    "“%(value)s” không đúng cú pháp EPC URN dạng %(scheme)s; hãy xem lại tiền tố doanh nghiệp và số chữ số."
)
_WRONG_LINK = marked("“%(value)s” không phải GS1 Digital Link hợp lệ: %(reason)s")
_MORE = marked("Còn lỗi nữa; hãy sửa những lỗi đã nêu rồi kiểm tra lại.")


def events_of(document: Any) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the events of a document, a query's answer, a list or an event alone, and the context they share.

    An event that stands alone gives its own @context up to the list; an event inside a document keeps its own.
    """
    check_limits(document)
    if isinstance(document, list):
        return [dict(_an_event(event)) for event in document], []
    found = _an_event(document)
    context = epcisterms.contexts(found.get("@context"))
    if epcisschema.list_steps(found) is None:
        return [{name: value for name, value in found.items() if name != "@context"}], context
    return [dict(_an_event(event)) for _, event in epcisschema.placed_events(found)], context


def _an_event(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError("Mỗi tài liệu hay sự kiện EPCIS phải là một đối tượng JSON.")
    return value


def faults(document: Any) -> list[Fault]:
    """Return what the standard does not allow in a document, at most a hundred; nothing if it is valid.

    A list is read as events whose context stands elsewhere. Raises TooLarge beyond the limits. Sources: EPCIS 2.0
    (clauses 7 and 10, JSON binding), CBV 2.0 (clauses 7 and 8).
    """
    check_limits(document)
    found = list(
        itertools.islice(itertools.chain(_of_schema(document), _of_meaning(document)), MOST_FAULTS + 1)
    )
    return found if len(found) <= MOST_FAULTS else [*found[:MOST_FAULTS], Fault("$", _MORE)]


def _of_schema(document: Any) -> Iterator[Fault]:
    if not isinstance(document, list):
        validator = epcisschema.of_documents()
        if not validator.is_valid(document):
            yield from (fault_of(error, document) for error in validator.iter_errors(document))
        return
    validator = epcisschema.of_events()
    for at, event in enumerate(document):
        if not validator.is_valid(event):
            yield from (fault_of(error, document, (at,)) for error in validator.iter_errors(event))


def _of_meaning(document: Any) -> Iterator[Fault]:
    """Yield what the schema cannot tell: prefixes that nobody declared, identifiers that name nothing."""
    outer = document.get("@context") if isinstance(document, Mapping) else None
    unknown = isinstance(document, list)
    for number, (steps, event) in enumerate(epcisschema.placed_events(document), start=1):
        if not isinstance(event, Mapping):
            continue
        inner = event.get("@context")
        if not unknown and not epcisterms.foreign(outer, inner):
            known = epcisterms.namespaces(outer, inner)
            yield from _of_prefixes(event, steps, number, known)
        yield from _of_names(event, steps, number)


def _of_prefixes(
    event: Mapping[str, Any], steps: tuple[Step, ...], number: int, known: Mapping[str, str]
) -> Iterator[Fault]:
    for place, held in _open_places(event, steps):
        for name in held:
            prefix = epcisterms.undeclared(name, known)
            if prefix and epcisschema.is_uri(name):
                facts = {"prefix": shown(prefix), "name": shown(name)}
                yield Fault(path_of((*place, name)), _PREFIX, facts, number)


def _open_places(
    event: Mapping[str, Any], steps: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], Mapping[str, Any]]]:
    """Yield the objects of an event that the standard opens to extensions."""
    yield steps, event
    for name in _EXTENDED:
        if isinstance(event.get(name), Mapping):
            yield (*steps, name), event[name]
    for at, element in _items(event, "sensorElementList"):
        place = (*steps, "sensorElementList", at)
        yield place, element
        if isinstance(element.get("sensorMetadata"), Mapping):
            yield (*place, "sensorMetadata"), element["sensorMetadata"]
        for nth, report in _items(element, "sensorReport"):
            yield (*place, "sensorReport", nth), report


def _items(held: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    listed = held.get(name)
    if isinstance(listed, list):
        yield from ((at, each) for at, each in enumerate(listed) if isinstance(each, Mapping))


def _of_names(event: Mapping[str, Any], steps: tuple[Step, ...], number: int) -> Iterator[Fault]:
    for place, value in _names(event):
        if isinstance(value, str):
            wrong = _wrong_name(value)
            if wrong:
                yield Fault(path_of((*steps, *place)), *wrong, number)


def _names(event: Mapping[str, Any]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Yield what an event names with EPCs and GS1 keys."""
    yield ("parentID",), event.get("parentID")
    for name in _LISTS:
        if isinstance(event.get(name), list):
            yield from (((name, at), each) for at, each in enumerate(event[name]))
    for name in _QUANTITIES:
        yield from (((name, at, "epcClass"), each.get("epcClass")) for at, each in _items(event, name))
    for name, key in _PAIRS.items():
        yield from (((name, at, key), each.get(key)) for at, each in _items(event, name))
    for name in ("readPoint", "bizLocation"):
        if isinstance(event.get(name), Mapping):
            yield (name, "id"), event[name].get("id")


def _wrong_name(value: str) -> tuple[str, dict[str, Any]] | None:
    """Return the sentence about an EPC URN or a Digital Link of GS1's own host that is not well formed."""
    urn = _URN.match(value)
    if urn is not None:
        if urn[1] in _URN_SCHEMES and digital_link_of(value) is None:
            return _WRONG_URN, {"value": shown(value), "scheme": urn[1]}
        return None
    if value.startswith(CANONICAL_STEM + "/") and not any(
        f"/{word}/" in value for word in epcisterms.KEY_WORDS
    ):
        try:
            parse(value, strict=False)
        except IdentifierError as error:
            return _WRONG_LINK, {"value": shown(value), "reason": str(error)}
    return None
