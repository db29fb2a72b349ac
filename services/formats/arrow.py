"""Features as Arrow record batches, the form in which GDAL and Parquet take them in bulk.

Source: Apache Arrow columnar format; geometry is WKB, x before y.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.geometry import promote_multi
from layers.fields import FieldType
from layers.read import Rows
from services.formats.base import Context, Features, Shapes, batches, is_textual, text_of

BATCH = 10_000
GEOMETRY = "geom"

TextChange = Callable[[str, pa.Array], pa.Array]

_TYPES = {
    FieldType.STRING: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("ms", tz="UTC"),
}


class Table:
    """Rows on their way into Arrow: one schema, then batch after batch, each read when it is asked for.

    `names` are those of the id and the fields in the file. `texts_only` names types that the file keeps as text.
    `change` may shorten or recode a column of texts; it is given the field's name in the record.
    `failure` holds what went wrong while rows were read, since Arrow's stream interface keeps only its words.
    """

    def __init__(
        self,
        features: Features,
        context: Context,
        *,
        names: Sequence[str],
        geometry: str = GEOMETRY,
        texts_only: frozenset[FieldType] = frozenset(),
        change: TextChange | None = None,
    ) -> None:
        self.features = features
        self.context = context
        self.names = names
        self.texts_only = texts_only
        self.change = change
        self.geometry = geometry
        self.failure: Exception | None = None
        self._source = batches(features.pages, BATCH)
        fields = features.fields
        self._first = next(
            self._source, Rows(fields, np.empty(0, np.int64), np.empty(0, object), [[] for _ in fields])
        )
        self._textual = [
            is_textual(f.type, column) or f.type in texts_only
            for f, column in zip(fields, self._first.columns, strict=True)
        ]
        self.schema = self._schema()

    def pages(self) -> Iterator[Rows]:
        """Yield the rows in large pages, once; the first is there even when it is empty."""
        yield self._first
        yield from self._source

    def reader(self, pages: Iterable[Rows] | None = None) -> pa.RecordBatchReader:
        """Return a reader over batches of the pages, by default of all of them."""
        return pa.RecordBatchReader.from_batches(self.schema, self._guarded(pages))

    def _guarded(self, pages: Iterable[Rows] | None) -> Iterator[pa.RecordBatch]:
        try:
            for page in self.pages() if pages is None else pages:
                yield self.batch(page)
        except Exception as error:
            self.failure = error
            raise

    def batch(self, page: Rows) -> pa.RecordBatch:
        """Return a page as one batch."""
        ids = self.context.ids(self.features.layer, page)
        arrays = [pa.array(ids, type=self.schema.field(0).type)]
        columns = zip(self.features.fields, page.columns, self._textual, strict=True)
        for field, column, textual in columns:
            arrays.append(self._texts(field.name, column) if textual else _typed(field.type, column))
        if self.features.geometry:
            bodies = Shapes(page, self.context.target).wkb
            arrays.append(pa.array(_promised(bodies, self.features.layer.geometry), type=pa.binary()))
        return pa.record_batch(arrays, schema=self.schema)

    def _schema(self) -> pa.Schema:
        id_type = pa.string() if self.context.text_ids else pa.int64()
        fields = [(self.names[0], id_type)]
        for name, field, textual in zip(self.names[1:], self.features.fields, self._textual, strict=True):
            fields.append((name, pa.string() if textual else _TYPES[field.type]))
        if self.features.geometry:
            fields.append((self.geometry, pa.binary()))
        return pa.schema(fields)

    def _texts(self, name: str, column: Sequence[Any]) -> pa.Array:
        plain = all(v is None or type(v) is str for v in column)
        texts = pa.array(
            column if plain else [None if v is None else text_of(v) for v in column], pa.string()
        )
        return texts if self.change is None else self.change(name, texts)


def wkb_kind(body: bytes | None) -> int:
    """The number of a WKB type without its dimensions; 0 for no shape."""
    return 0 if body is None else int.from_bytes(body[1:5], "little" if body[0] else "big") % 1000


def _promised(bodies: NDArray[np.object_], geometry: str) -> NDArray[np.object_]:
    """Shapes of the kind that the layer declares: a single one where several may be becomes one of its kind."""
    single = _SINGLE_OF.get(geometry)
    alone = [number for number, body in enumerate(bodies) if wkb_kind(body) == single]
    if not alone:
        return bodies
    changed = bodies.copy()
    changed[alone] = shapely.to_wkb(promote_multi(shapely.from_wkb(bodies[alone])))
    return changed


_SINGLE_OF = {"MULTIPOINT": 1, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}


def _typed(kind: FieldType, column: Sequence[Any]) -> pa.Array:
    if kind == FieldType.NUMBER:
        column = [None if v is None else float(v) for v in column]
    return pa.array(column, type=_TYPES[kind])
