"""A sentence for each thing that the JSON Schema of EPCIS can find: what stands there and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

from data.text import fold
from data.traceability import epcisschema
from data.traceability.epcisschema import Step
from data.traceability.findings import Fault, path_of, shown
from gis.errors import marked

Said = tuple[str, dict[str, Any]]

_MISSING = marked("Thiếu trường “%(name)s” ở %(of)s.")
_NO_CONTEXT = marked("Thiếu “@context”; mục đầu tiên phải là địa chỉ ngữ cảnh JSON-LD của EPCIS.")
_WRONG_TYPE = marked("“%(name)s” phải là %(expected)s, nhưng ở đây là %(got)s.")
_WRONG_WORD = marked(
    "“%(value)s” không có trong từ vựng %(name)s của CBV; hãy dùng từ của CBV hoặc một URI riêng."
)
_NEAR_WORD = marked("“%(value)s” không có trong từ vựng %(name)s của CBV; từ gần nhất là “%(near)s”.")
_ONE_OF = marked("“%(name)s” phải là một trong %(options)s, nhưng ở đây là “%(value)s”.")
_BARE_WORD = marked("“%(value)s” phải viết bằng từ trần của CBV trong JSON: “%(near)s”.")
_NO_LONG_WORD = marked(
    "“%(value)s” là từ vựng của GS1 viết bằng URI; trong JSON phải viết bằng từ trần của CBV."
)
_UNKNOWN_EVENT = marked(
    "“%(value)s” không phải loại sự kiện của EPCIS 2.0, cũng không phải URI của loại mở rộng; hãy dùng %(options)s."
)
_OFFSET = marked("“%(value)s” không phải độ lệch múi giờ; hãy viết dạng +07:00, từ -14:00 đến +14:00.")
_UOM = marked(
    "Đơn vị “%(value)s” phải là mã 2–3 chữ in hoa hoặc chữ số của UN/ECE (KGM, GRM, LTR); tính theo cái thì bỏ uom."
)
_HEX = marked("“%(value)s” phải gồm các chữ số thập lục phân 0–9, A–F.")
_VERSION = marked("“%(value)s” phải là số phiên bản, ví dụ “2.0”.")
_PATTERN = marked("“%(value)s” ở “%(name)s” không đúng dạng.")
_URI = marked("“%(value)s” không phải URI; hãy viết đầy đủ, ví dụ https://… hoặc urn:…")
_TIME = marked("“%(value)s” không phải thời điểm có múi giờ (RFC 3339), ví dụ 2026-11-23T08:30:00+07:00.")
_UNKNOWN = marked(
    "Trường “%(name)s” không có trong %(of)s; trường mở rộng phải có tiền tố đã khai báo (như ocop:…) hoặc là URI."
)
_NEAR_FIELD = marked("Trường “%(name)s” không có trong %(of)s; có lẽ là “%(near)s”.")
_CLOSED = marked("Trường “%(name)s” không được có trong %(of)s, chỉ được có %(options)s.")
_NO_ACTION = marked("TransformationEvent không có “action”; hãy bỏ trường này.")
_BAD_NAME = marked("Tên trường “%(name)s” không phải URI hay dạng tiền-tố:tên.")
_EMPTY = marked("Danh sách “%(name)s” không được rỗng.")
_TWICE = marked("Danh sách “%(name)s” có mục lặp lại.")
_SET = marked("persistentDisposition phải có “set” hoặc “unset”.")
_ILMD = marked("ilmd chỉ được có khi action là ADD, tức khi lô được tạo ra.")
_PARENT = marked("AggregationEvent có action là %(action)s phải có parentID, tức mã của thùng hay kiện.")
_OTHER = marked("Giá trị ở “%(name)s” không đúng chuẩn EPCIS 2.0.")

_NEEDS = {
    "ObjectEvent": marked(
        "ObjectEvent phải có epcList, hoặc quantityList không rỗng, hoặc sensorElementList cùng với readPoint."
    ),
    "AggregationEvent": marked(
        "AggregationEvent phải có childEPCs hoặc childQuantityList không rỗng; chỉ khi action là DELETE mới được bỏ."
    ),
    "AssociationEvent": marked(
        "AssociationEvent phải có childEPCs hoặc childQuantityList không rỗng; chỉ khi action là DELETE mới được bỏ."
    ),
    "TransactionEvent": marked(
        "TransactionEvent phải có epcList hoặc quantityList; chỉ khi action là DELETE mới được bỏ cả hai."
    ),
    "TransformationEvent": marked(
        "TransformationEvent phải có cả đầu vào (inputEPCList hoặc inputQuantityList) và đầu ra (outputEPCList hoặc "
        "outputQuantityList), hoặc có transformationID cùng với một trong bốn danh sách đó."
    ),
}

_TYPES = {
    "string": marked("chuỗi ký tự"),
    "number": marked("con số"),
    "boolean": marked("true hoặc false"),
    "object": marked("đối tượng {…}"),
    "array": marked("danh sách […]"),
    "null": marked("null"),
}
_DOCUMENT = marked("tài liệu")
_EVENT = marked("sự kiện")
_SHAPES = {
    "EPCISDocument": marked("tài liệu EPCISDocument"),
    "EPCISQueryDocument": marked("tài liệu EPCISQueryDocument"),
    "event": _EVENT,
    "ExtendedEvent": marked("sự kiện mở rộng"),
}
_PATTERNS = {"timeZoneOffset": _OFFSET, "version": _VERSION}
_FIELD_PATTERNS = {"uom": _UOM, "hexBinaryValue": _HEX}
_VOCABULARY = re.compile(
    r"urn:epcglobal:cbv:[a-z]+:(.+)|https?://ns\.gs1\.org/cbv/[A-Za-z]+-(.+)|https?://(?:www\.)?gs1\.org/voc/(.+)"
)


def fault_of(error: Any, document: Any, before: tuple[Step, ...] = ()) -> Fault:
    """Turn an error of the schema's validator into a fault; `before` leads to what was validated."""
    steps = (*before, *error.instance_path)
    message, facts = _SAYERS.get(error.kind.name, _other)(error, _Place(error, steps))
    if error.kind.name == "additionalProperties" and len(error.kind.unexpected) == 1:
        steps = (*steps, str(error.kind.unexpected[0]))
    return Fault(path_of(steps), message, facts, _event_number(steps, document))


