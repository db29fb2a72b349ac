"""What is found in a file before it is read into the record: layers, letters, reference system, columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Bounds = tuple[float, float, float, float]
"""Least x, least y, greatest x, greatest y; west, south, east, north in lon/lat."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One plain Vietnamese sentence, the key of the translation catalogue, and the facts in it."""

    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.facts if self.facts else self.message


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to read the letters: the Python codec, how Vietnamese the result looks (0 to 1), texts read so."""

    encoding: str
    score: float
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EncodingGuess:
    """How the letters of a layer are read.

    `evidence` is `explicit` (somebody chose), `format` (always Unicode), `bom`, `cpg`, `ldid`, `letters` or
    `default`; `why` says it in a sentence. When not `certain`, somebody should look at the `alternatives`,
    best first, the chosen one among them.
    """

    chosen: str | None
    evidence: str
    why: Notice
    certain: bool = True
    alternatives: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class CrsProposal:
    """One reference system that the coordinates may be in, best first.

    `bounds` is where the layer would lie in lon/lat of WGS84; `swapped` tells that x and y must be exchanged
    first (to hand on to `open_vector`); `plausible` that the place lies in the territory, or in Vietnam when
    none was given; `certain` that the file says so and the place agrees; `matched` that the shapes lie on
    outlines of the record.
    """

    crs: str
    title: str
    title_en: str
    why: Notice
    bounds: Bounds
    swapped: bool = False
    plausible: bool = True
    certain: bool = False
    matched: bool = False


@dataclass(frozen=True, slots=True)
class DatumShift:
    """How far the layer lies from known outlines: metres east and north of where it should be, and matches.

    `is_vn2000` tells that this is the way between VN-2000 and WGS84 (VN-2000 taken for WGS84 lies 195.9 m west
    and 111.5 m north of its place), so that `crs`, where there is one, is what the file is really in.
    """

    east_m: float
    north_m: float
    distance_m: float
    matches: int
    is_vn2000: bool
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class CrsGuess:
    """The reference system that the file names, the proposals, and what is wrong with the place."""

    declared: str | None
    proposals: tuple[CrsProposal, ...] = ()
    warnings: tuple[Notice, ...] = ()
    datum_shift: DatumShift | None = None

    @property
    def best(self) -> CrsProposal | None:
        """The proposal to start with."""
        return self.proposals[0] if self.proposals else None


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Where a table keeps its coordinates.

    `x` is the column of the east or longitude, `y` that of the north or latitude, whatever they are called:
    Vietnamese surveyors write X for the north, and then `surveyor` is true. `kind` is `projected` (metres),
    `degrees`, `dms` (texts such as 9°10'48"N), `parts` (degrees there, minutes and seconds in the two columns
    after), `pair` (both in column `x`, latitude first) or `wkt` (text in
    column `x`). `header_row` counts from 1; `sheet` is None for text files.
    """

    x: str | None
    y: str | None
    kind: str
    header_row: int = 1
    sheet: str | None = None
    surveyor: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TableColumns:
        """The columns from what `asdict` made of them, unknown names left out."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer of the file: `fields` maps names to types, `samples` are up to five rows as decoded.

    `bounds` are in the numbers of the file, None when no row has a place; `without_place` counts such rows
    among the `count`; `format` is `geojson`, `gpkg`, `shp`, `fgb`, `mapinfo`, `kml`, `gpx`, `dxf`, `csv`
    or `xlsx`; `track_outline` tells that a closed GPS track may be taken as an area.
    """

    name: str
    format: str
    geometry_type: str
    count: int
    fields: Mapping[str, str]
    samples: tuple[Mapping[str, Any], ...]
    encoding: EncodingGuess
    crs: CrsGuess
    columns: TableColumns | None = None
    bounds: Bounds | None = None
    without_place: int = 0
    warnings: tuple[Notice, ...] = ()
    track_outline: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """All layers of one file; `sheets` names the sheets of a workbook, `warnings` what could not be read."""

    file_name: str
    layers: tuple[LayerReport, ...]
    sheets: tuple[str, ...] = ()
    warnings: tuple[Notice, ...] = ()

    def layer(self, name: str | None = None) -> LayerReport:
        """The layer of that name, or the first; raises KeyError for an unknown name."""
        for report in self.layers:
            if name is None or report.name == name:
                return report
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON once dates are written as text; notices become message and facts."""
        return asdict(self)
