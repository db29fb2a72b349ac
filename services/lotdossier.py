"""A lot's dossier for other programs: one JSON document, or one row for each event as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

import orjson

from data.traceability.balance import Balance
from data.traceability.blockevents import uri_of
from data.traceability.checklist import Point
from data.traceability.dossier import Dossier, Entry
from data.traceability.profiles import blocks
from services.errors import said

COLUMNS = ("lot", "block", "step", "time", "quantity", "uom", "facts", "recorded_at", "recorded_by",
           "declared_wrong_at", "reason", "event_id")  # fmt: skip


def document(dossier: Dossier, points: Sequence[Point], balance: Balance) -> dict[str, Any]:
    """Return the dossier as values that JSON can hold: identity, blocks with their entries, checklist, balance.

    Times are RFC 3339 in UTC, units UN/ECE codes (EA for pieces); entries that were declared wrong are there too.
    """
    lot = dossier.lot
    return {
        "lot": {
            "id": lot.id,
            "uri": uri_of(lot),
            "number": lot.lot_number,
            "product": {"id": lot.product_id, "name": lot.product.name, "gtin": lot.product.gtin},
            "producer": {"id": lot.producer_id, "name": lot.producer.name if lot.producer else None},
            "producedOn": lot.produced_on,
            "expiresOn": lot.expires_on,
            "quantity": lot.quantity,
            "unit": lot.unit,
            "status": lot.lot_status,
            "state": dossier.state,
        },
        "profile": {
            "id": dossier.profile.id,
            "title": dossier.profile.title,
            "basis": list(dossier.profile.basis),
        },
        "blocks": {
            code: [_entry(e) for e in dossier.all_of(code)]
            for code in [*blocks(), "release", "hold", "recall"]
            if dossier.profile.holds(code) or dossier.all_of(code)
        },
        "checklist": [
            {
                "block": p.block,
                "step": p.step,
                "title": p.title,
                "basis": p.basis,
                "state": p.state,
                "why": said(p.why.message, p.why.facts) if p.why else None,
            }
            for p in points
        ],
        "balance": {
            "uom": balance.uom,
            "inputs": balance.inputs,
            "produced": balance.produced,
            "waste": balance.waste,
            "samples": balance.samples,
            "dispatched": balance.dispatched,
            "returned": balance.returned,
            "onHand": balance.on_hand,
            "ratio": balance.ratio,
            "alarms": [said(a.message, a.facts) for a in balance.alarms],
        },
    }


def to_json(dossier: Dossier, points: Sequence[Point], balance: Balance) -> bytes:
    """Return the dossier as JSON."""
    return orjson.dumps(document(dossier, points, balance), option=orjson.OPT_INDENT_2)


def to_csv(dossier: Dossier) -> bytes:
    """Return the dossier as CSV with a byte order mark, a row for each entry, so that spreadsheets read it."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    for e in dossier.entries:
        facts = {k: v for k, v in e.values.items() if k not in ("quantity", "uom")}
        writer.writerow(
            [_safe(cell) for cell in (
                dossier.lot.lot_number, e.block, e.step or "", e.at.isoformat(), e.values.get("quantity", ""),
                e.values.get("uom", ""), orjson.dumps(facts).decode(), e.row.record_time.isoformat(), e.row.captured_by,
                _time(e.row.declared_wrong_at), e.row.wrong_reason or "", e.row.event_id,
            )]
        )  # fmt: skip
    return made.getvalue().encode("utf-8-sig")


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "eventID": entry.row.event_id,
        "time": entry.at,
        "step": entry.step,
        "thing": entry.uri,
        "facts": dict(entry.values),
        "recordedAt": entry.row.record_time,
        "recordedBy": entry.row.captured_by,
        "declaredWrongAt": entry.row.declared_wrong_at,
        "hash": entry.row.hash,
    }


def _time(moment: dt.datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _safe(cell: Any) -> Any:
    """A cell that a spreadsheet would run as a formula is made text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell
