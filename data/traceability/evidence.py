"""The chains that make a changed record tell on itself.

Every captured event is a row, and every row carries a hash over the row before it:

    row_hash  = sha256( "ocop row 1"  LF previous LF record time LF seal )
    link_hash = sha256( "ocop link 1" LF previous LF row_hash )

All text is UTF-8, all hashes are lower-case hexadecimal, LF is one byte 0x0A with none at the end. The record time
is UTC with milliseconds, 2026-11-23T16:40:00.000Z. The seal covers every field of the event as it was captured, its
context, its CBV 2.0 hash and who recorded it; see `redaction`. The first row's previous hash is the empty string.
Row hashes run over all events in the order of recording, link hashes over the events of one thing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from data.traceability import redaction

FIRST = ""


def row_hash(
    previous: str,
    event_hash: str,
    record_time: dt.datetime,
    recorded_by: str,
    event: Mapping[str, Any],
    context: Sequence[Any] | None,
    key: bytes,
) -> str:
    """Return the hash of a row in the global chain.

    `event` and `context` are the stored columns `document` and `context`, `recorded_by` is `captured_by`, and `key`
    is `redaction.salt_key(session)`, read once for many rows.
    """
    hashes = redaction.leaf_hashes(key, event, context, event_hash, recorded_by)
    return chained(previous, record_time, redaction.seal(hashes))


def chained(previous: str, record_time: dt.datetime, seal: str) -> str:
    """Return the hash of a row whose event has this seal."""
    return _sha256("ocop row 1", previous, moment_text(record_time), seal)


def link_hash(previous: str, row_hash: str) -> str:
    """Return the hash of a link in the chain of one thing."""
    return _sha256("ocop link 1", previous, row_hash)


def moment_text(moment: dt.datetime) -> str:
    """Write a moment as the chain does: UTC, milliseconds, Z."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_milliseconds(moment: dt.datetime) -> dt.datetime:
    """Drop what a GeoPackage does not keep of a moment, so that a row hashes alike before and after it is stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _sha256(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
