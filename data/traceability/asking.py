"""Query parameters of EPCIS 2.0, each as a condition on events.

A parameter's values come as the address or a named query gives them: texts joined by `|`, lists, numbers, booleans.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from data.traceability import places
from data.traceability.facts import (
    SENSOR_NUMBERS,
    SENSOR_TEXTS,
    expanded,
    kept_text,
    number_of,
    time_of,
    word,
)
from data.traceability.identifiers import canonical
from data.traceability.tables import TraceEvent, TraceEventFact, TraceEventItem, TraceItem
from gis.errors import Refusal

Condition: TypeAlias = sa.ColumnElement[bool]
Compare: TypeAlias = Callable[[Any, Any], Any]

EVENT_TYPES: Final = (
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
)
ACTIONS: Final = ("ADD", "OBSERVE", "DELETE")
MOST_VALUES: Final = 500

_COMPARE: Final[Mapping[str, Compare]] = {
    "GE": operator.ge,
    "LT": operator.lt,
    "GT": operator.gt,
    "LE": operator.le,
}
_TIMES: Final = {"eventTime": TraceEvent.event_time, "recordTime": TraceEvent.record_time}
_FACT_TIMES: Final = {
    "errorDeclarationTime": "errorDeclarationTime",
    "errorDeclaration_Time": "errorDeclarationTime",
    "time": "time",
    "startTime": "startTime",
    "endTime": "endTime",
}
_PLACES: Final = {"readPoint": TraceEvent.read_point, "bizLocation": TraceEvent.biz_location}
_WORDS: Final = {"bizStep": TraceEvent.biz_step, "disposition": TraceEvent.disposition}
_WORD_FACTS: Final = (
    "persistentDisposition_set",
    "persistentDisposition_unset",
    "errorReason",
    "type",
    "component",
    "exception",
)
_TEXT_FACTS: Final = (*SENSOR_TEXTS, "correctiveEventID", "certificationInfo")
_TYPED: Final = re.compile(r"^(bizTransaction|source|destination)_(.+)$")
_MEASURED: Final = re.compile(rf"^({'|'.join(SENSOR_NUMBERS)}|quantity)_([A-Z0-9]{{2,4}})$")
#: What MATCH_… looks at: the roles of things, and whether it asks for classes (lots and kinds of goods).
_MATCHES: Final[Mapping[str, tuple[tuple[str, ...], bool | None]]] = {
    "epc": (("epc", "child"), False),
    "parentID": (("parent",), None),
    "inputEPC": (("input",), False),
    "outputEPC": (("output",), False),
    "anyEPC": (("epc", "child", "parent", "input", "output"), False),
    "epcClass": (("epc", "child"), True),
    "inputEPCClass": (("input",), True),
    "outputEPCClass": (("output",), True),
    "anyEPCClass": (("epc", "child", "input", "output"), True),
}
_CLASSES: Final = ("lot", "class")
_SINGLE: Final = ("instance", "sscc")
#: Where an extension field may stand, as parameters say it and as facts do.
_STANDS: Final = (
    ("ILMD_", "ILMD:"),
    ("ERROR_DECLARATION_", "ERROR_DECLARATION:"),
    ("SENSORELEMENT_", "SENSORELEMENT:"),
    ("SENSORMETADATA_", "SENSORMETADATA:"),
    ("SENSORREPORT_", "SENSORREPORT:"),
    ("readPoint_", "readPoint:"),
    ("bizLocation_", "bizLocation:"),
)
#: Units that can be told in one another: code → (what is measured, factor, offset) to a common base.
_UNITS: Final[Mapping[str, tuple[str, float, float]]] = {
    "CEL": ("temperature", 1.0, 273.15),
    "KEL": ("temperature", 1.0, 0.0),
    "FAH": ("temperature", 5 / 9, 459.67 * 5 / 9),
    "MGM": ("mass", 1e-6, 0.0),
    "GRM": ("mass", 1e-3, 0.0),
    "KGM": ("mass", 1.0, 0.0),
    "TNE": ("mass", 1e3, 0.0),
    "LBR": ("mass", 0.45359237, 0.0),
    "MLT": ("volume", 1e-3, 0.0),
    "LTR": ("volume", 1.0, 0.0),
    "MTQ": ("volume", 1e3, 0.0),
    "MMT": ("length", 1e-3, 0.0),
    "CMT": ("length", 1e-2, 0.0),
    "MTR": ("length", 1.0, 0.0),
    "KMT": ("length", 1e3, 0.0),
    "PAL": ("pressure", 1.0, 0.0),
    "KPA": ("pressure", 1e3, 0.0),
    "BAR": ("pressure", 1e5, 0.0),
}


class BadQuery(Refusal):
    """A query parameter is unknown or its value cannot be used; `parameter` says which."""

    def __init__(self, message: str, *, parameter: str, **facts: object) -> None:
        super().__init__(message, parameter=parameter, **facts)
        self.parameter = parameter


def condition(name: str, value: Any, prefixes: Mapping[str, str]) -> Condition | None:
    """Turn one parameter into a condition on events; None when it asks for nothing. Raises BadQuery."""
    verb, _, field = name.partition("_")
    if name == "eventType":
        return TraceEvent.type.in_([_event_type(text, prefixes) for text in _texts(name, value)])
    if verb == "EQ" and field:
        return _equal(name, field, value, prefixes)
    if verb in _COMPARE and field:
        return _compared(name, verb, field, value, prefixes)
    if verb == "MATCH" and field in _MATCHES:
        roles, classes = _MATCHES[field]
        return _match(_texts(name, value), roles, classes)
    if verb == "WD" and field in _PLACES:
        return places.within(_PLACES[field], _texts(name, value))
    if verb == "EXISTS" and field:
        return _exists(name, field, value, prefixes)
    raise BadQuery("Không có tham số “%(parameter)s”.", parameter=name)


# ---- EQ


def _equal(name: str, field: str, value: Any, prefixes: Mapping[str, str]) -> Condition:
    if field == "quantity" or _MEASURED.match(field):
        return _measures(name, field, operator.eq, _numbers(name, value))
    if field == "percRank":
        return _has(field, TraceEventFact.number.in_(_numbers(name, value)))
    if field == "booleanValue":
        return _has(field, TraceEventFact.text == ("true" if _boolean(name, value) else "false"))
    texts = _texts(name, value)
    if field == "action":
        return TraceEvent.action.in_([_action(name, text) for text in texts])
    if field in _WORDS:
        return _WORDS[field].in_(_either(texts, lambda text: word(text, prefixes)))
    if field in _PLACES:
        return _PLACES[field].in_(_either(texts, canonical))
    if field == "transformationID":
        return TraceEvent.transformation_id.in_(_either(texts, canonical))
    if field == "eventID":
        return TraceEvent.event_id.in_(texts)
    if field in _WORD_FACTS:
        return _has(field, TraceEventFact.text.in_(_either(texts, lambda text: word(text, prefixes))))
    if field in _TEXT_FACTS:
        return _has(field, TraceEventFact.text.in_([kept_text(t) for t in _either(texts, canonical)]))
    if (found := _TYPED.match(field)) and ":" not in field.split("_", 1)[0]:
        typed = f"{found[1]}_{word(found[2], prefixes)}"
        return _has(typed, TraceEventFact.text.in_([kept_text(t) for t in _either(texts, canonical)]))
    return _has(_extension(name, field, prefixes), _any_reading(texts))


def _any_reading(texts: Sequence[str]) -> Condition:
    """A value of an extension field equals a text, or the number or moment that the text stands for."""
    readings: list[Condition] = [TraceEventFact.text.in_([kept_text(text) for text in texts])]
    if numbers := [n for text in texts if (n := number_of(text)) is not None]:
        readings.append(TraceEventFact.number.in_(numbers))
    if times := [t for text in texts if (t := time_of(text)) is not None]:
        readings.append(TraceEventFact.time.in_(times))
    return sa.or_(*readings)


def _event_type(text: str, prefixes: Mapping[str, str]) -> str:
    if text not in EVENT_TYPES and ":" not in text:
        raise BadQuery(
            "Không có loại sự kiện “%(value)s”; các loại: %(known)s.",
            parameter="eventType",
            value=text,
            known=", ".join(EVENT_TYPES),
        )
    return expanded(text, prefixes)


def _action(name: str, text: str) -> str:
    if text not in ACTIONS:
        raise BadQuery("Tham số “%(parameter)s” nhận ADD, OBSERVE hoặc DELETE.", parameter=name)
    return text


def _either(texts: Iterable[str], other: Callable[[str], str]) -> list[str]:
    return list(dict.fromkeys(form for text in texts for form in (text, other(text))))


# ---- GE, LT, GT, LE


def _compared(name: str, verb: str, field: str, value: Any, prefixes: Mapping[str, str]) -> Condition:
    compare = _COMPARE[verb]
    if field in _TIMES or field in _FACT_TIMES:
        if verb not in ("GE", "LT"):
            raise BadQuery("Không có tham số “%(parameter)s”.", parameter=name)
        moment = _moment(name, value)
        if field in _TIMES:
            return compare(_TIMES[field], moment)
        return _has(_FACT_TIMES[field], compare(TraceEventFact.time, moment))
    if field == "quantity" or _MEASURED.match(field):
        return _measures(name, field, compare, _numbers(name, value)[:1])
    if field == "percRank":
        return _has(field, compare(TraceEventFact.number, _numbers(name, value)[0]))
    fact = _extension(name, field, prefixes)
    (text,) = _texts(name, value)[:1]
    if (number := number_of(text)) is not None:
        return _has(fact, compare(TraceEventFact.number, number))
    return _has(fact, compare(TraceEventFact.time, _moment(name, text)))


def _measures(name: str, field: str, compare: Compare, numbers: Sequence[float]) -> Condition:
    """Compare measured values, told in the unit asked for or in one that can be told in it."""
    measured, _, unit = field.partition("_")
    if measured == "quantity":
        amounts = [
            sa.and_(*([] if u is None else [TraceEventItem.uom == u]), compare(TraceEventItem.quantity, n))
            for number in numbers
            for u, n in (_in_units(unit, number, measured) if unit else [(None, number)])
        ]
        return TraceEvent.id.in_(sa.select(TraceEventItem.event_id).where(sa.or_(*amounts)))
    readings = [
        sa.and_(TraceEventFact.name == f"{measured}_{u}", compare(TraceEventFact.number, n))
        for number in numbers
        for u, n in _in_units(unit, number, measured)
    ]
    return TraceEvent.id.in_(sa.select(TraceEventFact.event_id).where(sa.or_(*readings)))


def _in_units(unit: str, number: float, measured: str) -> list[tuple[str, float]]:
    """List the same amount in every unit in which it may have been recorded, the unit asked for first."""
    found = [(unit, number)]
    if unit in _UNITS:
        kind, factor, offset = _UNITS[unit]
        shift = 0.0 if measured == "sDev" else 1.0
        base = number * factor + offset * shift
        found += [
            (other, round((base - away * shift) / scale, 9))
            for other, (what, scale, away) in _UNITS.items()
            if what == kind and other != unit
        ]
    return found


# ---- MATCH, EXISTS


def _match(texts: Sequence[str], roles: Sequence[str], classes: bool | None) -> Condition:
    wanted = [_pattern(text) if ":idpat:" in text and not classes else None for text in texts]
    exact = [canonical(text) for text, like in zip(texts, wanted, strict=True) if like is None]
    named: list[Condition] = [TraceItem.uri.in_(exact)] if exact else []
    named += [TraceItem.uri.like(like, escape="\\") for like in wanted if like is not None]
    rules = [sa.or_(*named), TraceEventItem.role.in_(roles)]
    if classes is not None:
        rules.append(TraceItem.kind.not_in(_SINGLE if classes else _CLASSES))
    things = (
        sa.select(TraceEventItem.event_id)
        .join(TraceItem, TraceItem.id == TraceEventItem.item_id)
        .where(*rules)
    )
    return TraceEvent.id.in_(things)


def _pattern(text: str) -> str:
    """Return the LIKE pattern of canonical names that an EPC pattern URI stands for."""
    scheme, _, rest = text.partition(":idpat:")[2].partition(":")
    parts = [_literal(part) for part in rest.split(".")]
    if "*" not in parts:
        return _literal(canonical(text.replace(":idpat:", ":id:")))
    if scheme == "sgtin" and len(parts) == 3:
        if parts[1] == "*":
            return f"https://id.gs1.org/01/_{parts[0]}%"
        return _literal(canonical(f"urn:epc:idpat:sgtin:{parts[0]}.{parts[1]}.*")) + "/%"
    if scheme == "sscc" and len(parts) == 2:
        return f"https://id.gs1.org/00/_{parts[0]}%"
    start = rest.split("*", 1)[0]
    return _literal(f"urn:epc:id:{scheme}:{start}") + "%"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _exists(name: str, field: str, value: Any, prefixes: Mapping[str, str]) -> Condition | None:
    if value is not None and str(value).lower() in ("false", "0"):
        return None
    if value is not None and str(value).lower() not in ("", "true", "1", "null"):
        raise BadQuery("Tham số “%(parameter)s” nhận true hoặc false.", parameter=name)
    if field in ("errorDeclaration", "sensorElementList"):
        return _has(field)
    return _has(_extension(name, field, prefixes))


def _has(fact: str, *rules: Condition) -> Condition:
    facts = sa.select(TraceEventFact.event_id).where(TraceEventFact.name == kept_text(fact), *rules)
    return TraceEvent.id.in_(facts)


def _extension(name: str, field: str, prefixes: Mapping[str, str]) -> str:
    """Return the fact's name of an extension field that a parameter names. Raises BadQuery."""
    inner = field.startswith("INNER_")
    field = field.removeprefix("INNER_")
    place = ""
    for written, kept in _STANDS:
        if field.startswith(written):
            field, place = field.removeprefix(written), kept
            break
    if ":" not in field:
        raise BadQuery("Không có tham số “%(parameter)s”.", parameter=name)
    return ("INNER:" if inner else "") + place + whole_name(name, field, prefixes)


