"""Lenient reading of EPCIS documents: what older or looser programs write is put right, and every repair is told.

What is already valid stays as it is; what cannot be known is not made up and remains a fault.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from data.traceability import epcisschema, epcisterms, valuerepairs
from data.traceability.documentlimits import check_limits
from data.traceability.epcisschema import Step
from data.traceability.eventhash import utc
from data.traceability.findings import Repair, path_of, shown
from gis.errors import marked

Steps = tuple[Step, ...]

IMPORTED = "import"
NAMESPACES = {"ocop": "urn:ocop:terms:"}
IMPORT_NAMESPACE = "urn:ocop:import:"

_MASTER_DATA = frozenset(
    {
        "lotNumber",
        "itemExpirationDate",
        "bestBeforeDate",
        "sellByDate",
        "countryOfOrigin",
        "netWeight",
        "grossWeight",
    }
    | {"harvestStartDate", "harvestEndDate", "measurement", "farmList", "drainedWeight"}
)
_INNER = frozenset(
    {"epc", "quantityElement", "sensorElement", "bizTransaction", "source", "destination", "event"}
)
_REMARK = re.compile(r"[_#$].*|comment", re.IGNORECASE | re.DOTALL)
_VOCABULARIES = frozenset(
    {"bizStep", "disposition", "bizTransactionType", "sourceDestinationType", "errorReason", "component"}
    | {"measurementType", "sensorAlertType"}
)
_ALONE = {"place": "id", "bizTransaction": "bizTransaction"}

_WRAPPED = marked("Danh sách sự kiện được đặt vào một EPCISDocument.")
_TYPE_FOUND = marked("Thêm “type” là “%(value)s”, suy ra từ nội dung.")
_ADDED = marked("Thêm “%(name)s” là “%(value)s”.")
_CONTEXT = marked("Thêm @context của EPCIS 2.0.")
_DECLARED = marked("Khai báo tiền tố “%(prefix)s” là “%(value)s”.")
_MOVED = marked("Chuyển eventList vào epcisBody.")
_RENAMED = marked("Đổi tên trường “%(name)s” thành “%(value)s”.")
_REMARKED = marked("Bỏ ghi chú “%(name)s”.")
_DROPPED = marked("Bỏ trường “%(name)s”, vì chuẩn không cho có ở đây.")
_EMPTY = marked("Bỏ trường “%(name)s” không có giá trị.")
_LISTED = marked("“%(name)s” chỉ có một mục, được đặt vào danh sách.")
_OPENED = marked("Các mục của “%(name)s” được lấy ra khỏi “%(value)s”.")
_ONCE = marked("Bỏ mục lặp lại trong “%(name)s”.")
_OBJECT = marked("“%(name)s” được viết thành đối tượng {“%(value)s”: …}.")
_CHANGED = marked("“%(name)s”: đổi “%(old)s” thành “%(value)s”.")
_OFFSET_FOUND = marked("Thêm eventTimeZoneOffset “%(value)s” lấy từ eventTime.")


def repaired(document: Any) -> tuple[Any, list[Repair]]:
    """Return a document as EPCIS 2.0 writes it, and what was changed to get there; the given one stays as it is.

    Raises DocumentError beyond the limits. What is valid comes back equal, without repairs.
    """
    check_limits(document)
    work = _Mender()
    mended = work.document(copy.deepcopy(document))
    return mended, work.repairs


class _Mender:
    """Walks through a document along the schema, and notes what it changes."""

    def __init__(self) -> None:
        self.repairs: list[Repair] = []
        self.event_number: int | None = None
        self.offset: str | None = None
        self.context: Any = None
        self.known: Mapping[str, str] = {}
        self.foreign = False
        self.prefixes: dict[str, str] = {}

    def note(self, steps: Steps, message: str, **facts: Any) -> None:
        """Keep a repair."""
        facts = {
            name: shown(str(value).lower() if value in (True, False) else value)
            for name, value in facts.items()
        }
        self.repairs.append(Repair(path_of(steps), message, facts, self.event_number))

    def document(self, held: Any) -> Any:
        """Mend a whole document, a list of events or one event."""
        if isinstance(held, list):
            self.note((), _WRAPPED)
            held = {"type": "EPCISDocument", "epcisBody": {"eventList": held}}
        if not isinstance(held, dict):
            return held
        self._type(held, ())
        self._envelope(held)
        self.context = held.get("@context")
        self._declared(None)
        if epcisschema.list_steps(held) is None:
            held = self.event(held, (), 1)
        else:
            held = self.value(held, {"$ref": f"#/$defs/{held['type']}"}, ())
        self._date(held)
        self._declare(held)
        return held

    def _envelope(self, held: dict[str, Any]) -> None:
        """Put the frame of a document right: its body, its context, its version and date."""
        if held.get("type") is None and ("epcisBody" in held or "eventList" in held):
            body = held.get("epcisBody")
            answer = isinstance(body, dict) and "queryResults" in body
            held["type"] = "EPCISQueryDocument" if answer else "EPCISDocument"
            self.note((), _TYPE_FOUND, value=held["type"])
        if held.get("@context") is None:
            held["@context"] = [epcisterms.CONTEXT]
            self.note((), _CONTEXT)
        if held.get("type") != "EPCISDocument":
            return
        if "eventList" in held and "epcisBody" not in held:
            held["epcisBody"] = {"eventList": held.pop("eventList")}
            self.note(("eventList",), _MOVED)
        body = held.get("epcisBody")
        if isinstance(body, dict) and "event" in body and "eventList" not in body:
            body["eventList"] = body.pop("event")
            self.note(("epcisBody", "event"), _RENAMED, name="event", value="eventList")
        version = held.get("schemaVersion")
        if not isinstance(version, str):
            held["schemaVersion"] = "2.0" if version is None else str(version)
            self.note((), _ADDED, name="schemaVersion", value=held["schemaVersion"])

    def _date(self, held: Any) -> None:
        """Give a document without date that of its latest event."""
        if held.get("type") != "EPCISDocument" or held.get("creationDate") is not None:
            return
        events = [event for _, event in epcisschema.placed_events(held) if isinstance(event, dict)]
        times = [event["eventTime"] for event in events if isinstance(event.get("eventTime"), str)]
        latest = max(filter(epcisschema.is_time, times), default=None, key=utc)
        if latest is not None:
            held["creationDate"] = latest
            self.note((), _ADDED, name="creationDate", value=latest)

    def _declared(self, inner: Any) -> None:
        """Take in which prefixes are declared around an event."""
        self.known = epcisterms.namespaces(self.context, inner)
        self.foreign = epcisterms.foreign(self.context, inner)

    def _declare(self, held: Any) -> None:
        if not self.prefixes:
            return
        held["@context"] = [*epcisterms.contexts(held.get("@context")), self.prefixes]
        for prefix, namespace in self.prefixes.items():
            self.note(("@context",), _DECLARED, prefix=prefix, value=namespace)

    def _type(self, held: dict[str, Any], steps: Steps) -> None:
        if "isA" in held and "type" not in held:
            held["type"] = held.pop("isA")
            self.note(steps, _RENAMED, name="isA", value="type")
        given = held.get("type")
        names = (*epcisschema.EVENT_TYPES, "EPCISDocument", "EPCISQueryDocument")
        if isinstance(given, str) and given not in names:
            wanted = valuerepairs.word(given.removeprefix("epcis:").removeprefix(epcisterms.EPCIS), names)
            if wanted:
                held["type"] = wanted
                self.note((*steps, "type"), _CHANGED, name="type", old=given, value=wanted)

    def event(self, held: Any, steps: Steps, number: int) -> Any:
        """Mend one event."""
        if not isinstance(held, dict):
            return held
        self.event_number = number
        self._declared(held.get("@context"))
        self._type(held, steps)
        kind = held.get("type")
        if kind == "TransformationEvent" and "action" in held:
            del held["action"]
            self.note(steps, _DROPPED, name="action")
        self._zone(held, steps)
        known = kind if kind in epcisschema.EVENT_TYPES else "ExtendedEvent"
        mended = self.value(held, {"$ref": f"#/$defs/{known}"}, steps)
        self.event_number = self.offset = None
        return mended

    def _zone(self, held: dict[str, Any], steps: Steps) -> None:
        given, time = held.get("eventTimeZoneOffset"), held.get("eventTime")
        found = valuerepairs.offset(given) if isinstance(given, str) else None
        if given is None and isinstance(time, str):
            found = valuerepairs.offset_of(time)
            if found:
                self.note(steps, _OFFSET_FOUND, value=found)
        elif found and found != given:
            place = (*steps, "eventTimeZoneOffset")
            self.note(place, _CHANGED, name="eventTimeZoneOffset", old=given, value=found)
        if found:
            held["eventTimeZoneOffset"] = found
        self.offset = found

    def value(self, held: Any, shape: epcisschema.Schema, steps: Steps) -> Any:
        """Mend a value along its shape in the schema."""
        name, shape = epcisschema.named(shape)
        if name == "event":
            at = steps[-1] if steps and isinstance(steps[-1], int) else 0
            return self.event(held, steps, int(at) + 1)
        if name in _ALONE and isinstance(held, str):
            self.note(steps, _OBJECT, name=steps[-1], value=_ALONE[name])
            held = {_ALONE[name]: held}
        if shape.get("type") == "array":
            return self._list(held, shape, steps)
        if shape.get("type") == "object" and isinstance(held, dict):
            return self._object(held, shape, steps)
        if name == "certificationInfo" and isinstance(held, list):
            return [self.value(each, shape["items"], (*steps, at)) for at, each in enumerate(held)]
        return self._scalar(held, name, shape, steps)

    def _list(self, held: Any, shape: epcisschema.Schema, steps: Steps) -> Any:
        name = next((step for step in reversed(steps) if isinstance(step, str)), "")
        if isinstance(held, dict) and len(held) == 1:
            inner, content = next(iter(held.items()))
            if inner in _INNER and isinstance(content, list | dict):
                self.note(steps, _OPENED, name=name, value=inner)
                held = content if isinstance(content, list) else [content]
        if not isinstance(held, list):
            self.note(steps, _LISTED, name=name)
            held = [held]
        mended = [self.value(each, shape["items"], (*steps, at)) for at, each in enumerate(held)]
        if shape.get("uniqueItems"):
            once = list({json.dumps(each, sort_keys=True): each for each in mended}.values())
            if len(once) < len(mended):
                self.note(steps, _ONCE, name=name)
            return once
        return mended

    def _object(self, held: dict[str, Any], shape: epcisschema.Schema, steps: Steps) -> dict[str, Any]:
        known = epcisschema.fields(shape)
        mended: dict[str, Any] = {}
        for name, value in held.items():
            kept = self._field(name, value, held, shape, steps)
            if kept is None:
                continue
            mended[kept] = self.value(value, known[kept], (*steps, kept)) if kept in known else value
        return mended

    def _field(
        self, name: str, value: Any, held: Mapping[str, Any], shape: epcisschema.Schema, steps: Steps
    ) -> str | None:
        """Return the name that a field is kept under; None if it goes."""
        known = epcisschema.fields(shape)
        if name in known:
            if value is None or (value == "" and known[name].get("$ref") is not None):
                self.note((*steps, name), _EMPTY, name=name)
                return None
            return name
        is_open = "patternProperties" in shape or shape.get("additionalProperties") is not False
        if ":" in name and is_open:
            self._prefix(name)
            return name
        if shape.get("additionalProperties") is not False:
            return name
        if _REMARK.fullmatch(name):
            self.note((*steps, name), _REMARKED, name=name)
            return None
        wanted = valuerepairs.word(name, tuple(known)) if known else None
        if wanted is None and "patternProperties" not in shape:
            self.note((*steps, name), _DROPPED, name=name)
            return None
        if wanted is None:
            wanted = self._imported(name, not known)
        if wanted in held:
            self.note((*steps, name), _DROPPED, name=name)
            return None
        self.note((*steps, name), _RENAMED, name=name, value=wanted)
        return wanted

    def _imported(self, name: str, is_master_data: bool) -> str:
        if is_master_data and name in _MASTER_DATA:
            return f"cbvmda:{name}"
        self.prefixes[IMPORTED] = IMPORT_NAMESPACE
        return f"{IMPORTED}:{quote(name, safe='')}"

    def _prefix(self, name: str) -> None:
        """Remember to declare a prefix that a document uses without saying what it is."""
        prefix = epcisterms.undeclared(name, self.known)
        if prefix and self.event_number is not None and not self.foreign and epcisschema.is_uri(name):
            self.prefixes[prefix] = NAMESPACES.get(prefix, f"{IMPORT_NAMESPACE}{prefix}:")

    def _scalar(self, held: Any, name: str, shape: epcisschema.Schema, steps: Steps) -> Any:
        if not isinstance(held, str):
            return held
        wanted = self._wanted(held, name, shape, steps)
        if wanted is None or wanted == held:
            return held
        self.note(steps, _CHANGED, name=steps[-1], old=held, value=wanted)
        return wanted

    def _wanted(self, text: str, name: str, shape: epcisschema.Schema, steps: Steps) -> Any:
        """Return what a text that does not fit its shape should be; None where it fits or nobody can tell."""
        if name in _VOCABULARIES or name == "action":
            longer = shape["else"]["pattern"] if "else" in shape else r"(?!)"
            words = epcisschema.words(name)
            fits = text in words or (":" in text and bool(re.search(longer, text)))
            return None if fits else valuerepairs.word(text, words)
        if shape.get("format") == "date-time":
            return None if epcisschema.is_time(text) else valuerepairs.moment(text, self.offset)
        if shape.get("format") == "uri":
            return None if epcisschema.is_uri(text) else valuerepairs.uri(text)
        if shape.get("type") == "number":
            return valuerepairs.number(text)
        if shape.get("type") == "boolean":
            return {"true": True, "false": False}.get(text.strip().lower())
        if steps[-1:] == ("uom",) and "pattern" in shape:
            return None if re.search(shape["pattern"], text) else valuerepairs.uom(text)
        return None
