"""The words of a quality report: rules, kinds, findings by row id, and the report as a document."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import shapely

from gis.quality import Fault, Kind
from layers.fields import Label, Layer

TITLES: Mapping[Kind, Label] = {
    Kind.INVALID: Label("Hình không hợp lệ", "Invalid geometry"),
    Kind.DUPLICATE: Label("Vẽ trùng hoàn toàn", "Exact duplicate"),
    Kind.NEAR_DUPLICATE: Label("Gần như trùng nhau", "Nearly the same shape"),
    Kind.OVERLAP: Label("Chồng lấn", "Overlap"),
    Kind.GAP: Label("Khoảng hở giữa các đơn vị", "Gap in the coverage"),
    Kind.OUTSIDE: Label("Lấn ra ngoài xã", "Outside its commune"),
    Kind.ABROAD: Label("Nằm ngoài tỉnh", "Outside the province"),
    Kind.NARROW_GAP: Label("Khe hẹp giữa hai hình", "Narrow gap"),
    Kind.SLIVER: Label("Mảnh vụn", "Sliver part"),
    Kind.SPIKE: Label("Gai nhọn", "Spike"),
    Kind.REPEATED: Label("Đỉnh trùng", "Repeated vertices"),
    Kind.AREA: Label("Diện tích kê khai lệch bản vẽ", "Declared area differs"),
    Kind.EMPTY: Label("Chưa có hình", "No geometry"),
}
ERRORS = frozenset(
    {
        Kind.INVALID,
        Kind.DUPLICATE,
        Kind.NEAR_DUPLICATE,
        Kind.OVERLAP,
        Kind.GAP,
        Kind.OUTSIDE,
        Kind.ABROAD,
    }
)
"""These make a layer wrong; the other kinds are remarks."""


@dataclass(frozen=True)
class Rules:
    """What counts as a fault: areas from `minimum_m2`, strips below `width_m`, gaps where there is a coverage."""

    minimum_m2: float = 1.0
    width_m: float = 1.0
    coverage: bool = False

    @property
    def key(self) -> str:
        """A short name of these rules."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()[:10]


def rules_of(layer: Layer, *, minimum_m2: float | None = None, width_m: float | None = None) -> Rules:
    """The rules of a layer, with other thresholds where given: 1 m² and 1 m, 10 m for a coverage."""
    usual = Rules(width_m=10.0 if layer.is_coverage else 1.0, coverage=layer.is_coverage)
    return Rules(
        usual.minimum_m2 if minimum_m2 is None else minimum_m2,
        usual.width_m if width_m is None else width_m,
        usual.coverage,
    )


@dataclass(frozen=True)
class Finding:
    """A fault of rows: their ids, where it is (lon/lat), its shape, area in m² and mean width in metres."""

    kind: Kind
    ids: tuple[int, ...]
    geometry: Any
    area_m2: float
    width_m: float
    lon: float | None
    lat: float | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def key(self) -> str:
        """A name that stays while the fault stays: of its kind, its rows and its place."""
        place = "" if self.lon is None or self.lat is None else f"{self.lon:.5f},{self.lat:.5f}"
        text = f"{self.kind}|{','.join(map(str, self.ids))}|{place}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def is_error(self) -> bool:
        """Whether the fault makes the layer wrong."""
        return self.kind in ERRORS

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values; the shape as hexadecimal WKB."""
        wkb = None if self.geometry is None else shapely.to_wkb(self.geometry, hex=True)
        facts = {name: _plain(value) for name, value in self.facts.items()}
        return {
            "key": self.key,
            "kind": self.kind.value,
            "severity": "error" if self.is_error else "notice",
            "ids": list(self.ids),
            "lon": self.lon,
            "lat": self.lat,
            "area_m2": self.area_m2,
            "width_m": self.width_m,
            "facts": facts,
            "wkb": wkb,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Finding:
        """The finding that `as_dict` wrote."""
        wkb = document["wkb"]
        return cls(
            Kind(document["kind"]),
            tuple(document["ids"]),
            None if wkb is None else shapely.from_wkb(wkb),
            document["area_m2"],
            document["width_m"],
            document["lon"],
            document["lat"],
            document["facts"],
        )

    def as_feature(self) -> dict[str, Any]:
        """The finding as a GeoJSON feature."""
        properties = {name: value for name, value in self.as_dict().items() if name != "wkb"}
        facts = properties.pop("facts")
        flat = {name: value for name, value in facts.items() if not isinstance(value, dict)}
        shape = None if self.geometry is None else shapely.geometry.mapping(self.geometry)
        return {"type": "Feature", "geometry": shape, "properties": {**properties, **flat}}


@dataclass
class Report:
    """What a check of a layer or a file found: `rows` were looked at, errors first, largest first."""

    subject: str
    rows: int
    rules: Rules
    findings: list[Finding]
    seconds: float = 0.0
    made_at: str = ""
    revisions: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[Kind, int]:
        """How many findings there are of each kind, in the order of TITLES."""
        counted = Counter(f.kind for f in self.findings)
        return {kind: counted[kind] for kind in TITLES if counted[kind]}

    def areas(self) -> dict[Kind, float]:
        """The sum of areas in m² of each kind."""
        sums: Counter[Kind] = Counter()
        for finding in self.findings:
            sums[finding.kind] += finding.area_m2  # type: ignore[assignment]
        return {kind: float(sums[kind]) for kind in TITLES if kind in sums}

    @property
    def has_errors(self) -> bool:
        """Whether any finding is more than a remark."""
        return any(f.is_error for f in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        areas = self.areas()
        return {
            "subject": self.subject,
            "rows": self.rows,
            "rules": asdict(self.rules),
            "seconds": self.seconds,
            "made_at": self.made_at,
            "revisions": dict(self.revisions),
            "counts": {kind.value: count for kind, count in self.counts().items()},
            "areas_m2": {kind.value: area for kind, area in areas.items()},
            "findings": [finding.as_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """The report that `as_dict` wrote."""
        return cls(
            document["subject"],
            document["rows"],
            Rules(**document["rules"]),
            [Finding.from_dict(f) for f in document["findings"]],
            document["seconds"],
            document["made_at"],
            document["revisions"],
        )


def findings_of(faults: Sequence[Fault], ids: Sequence[int]) -> list[Finding]:
    """Faults by position as findings by row id, in the order that a report has."""
    found = [
        Finding(
            fault.kind,
            tuple(sorted(int(ids[m]) for m in fault.members)),
            fault.geometry,
            fault.area_m2,
            fault.width_m,
            None if np.isnan(fault.lon) else fault.lon,
            None if np.isnan(fault.lat) else fault.lat,
            fault.facts,
        )
        for fault in faults
    ]
    return ordered(found)


def ordered(findings: list[Finding]) -> list[Finding]:
    """Findings by kind as in TITLES, then by falling area."""
    place = {kind: n for n, kind in enumerate(TITLES)}
    return sorted(findings, key=lambda f: (place[f.kind], -f.area_m2, f.ids))


def moment() -> str:
    """The present moment as text."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
