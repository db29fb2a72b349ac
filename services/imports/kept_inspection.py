"""An inspection as JSON beside its file, so that a large file is looked into once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import orjson

from gis.inspect import (
    Candidate,
    CrsGuess,
    CrsProposal,
    DatumShift,
    EncodingGuess,
    Inspection,
    LayerReport,
    Notice,
    TableColumns,
)


def save(path: Path, inspection: Inspection) -> None:
    """Write an inspection."""
    path.write_bytes(orjson.dumps(dataclasses.asdict(inspection), default=str))


def load(path: Path) -> Inspection | None:
    """Read an inspection, or None when there is none or it is of another version of this program."""
    try:
        kept = orjson.loads(path.read_bytes())
        layers = tuple(_layer(layer) for layer in kept["layers"])
        warnings = tuple(Notice(**notice) for notice in kept["warnings"])
        return Inspection(kept["file_name"], layers, tuple(kept["sheets"]), warnings)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _layer(kept: dict[str, Any]) -> LayerReport:
    return LayerReport(
        **{
            **kept,
            "samples": tuple(kept["samples"]),
            "encoding": _encoding(kept["encoding"]),
            "crs": _crs(kept["crs"]),
            "columns": TableColumns.of(kept["columns"]) if kept["columns"] else None,
            "bounds": _tuple(kept["bounds"]),
            "warnings": tuple(Notice(**notice) for notice in kept["warnings"]),
        }
    )


def _encoding(kept: dict[str, Any]) -> EncodingGuess:
    alternatives = tuple(
        Candidate(**{**candidate, "samples": tuple(candidate["samples"])})
        for candidate in kept["alternatives"]
    )
    return EncodingGuess(**{**kept, "why": Notice(**kept["why"]), "alternatives": alternatives})


def _crs(kept: dict[str, Any]) -> CrsGuess:
    proposals = tuple(
        CrsProposal(**{**proposal, "why": Notice(**proposal["why"]), "bounds": _tuple(proposal["bounds"])})
        for proposal in kept["proposals"]
    )
    shift = DatumShift(**kept["datum_shift"]) if kept["datum_shift"] else None
    warnings = tuple(Notice(**notice) for notice in kept["warnings"])
    return CrsGuess(kept["declared"], proposals, warnings, shift)


def _tuple(values: Any) -> Any:
    return tuple(values) if values is not None else None