def _event_number(steps: Sequence[Step], document: Any) -> int | None:
    if isinstance(document, list):
        return int(steps[0]) + 1
    for at, step in enumerate(steps[:-1]):
        if step == "eventList" and isinstance(steps[at + 1], int):
            return int(steps[at + 1]) + 1
    alone = isinstance(document, dict) and "type" in document and epcisschema.list_steps(document) is None
    return 1 if alone else None


class _Place:
    """Where in the document and in the schema an error stands."""

    def __init__(self, error: Any, steps: tuple[Step, ...]) -> None:
        names = [step for step in steps if isinstance(step, str)]
        self.name = names[-1] if names else _EVENT if steps else _DOCUMENT
        if steps and names and isinstance(steps[-1], int):
            self.name = f"{names[-1]}[{steps[-1]}]"
        self.is_event_type = names[-1:] == ["type"] and (len(steps) < 3 or steps[-3] == "eventList")
        path = list(error.schema_path)
        self.shape = str(path[1]) if path[:1] == ["$defs"] else ""

    @property
    def of(self) -> str:
        """What the fields belong to, by the name that people know."""
        if self.shape in _SHAPES:
            return _SHAPES[self.shape]
        return self.shape if self.shape and self.shape != "place" else self.name


def _required(error: Any, place: _Place) -> Said:
    name = error.kind.property
    if name == "@context":
        return _NO_CONTEXT, {}
    if name == "parentID" and place.shape == "AggregationEvent":
        return _PARENT, {"action": error.instance.get("action")}
    return _MISSING, {"name": name, "of": place.of}


