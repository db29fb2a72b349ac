"""Events as salted leaves: what is public can be shown and proved while the rest stays hidden.

Every field of an event is one leaf, sha256(salt ‖ LF ‖ name ‖ LF ‖ value) in UTF-8. The name is the field's JSON
pointer and the value its canonical text. The seal of an event is sha256 over the line `ocop seal 1` and all its
leaf hashes in hexadecimal, sorted, each on a line. Who recorded the event and its CBV hash are leaves too: an
unsalted hash of the whole event would let anyone try out the buyers' names that are hidden.

A salt is the first 16 bytes of HMAC-SHA256(key, event hash ‖ LF ‖ name). The key is made with the record and kept
in it, so that it is copied and restored together with the events that it hides.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from data.record_facts import get_fact
from data.tables import RecordFact

KEY_FACT = "evidence_salt_key"
SALT_BYTES = 16
_FIRST_LINE = "ocop seal 1"

EVENT_HASH, RECORDED_BY, CONTEXT = "/#hash", "/#recordedBy", "/@context"

#: The fields that anybody may see; a number in a list stands as `*`. Whatever is not named here stays hidden.
PUBLIC = frozenset(
    {
        "/type",
        "/action",
        "/eventTime",
        "/eventTimeZoneOffset",
        "/bizStep",
        "/disposition",
        "/persistentDisposition/set/*",
        "/persistentDisposition/unset/*",
        "/errorDeclaration/declarationTime",
        "/errorDeclaration/reason",
        "/ilmd/ocop:lotNumber",
        "/ilmd/ocop:productionDate",
        "/ilmd/ocop:expirationDate",
        "/ilmd/ocop:packaging",
        "/ocop:input/name",
        "/ocop:input/receivedOn",
        "/ocop:input/area",
        "/ocop:step/code",
        "/ocop:test/laboratory",
        "/ocop:test/accreditation",
        "/ocop:test/sampledOn",
        "/ocop:test/reportedOn",
        "/ocop:test/results/*/analyte",
        "/ocop:test/results/*/method",
        "/ocop:test/results/*/value",
        "/ocop:test/results/*/unit",
        "/ocop:test/results/*/limit",
        "/ocop:test/results/*/verdict",
        "/ocop:test/verdict",
        "/ocop:packing/labelVersion",
        "/ocop:sample/retainUntil",
        "/ocop:hold/reason",
        "/ocop:recall/reason",
        "/ocop:recall/document",
    }
)
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_INDEX = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True)
class Leaf:
    """One field of an event: its JSON pointer, the canonical text of its value, and its salt."""

    name: str
    value: str
    salt: str

    @property
    def hash(self) -> str:
        """The hash that stands for the field, in hexadecimal."""
        return hashlib.sha256(f"{self.salt}\n{self.name}\n{self.value}".encode()).hexdigest()

    @property
    def is_public(self) -> bool:
        """Tell whether anybody may see the field."""
        return is_public(self.name)


def is_public(name: str) -> bool:
    """Tell whether anybody may see the field with this JSON pointer."""
    return _INDEX.sub("/*", name) in PUBLIC


def salt_key(session: Session) -> bytes:
    """Return the key of the salts, made when the first event is written; call it while writing."""
    found = get_fact(session, KEY_FACT)
    if found is None:
        found = secrets.token_hex(32)
        session.add(RecordFact(key=KEY_FACT, value=found))
        session.flush()
    return bytes.fromhex(found)


def known_salt_key(session: Session) -> bytes | None:
    """Return the key of the salts without ever making one."""
    found = get_fact(session, KEY_FACT)
    return None if found is None else bytes.fromhex(found)


def leaves(
    key: bytes, event: Mapping[str, Any], context: Sequence[Any] | None, event_hash: str, recorded_by: str
) -> list[Leaf]:
    """Return every field of an event as a leaf, in the order of the event."""
    salt = _salting(key, event_hash)
    return [Leaf(name, value, salt(name)) for name, value in _fields(event, context, event_hash, recorded_by)]


def leaf_hashes(
    key: bytes, event: Mapping[str, Any], context: Sequence[Any] | None, event_hash: str, recorded_by: str
) -> list[str]:
    """Return the hashes of the leaves alone, for many events."""
    salt, sha256 = _salting(key, event_hash), hashlib.sha256
    return [
        sha256(f"{salt(name)}\n{name}\n{value}".encode()).hexdigest()
        for name, value in _fields(event, context, event_hash, recorded_by)
    ]


def seal(hashes: Sequence[str]) -> str:
    """Return the seal over the leaf hashes of an event."""
    return hashlib.sha256("\n".join([_FIRST_LINE, *sorted(hashes)]).encode()).hexdigest()


def _salting(key: bytes, event_hash: str) -> Callable[[str], str]:
    base = hmac.new(key, event_hash.encode() + b"\n", hashlib.sha256)

    def salt(name: str) -> str:
        salting = base.copy()
        salting.update(name.encode())
        return salting.digest()[:SALT_BYTES].hex()

    return salt


def _fields(
    event: Mapping[str, Any], context: Sequence[Any] | None, event_hash: str, recorded_by: str
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    _walk("", event, found)
    _walk(CONTEXT, list(context or ()), found)
    found.append((EVENT_HASH, canonical_value(event_hash)))
    found.append((RECORDED_BY, canonical_value(recorded_by)))
    return found


def _walk(name: str, value: Any, found: list[tuple[str, str]]) -> None:
    if isinstance(value, str):
        found.append((name, _quoted(value)))
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            _walk(f"{name}/{key.replace('~', '~0').replace('/', '~1')}", inner, found)
    elif isinstance(value, list | tuple) and value:
        for place, inner in enumerate(value):
            _walk(f"{name}/{place}", inner, found)
    else:
        found.append((name, canonical_value(value)))


def canonical_value(value: Any) -> str:
    """Return the one JSON text of a value: equal numbers have equal texts however they were written."""
    if isinstance(value, bool) or value is None or isinstance(value, str | list | tuple | Mapping):
        return _quoted(value)
    if isinstance(value, int | float | Decimal):
        return _canonical_number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    return _quoted(str(value))


def _canonical_number(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "JSON has no NaN and no infinity"
    text = "".join(map(str, digits)).lstrip("0")
    whole = text.rstrip("0")
    if not whole:
        return "0"
    exponent += len(text) - len(whole)
    if exponent > 0 and len(whole) + exponent <= 20:
        whole, exponent = whole + "0" * exponent, 0
    if -20 <= exponent < 0:
        padded = whole.rjust(1 - exponent, "0")
        whole, exponent = f"{padded[:exponent]}.{padded[exponent:]}", 0
    return ("-" if sign else "") + whole + (f"e{exponent}" if exponent else "")
