"""What every output format has in common: the rows it writes, how they are wanted, and its name and media type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from data.store import Store
from gis import crs as reference_systems
from gis import srsname
from gis.srsname import SrsName
from layers import read
from layers.fields import Field, FieldType, Layer

CHUNK = 2_000
PIECE = 256 * 1024

Geometries: TypeAlias = NDArray[np.object_]
Tail: TypeAlias = Callable[[int, str | None], Mapping[str, Any]]


@dataclass(frozen=True)
class Features:
    """The rows of one layer that a format writes, page by page; `geometry` says whether they bring their shapes."""

    layer: Layer
    fields: tuple[Field, ...]
    pages: Iterable[read.Rows]
    geometry: bool = True


@dataclass(frozen=True)
class Context:
    """How an answer is wanted.

    `target` names the reference system of the coordinates and, by its form, their order. `head` holds members of
    the collection that are known beforehand; `tail` gives those known only at the end, called with the number of
    features written and the cursor of the next page. `text_ids` writes `<layer>.<id>` where a format allows
    numbers too. `fallback` adds WGS84 geometry to JSON-FG in other systems. `lonlat` writes CSV places as two
    columns, by default for points only. `marked` puts the UTF-8 mark before CSV, for spreadsheets. `schema` is
    the address of the XML Schema that a GML document names. `indexed` gives FlatGeobuf its spatial index, which
    puts the features in an order of its own. `companions` puts beside the features what explains them where a
    file is kept: styles, code lists, a data dictionary. `encoding` is that of a shapefile's texts: UTF-8 or TCVN3.
    `scratch` is the folder for files in the making. A writer adds to `cut` the fields whose texts it shortened or
    changed.
    """

    target: SrsName = field(default_factory=lambda: srsname.of(srsname.CRS84))
    language: str = "vi"
    text_ids: bool = True
    head: Mapping[str, Any] = field(default_factory=dict)
    tail: Tail | None = None
    fallback: bool = False
    lonlat: bool | None = None
    marked: bool = False
    schema: str | None = None
    indexed: bool = False
    companions: bool = False
    encoding: str = "UTF-8"
    scratch: Path | None = None
    cut: set[str] = field(default_factory=set)

    @property
    def content_crs(self) -> str:
        """The value of the header Content-Crs (OGC API – Features Part 2)."""
        return f"<{self.target.uri}>"

    def ids(self, layer: Layer, page: read.Rows) -> list[int] | list[str]:
        """The ids of a page as they stand in the answer."""
        numbers: list[int] = page.ids.tolist()
        return [feature_id(layer, number) for number in numbers] if self.text_ids else numbers


@dataclass(frozen=True)
class Format:
    """One output format; none of them holds more than a few pages of features in memory."""

    name: str
    media_type: str
    extension: str
    encode: Callable[[Features, Context], Iterator[bytes]]

    def write(self, store: Store, query: read.Query, context: Context | None = None) -> Iterator[bytes]:
        """The answer to a query as a stream of bytes, read in a session that lives as long as the stream.

        Raises ReadError for unknown fields at once; `layers.read.check` tells what else is wrong beforehand.
        """
        return self.encode(features_of(store, query), context or Context())


def feature_id(layer: Layer, row_id: int | str) -> str:
    """The name of a feature in every service: `<layer>.<id>`."""
    return f"{layer.id}.{row_id}"


def features_of(store: Store, query: read.Query) -> Features:
    """The rows of a query, read page by page in a session of their own when the stream is read."""
    return Features(query.layer, read.chosen_fields(query), pages(store, query), query.geometry)


def pages(store: Store, query: read.Query) -> Iterator[read.Rows]:
    """The rows of a query in pages; with a limit, the last page holds the cursor of what follows."""
    with store.reading() as session:
        if query.limit is None and query.after is None:
            yield from read.stream(session, query, chunk=CHUNK)
            return
        left, after = query.limit, query.after
        while left is None or left > 0:
            wanted = CHUNK if left is None else min(left, CHUNK)
            page = read.rows(session, replace(query, limit=wanted, after=after))
            yield page
            left, after = None if left is None else left - len(page), page.next
            if after is None:
                return


@dataclass
class Counted:
    """Pages on their way into a format, with what has gone by."""

    pages: Iterable[read.Rows]
    written: int = 0
    next: str | None = None

    def __iter__(self) -> Iterator[read.Rows]:
        for page in self.pages:
            self.written += len(page)
            self.next = page.next
            yield page


@dataclass(frozen=True)
class Shapes:
    """The geometries of a page in the system that is wanted; x east before y north."""

    page: read.Rows
    target: SrsName

    @cached_property
    def lonlat(self) -> Geometries:
        """The geometries in lon/lat, None where there is none."""
        shapes: Geometries = shapely.from_wkb(self.page.wkb)
        return shapes

    @cached_property
    def moved(self) -> Geometries:
        """The geometries in the target system."""
        if is_wgs84(self.target):
            return self.lonlat
        return reference_systems.transform(self.lonlat, srsname.CRS84, self.target.crs)

    @property
    def wkb(self) -> NDArray[np.object_]:
        """The geometries in the target system as WKB."""
        if is_wgs84(self.target):
            return self.page.wkb
        return np.asarray(shapely.to_wkb(self.moved), dtype=object)

    @property
    def in_order(self) -> Geometries:
        """The geometries in the target system, with the axes in the order that its name implies."""
        if not self.target.swapped:
            return self.moved
        turned: Geometries = shapely.transform(self.moved, lambda xy: xy[:, ::-1])
        return turned

    @property
    def wkb_in_order(self) -> NDArray[np.object_]:
        """The same as WKB."""
        return np.asarray(shapely.to_wkb(self.in_order), dtype=object) if self.target.swapped else self.wkb


def joined(pages: list[read.Rows]) -> read.Rows:
    """Pages put together to one."""
    if len(pages) == 1:
        return pages[0]
    ids, wkb = (np.concatenate([getattr(page, name) for page in pages]) for name in ("ids", "wkb"))
    columns = [list(chain.from_iterable(parts)) for parts in zip(*(p.columns for p in pages), strict=True)]
    return read.Rows(pages[0].fields, ids, wkb, [*columns])


def batches(pages: Iterable[read.Rows], size: int) -> Iterator[read.Rows]:
    """Pages that hold rows, put together to some `size` rows."""
    waiting: list[read.Rows] = []
    for page in pages:
        if len(page):
            waiting.append(page)
        if sum(map(len, waiting)) >= size:
            yield joined(waiting)
            waiting = []
    if waiting:
        yield joined(waiting)


def bytes_of(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def is_wgs84(target: SrsName) -> bool:
    """Whether coordinates of the record need not be moved; their order is another matter."""
    return target.crs in (srsname.CRS84, "EPSG:4326")


def text_of(value: Any) -> str:
    """A value as plain text: a reference to another feature is its address, a date stands as ISO 8601 has it."""
    if isinstance(value, Mapping):
        return str(value.get("href", ""))
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def is_textual(kind: FieldType, column: Sequence[Any]) -> bool:
    """Whether a column holds texts: by its declaration, or because a profile put titles in place of codes."""
    return kind == FieldType.STRING or any(isinstance(value, str | Mapping) for value in column)