def _type(error: Any, place: _Place) -> Said:
    types = error.kind.types
    names = [types] if isinstance(types, str) else list(types)
    expected = " hoặc ".join(_TYPES.get(name, name) for name in names)
    return _WRONG_TYPE, {"name": place.name, "expected": expected, "got": _TYPES[_type_of(error.instance)]}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def _enum(error: Any, place: _Place) -> Said:
    value, options = error.instance, [str(option) for option in error.kind.options]
    near = nearest(str(value), options)
    if len(options) <= 5:
        return _ONE_OF, {"name": place.name, "value": shown(value), "options": ", ".join(options)}
    if near is None:
        return _WRONG_WORD, {"name": place.shape, "value": shown(value)}
    return _NEAR_WORD, {"name": place.shape, "value": shown(value), "near": near}


def _constant(error: Any, place: _Place) -> Said:
    if place.shape == "ObjectEvent":
        return _ILMD, {}
    return _other(error, place)


def _pattern(error: Any, place: _Place) -> Said:
    value = error.instance
    if "else" in list(error.schema_path):
        found = _VOCABULARY.fullmatch(value)
        word = nearest(next(filter(None, found.groups())), epcisschema.words(place.shape)) if found else None
        said = (
            (_BARE_WORD, {"value": shown(value), "near": word})
            if word
            else (_NO_LONG_WORD, {"value": shown(value)})
        )
        return said
    message = _FIELD_PATTERNS.get(place.name) or _PATTERNS.get(place.shape, _PATTERN)
    return message, {"value": shown(value), "name": place.name}


def _format(error: Any, place: _Place) -> Said:
    if place.is_event_type:
        near = nearest(error.instance, epcisschema.EVENT_TYPES)
        options = near or ", ".join(epcisschema.EVENT_TYPES)
        return _UNKNOWN_EVENT, {"value": shown(error.instance), "options": options}
    return (_TIME if error.kind.format == "date-time" else _URI), {"value": shown(error.instance)}


def _additional(error: Any, place: _Place) -> Said:
    unexpected = [str(name) for name in error.kind.unexpected]
    name = unexpected[0]
    if place.shape == "TransformationEvent" and "action" in unexpected:
        return _NO_ACTION, {}
    shape = _shape(error)
    known = list(epcisschema.fields(shape))
    facts: dict[str, Any] = {"name": "”, “".join(map(shown, unexpected)), "of": place.of}
    near = nearest(name, known) if len(unexpected) == 1 else None
    if near:
        return _NEAR_FIELD, facts | {"near": near}
    if "patternProperties" in shape:
        return _UNKNOWN, facts
    return _CLOSED, facts | {"options": ", ".join(known)}


def _shape(error: Any) -> dict[str, Any]:
    """Return the object of the schema that an error's keyword stands in."""
    found: Any = epcisschema.schema()
    for step in list(error.schema_path)[:-1]:
        found = found[step]
    return dict(found)


def _name(error: Any, place: _Place) -> Said:
    return _BAD_NAME, {"name": shown(getattr(error.kind.error, "instance", ""))}


def _any_of(error: Any, place: _Place) -> Said:
    return (_NEEDS[place.shape], {}) if place.shape in _NEEDS else _other(error, place)


def _other(error: Any, place: _Place) -> Said:
    return _OTHER, {"name": place.name}


_SAYERS: dict[str, Callable[[Any, _Place], Said]] = {
    "required": _required,
    "type": _type,
    "enum": _enum,
    "const": _constant,
    "pattern": _pattern,
    "format": _format,
    "additionalProperties": _additional,
    "propertyNames": _name,
    "anyOf": _any_of,
    "minItems": lambda error, place: (_EMPTY, {"name": place.name}),
    "minProperties": lambda error, place: (_SET, {}),
    "uniqueItems": lambda error, place: (_TWICE, {"name": place.name}),
}


def nearest(value: str, options: Sequence[str]) -> str | None:
    """Return the option that a word was probably meant to be, whatever its case, hyphens and slips; None for none."""
    plain = {fold(option).replace("_", " "): option for option in options}
    wanted = re.sub(r"[\s_-]+", " ", fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value))).strip()
    if wanted in plain:
        return plain[wanted]
    joined = {key.replace(" ", ""): option for key, option in plain.items()}
    found = difflib.get_close_matches(wanted.replace(" ", ""), list(joined), n=1, cutoff=0.7)
    return joined[found[0]] if found else None