def whole_name(name: str, field: str, prefixes: Mapping[str, str]) -> str:
    """Return an extension field with its prefix resolved. Raises BadQuery for a prefix that nobody declared."""
    prefix = field.partition(":")[0]
    if prefix not in prefixes and prefix not in ("http", "https", "urn"):
        raise BadQuery(
            "Chưa biết tiền tố “%(prefix)s” của “%(parameter)s”; hãy khai báo trong @context của truy vấn hoặc "
            "đầu đề GS1-Extensions, ví dụ: %(prefix)s=https://example.com/.",
            parameter=name,
            prefix=prefix,
        )
    return expanded(field, prefixes)


# ---- values


def _raw(name: str, value: Any) -> list[Any]:
    found = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if not found or len(found) > MOST_VALUES or any(v is None or isinstance(v, dict | list) for v in found):
        raise BadQuery(
            "Tham số “%(parameter)s” cần từ 1 đến %(most)s giá trị, cách nhau bằng dấu |.",
            parameter=name,
            most=MOST_VALUES,
        )
    return found


def _texts(name: str, value: Any) -> list[str]:
    texts = [("true" if v else "false") if isinstance(v, bool) else str(v) for v in _raw(name, value)]
    if any(not text or "\x00" in text for text in texts):
        raise BadQuery("Tham số “%(parameter)s” có giá trị trống hoặc không đọc được.", parameter=name)
    return texts


def _numbers(name: str, value: Any) -> list[float]:
    found = [number_of(v.strip() if isinstance(v, str) else v) for v in _raw(name, value)]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        raise BadQuery("Tham số “%(parameter)s” phải là số.", parameter=name)
    return numbers


def _moment(name: str, value: Any) -> dt.datetime:
    # A plus sign of a zone arrives as a space where the caller forgot to encode it.
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", value) if isinstance(value, str) else value
    moment = time_of(text)
    if moment is None:
        raise BadQuery(
            "Tham số “%(parameter)s” phải là thời điểm có múi giờ, ví dụ 2026-05-01T00:00:00+07:00.",
            parameter=name,
        )
    return moment


def _boolean(name: str, value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise BadQuery("Tham số “%(parameter)s” phải là true hoặc false.", parameter=name)
    return str(value).lower() == "true"
