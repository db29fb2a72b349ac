"""Shapefiles in an archive: short names, cut texts, one file per kind of shape, and a dictionary of all that.

Source: ESRI Shapefile Technical Description (1998), dBASE III and IV tables. All limits of the format stand here.
"""

from __future__ import annotations

import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis import crs as reference_systems
from gis import lettercodes
from gis.errors import Refusal
from layers.fields import FieldType, Label
from layers.read import Rows
from services.formats import companions
from services.formats.arrow import Table, wkb_kind
from services.formats.base import Context, Features, bytes_of, joined
from services.formats.ogr import write_table

MEDIA_TYPE = "application/zip"
LONGEST_NAME = 10
LONGEST_TEXT = 254
LARGEST_PART = 2**31 - 1
"""Bytes that one file of the set may have, so that every program reads it."""

UTF8, TCVN3 = "UTF-8", "TCVN3"
ENCODINGS = (UTF8, TCVN3)
DICTIONARY = "tu_dien_du_lieu"
CODE_LISTS = "bang_ma.csv"

_FAMILIES = {
    "point": (1,),
    "multipoint": (4,),
    "line": (2, 5),
    "polygon": (3, 6),
}
_FAMILY_OF = {kind: family for family, kinds in _FAMILIES.items() for kind in kinds}
_GDAL_KINDS = {"point": "Point", "multipoint": "MultiPoint", "line": "LineString", "polygon": "Polygon"}
_PLAIN_SIGNS = str.maketrans(
    {"–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "•": "-", "\xa0": " ", "²": "2"}
)
_LDID = 29
_LEVEL = 1

_CUT = Label(
    "Có ô của trường này bị cắt còn {limit} byte, hoặc có chữ không viết được trong bảng mã.",
    "Some texts of this field were cut to {limit} bytes, or hold letters that the encoding lacks.",
)
_TEXT_MOMENT = Label("Ngày giờ viết thành chữ theo ISO 8601.", "Date and time as ISO 8601 text.")
_FLAG = Label("1 là có, 0 là không.", "1 is yes, 0 is no.")
_REMARKS = {
    "names": Label(
        "Tên cột của shapefile dài nhất {limit} chữ cái; tên đầy đủ ghi trong ngoặc.",
        "Names in a shapefile have at most {limit} letters; the full name is in brackets.",
    ),
    UTF8: Label("Bảng mã chữ: UTF-8 (ghi trong tệp .cpg).", "Encoding: UTF-8 (stated in the .cpg file)."),
    TCVN3: Label(
        "Bảng mã chữ: TCVN3 (ABC), đọc bằng phông .VnTime, .VnArial. Chữ hoa có dấu thanh thành chữ thường; "
        "chữ không có trong bảng mã thành dấu hỏi.",
        "Encoding: TCVN3 (ABC), to be read with fonts such as .VnTime. Capitals with tone marks become small "
        "letters; letters that the code lacks become question marks.",
    ),
    "crs": Label(
        "Hệ tọa độ: {crs} (ghi trong tệp .prj).", "Reference system: {crs} (stated in the .prj file)."
    ),
    "parts": Label(
        "Đối tượng nhiều kiểu hình được tách thành các tệp: {files}.",
        "Features of several kinds of shape are split into files: {files}.",
    ),
}


class TooLarge(Refusal):
    """A file of the set would be larger than the format allows."""


def write(features: Features, context: Context) -> Iterator[bytes]:
    """A zip of one shapefile per kind of shape, with .prj and .cpg, and with companions its data dictionary.

    Names have ten letters, texts at most 254 bytes of UTF-8 or TCVN3, never with a letter cut in two. Fields whose
    texts were changed are added to `context.cut`. Raises TooLarge.
    """
    with tempfile.TemporaryDirectory(prefix="ocopmap-", dir=context.scratch) as name:
        folder = Path(name)
        names = short_names(["id", *(f.name for f in features.fields)])
        letters = _Letters(context)
        moments = frozenset({FieldType.DATETIME})
        table = Table(features, context, names=names, texts_only=moments, change=letters.change)
        files = _write_families(table, folder, letters)
        archive = folder / "archive.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            for stem in files:
                for file in sorted(folder.glob(f"{stem}.*")):
                    if file.stat().st_size > LARGEST_PART:
                        raise TooLarge(
                            "Shapefile không chứa được nhiều dữ liệu như vậy; hãy chọn GeoPackage hoặc lọc bớt."
                        )
                    packed.write(file, file.name)
            if context.companions:
                _explain(packed, features, context, names, files)
        yield from bytes_of(archive)


def short_names(names: Sequence[str], length: int = LONGEST_NAME) -> list[str]:
    """Cut names to a shapefile's length and keep them different, also without regard to case."""
    taken: list[str] = []
    for name in names:
        short, number = name[:length], 1
        while short.lower() in (other.lower() for other in taken):
            number += 1
            short = f"{name[: length - len(str(number)) - 1]}_{number}"
        taken.append(short)
    return taken


def cut_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """A text of at most `limit` bytes of UTF-8, with no letter cut in two or parted from its marks."""
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[:limit].decode(errors="ignore")
    if unicodedata.combining(text[len(kept)]):
        while kept and unicodedata.combining(kept[-1]):
            kept = kept[:-1]
        kept = kept[:-1]
    return kept


class _Letters:
    """How texts are written: cut, and in the letters of the encoding."""

    def __init__(self, context: Context) -> None:
        self.legacy = context.encoding == TCVN3
        self.cut = context.cut
        # The bytes of a code that GDAL does not know pass through it as those of Latin-1.
        self.gdal_name = "ISO-8859-1" if self.legacy else UTF8

    def change(self, name: str, texts: pa.Array) -> pa.Array:
        """Return a column as it can be kept, and note when that lost something."""
        if self.legacy:
            return self._each(name, texts, _in_tcvn3)
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        return texts if longest <= LONGEST_TEXT else self._each(name, texts, _in_utf8)

    def _each(self, name: str, texts: pa.Array, write: Callable[[str], tuple[str, bool]]) -> pa.Array:
        known: dict[str, tuple[str, bool]] = {}
        written: list[str | None] = []
        for text in texts.to_pylist():
            if text is None:
                written.append(None)
                continue
            if text not in known:
                known[text] = write(text)
            written.append(known[text][0])
        if any(lost for _, lost in known.values()):
            self.cut.add(name)
        return pa.array(written, pa.string())


def _in_utf8(text: str) -> tuple[str, bool]:
    kept = cut_text(text)
    return kept, kept != text


def _in_tcvn3(text: str) -> tuple[str, bool]:
    plain = text.translate(_PLAIN_SIGNS)
    written = plain.encode(lettercodes.FONT_CODES[0], "replace")
    kept = written[:LONGEST_TEXT]
    return kept.decode("latin-1"), len(kept) < len(written) or written.count(b"?") > plain.count("?")


# ---- one file per kind of shape


def _write_families(table: Table, folder: Path, letters: _Letters) -> list[str]:
    """Write the layer's own kind of shape in one pass, then what came by of other kinds; return the files' stems."""
    layer = table.features.layer
    main = _FAMILY_OF[_WKB_NUMBERS[layer.geometry]]
    others: dict[str, list[Rows]] = {}

    def own_kind() -> Iterator[Rows]:
        for page in table.pages():
            rows, rest = _parted(page, main) if table.features.geometry else (page, {})
            for family, found in rest.items():
                others.setdefault(family, []).append(found)
            yield rows

    _write_one(table, folder / f"{layer.id}.shp", main, own_kind(), letters)
    stems = [layer.id]
    for family, pages in others.items():
        stems.append(f"{layer.id}_{family}")
        _write_one(table, folder / f"{stems[-1]}.shp", family, pages, letters)
    return stems


_WKB_NUMBERS = {
    "POINT": 1,
    "LINESTRING": 2,
    "POLYGON": 3,
    "MULTIPOINT": 4,
    "MULTILINESTRING": 5,
    "MULTIPOLYGON": 6,
}


def _write_one(table: Table, path: Path, family: str, pages: Iterable[Rows], letters: _Letters) -> None:
    kind = _GDAL_KINDS[family]
    write_table(
        table,
        path,
        driver="ESRI Shapefile",
        layer=path.stem,
        kind=kind,
        pages=pages,
        encoding=letters.gdal_name,
    )
    if letters.legacy:
        path.with_suffix(".cpg").write_text(TCVN3)
        with path.with_suffix(".dbf").open("r+b") as file:
            file.seek(_LDID)
            file.write(b"\0")


def _parted(page: Rows, main: str) -> tuple[Rows, dict[str, Rows]]:
    """The rows of the main kind of shape or of none, and the others by kind; collections are taken apart."""
    kinds = np.array([wkb_kind(body) for body in page.wkb], dtype=np.int64)
    mine = np.isin(kinds, (0, *_FAMILIES[main]))
    if mine.all():
        return page, {}
    own: list[Rows] = [_chosen(page, np.flatnonzero(mine), page.wkb[mine])]
    rest: dict[str, list[Rows]] = {}
    for family in _FAMILIES:
        rows, bodies = _of_family(page, kinds, family, alone=family != main)
        if len(rows):
            target = own if family == main else rest.setdefault(family, [])
            target.append(_chosen(page, rows, bodies))
    return joined(own), {family: joined(found) for family, found in rest.items()}


def _of_family(
    page: Rows, kinds: NDArray[np.int64], family: str, *, alone: bool
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """The numbers of the rows that have shapes of a family, and those shapes; in collections, and alone if asked."""
    rows: list[int] = []
    bodies: list[bytes] = []
    for number in np.flatnonzero((kinds == 7) | (np.isin(kinds, _FAMILIES[family]) & alone)).tolist():
        if kinds[number] != 7:
            rows.append(number)
            bodies.append(page.wkb[number])
            continue
        for part in shapely.get_parts(shapely.from_wkb(page.wkb[number])):
            body = shapely.to_wkb(part)
            if _FAMILY_OF.get(wkb_kind(body)) == family:
                rows.append(number)
                bodies.append(body)
    found = np.empty(len(bodies), dtype=object)
    found[:] = bodies
    return np.array(rows, dtype=np.int64), found


def _chosen(page: Rows, rows: NDArray[np.int64], bodies: NDArray[np.object_]) -> Rows:
    numbers = rows.tolist()
    return Rows(
        page.fields, page.ids[rows], bodies, [[column[i] for i in numbers] for column in page.columns]
    )


# ---- the dictionary


def _system(code: str, lang: str) -> str:
    titles = {e.code: e.title_en if lang == "en" else e.title_vi for e in reference_systems.PROVINCE_CRS}
    return f"{titles[code]}, {code}" if code in titles else code


def _explain(
    packed: zipfile.ZipFile, features: Features, context: Context, names: Sequence[str], files: Sequence[str]
) -> None:
    lang = context.language
    notes: dict[str, str] = {}
    for field in features.fields:
        if field.name in context.cut:
            notes[field.name] = _CUT[lang].format(limit=LONGEST_TEXT)
        elif field.type == FieldType.DATETIME:
            notes[field.name] = _TEXT_MOMENT[lang]
        elif field.type == FieldType.BOOLEAN:
            notes[field.name] = _FLAG[lang]
    remarks = [
        _REMARKS["names"][lang].format(limit=LONGEST_NAME),
        _REMARKS[context.encoding][lang],
        _REMARKS["crs"][lang].format(crs=_system(context.target.crs, lang)),
    ]
    if len(files) > 1:
        remarks.append(_REMARKS["parts"][lang].format(files=", ".join(f"{stem}.shp" for stem in files)))
    described = companions.entries(features, lang, names, notes)
    table = companions.csv_bytes(companions.COLUMNS, [e.cells() for e in described], lang)
    packed.writestr(f"{DICTIONARY}.csv", table)
    packed.writestr(f"{DICTIONARY}.txt", companions.readable(features, lang, described, remarks))
    if lists := companions.code_rows(features.fields):
        packed.writestr(CODE_LISTS, companions.csv_bytes(companions.CODE_COLUMNS, lists, lang))
