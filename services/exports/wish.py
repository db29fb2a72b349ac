"""What somebody wants exported: read from an address, a form, a command line or a job, and made into one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from data.accounts import Actor
from data.spatial import Box
from gis import crs as reference_systems
from gis import srsname
from gis.srsname import SrsName
from layers import catalogue, past, read
from layers.fields import Field, Layer
from layers.filters import Comparison, Filter, Ids, IsIn, all_of, cql2
from services.errors import ExportError
from services.exports.formats import WGS84, ExportFormat, named
from services.formats import Context
from services.formats.shapefile import ENCODINGS, UTF8

LONGEST_FILTER = 50_000
MOST_IDS = 100_000
LANGUAGES = ("vi", "en")
#: Parameters of an export beside the names of fields.
PARAMETERS = frozenset(
    {
        "crs",
        "filter",
        "filter-lang",
        "commune",
        "district",
        "bbox",
        "ids",
        "fields",
        "encoding",
        "lang",
        "asof",
    }
)
CRS_CHOICES = tuple(
    entry
    for entry in reference_systems.PROVINCE_CRS
    if entry.code in (WGS84, "EPSG:9207", "EPSG:5897", "EPSG:3405", "EPSG:32648", "EPSG:3857")
)
_SHORT_CRS = {"wgs84": WGS84, "crs84": WGS84, "epsg:4326": WGS84, "4326": WGS84}


@dataclass(frozen=True)
class Wish:
    """One export that can be made: a layer, a format, which rows and columns, and how they are written."""

    layer: Layer
    form: ExportFormat
    parameters: Mapping[str, str] = field(default_factory=dict)
    target: SrsName = field(default_factory=lambda: srsname.parse(WGS84))
    where: Filter | None = None
    box: Box | None = None
    fields: tuple[str, ...] | None = None
    encoding: str = UTF8
    language: str = "vi"
    as_of: dt.datetime | None = None

    def query(self, actor: Actor) -> read.Query:
        """The rows and columns, as far as the caller may read them. Raises ReadError and FilterError when used."""
        fields = self.fields
        if self.form.fields:
            readable = {f.name for f in self.layer.readable_fields(actor)}
            fields = tuple(name for name in self.form.fields if name in readable)
        return read.Query(self.layer, actor, box=self.box, where=self.where, fields=fields, as_of=self.as_of)

    def context(self) -> Context:
        """How the rows are written: for keeping, so with numbers for ids and with what explains the file."""
        head: dict[str, Any] = {}
        if self.form.name == "geojson":
            head = {"name": self.layer.id, "title": self.layer.title[self.language]}
            if self.target.crs != srsname.CRS84:
                # RFC 7946 dropped this member; programs that read other systems at all look for it.
                head["crs"] = {"type": "name", "properties": {"name": self.target.urn}}
        return Context(
            target=self.target,
            language=self.language,
            text_ids=False,
            head=head,
            marked=True,
            indexed=True,
            companions=True,
            encoding=self.encoding,
        )

    def file_name(self) -> str:
        """The name of the file that is handed out."""
        return f"{self.layer.id}{'-eudr' if self.form.name == 'eudr' else ''}.{self.form.extension}"

    def as_job(self) -> dict[str, Any]:
        """The wish as parameters of a job, which `from_job` reads."""
        return {"layer": self.layer.id, "format": self.form.name, "asked": dict(self.parameters)}


def from_job(parameters: Mapping[str, Any], actor: Actor) -> Wish:
    """Read a wish from the parameters of a job."""
    return parse(catalogue.layer(parameters["layer"]), parameters["format"], parameters["asked"], actor)


def parse(layer: Layer, form: str, asked: Mapping[str, str], actor: Actor) -> Wish:
    """Read a wish; empty values count as not given.

    `asked` holds `PARAMETERS` and names of fields: `crop=rice,salt` means one of both. Boxes are west, south,
    east, north in degrees. Raises ExportError for what cannot be made, FilterError for a bad filter.
    """
    found = named(form)
    if found is None:
        raise ExportError(
            "Không có định dạng “%(form)s”; các định dạng: %(known)s.",
            form=form,
            known=", ".join(_names(layer)),
        )
    if not found.suits(layer.id):
        raise ExportError(
            "Lớp “%(layer)s” không xuất được thành %(form)s.", layer=layer.title, form=found.title
        )
    given = {name: text.strip() for name, text in asked.items() if text and text.strip()}
    _refuse_unknown(layer, given, actor)
    wish = Wish(layer, found, given, target=_target(found, given.get("crs")))
    where = all_of(_equalities(layer, given, actor), _units(layer, given), _ids(given), _cql2(given))
    return replace(
        wish,
        where=where,
        box=_box(given.get("bbox")),
        fields=_fields(layer, given.get("fields"), actor),
        encoding=_encoding(found, given.get("encoding")),
        language=given.get("lang", "vi") if given.get("lang") in LANGUAGES else "vi",
        as_of=_moment(given.get("asof")),
    )


def _names(layer: Layer) -> list[str]:
    from services.exports.formats import FORMATS

    return [name for name, form in FORMATS.items() if form.suits(layer.id)]


def _refuse_unknown(layer: Layer, given: Mapping[str, str], actor: Actor) -> None:
    known = PARAMETERS | {f.name for f in layer.readable_fields(actor) if f.queryable}
    for name in given:
        if name not in known:
            raise ExportError("Không có tham số “%(parameter)s”.", parameter=name)


def _target(form: ExportFormat, name: str | None) -> SrsName:
    if name is None:
        return srsname.parse(form.crs)
    # The short form of a name leaves longitude or easting first, which is how files are written.
    target = srsname.parse(_SHORT_CRS.get(name.lower(), name)).always_xy()
    if not form.any_crs and target.crs != srsname.CRS84:
        raise ExportError("Định dạng %(form)s chỉ có tọa độ WGS84.", form=form.title)
    if form.name == "gml":
        return srsname.of(target.crs)
    return srsname.parse(target.crs) if target.crs == srsname.CRS84 else target


def _equalities(layer: Layer, given: Mapping[str, str], actor: Actor) -> Filter | None:
    filters: list[Filter] = []
    for known in layer.readable_fields(actor):
        if known.name not in given or not known.queryable or known.name in PARAMETERS:
            continue
        filters.append(_one_of(known, given[known.name]))
    return all_of(*filters)


def _one_of(known: Field, text: str) -> Filter:
    values = tuple(filter(None, text.split(","))) if known.code_list else (text,)
    return IsIn(known.name, values) if len(values) > 1 else Comparison(known.name, "=", values[0])


def _units(layer: Layer, given: Mapping[str, str]) -> Filter | None:
    """Rows of communes and of districts, given by their codes."""
    filters: list[Filter] = []
    names = {f.name for f in layer.fields}
    for level, own in (("commune", "communes"), ("district", "districts")):
        if level not in given:
            continue
        name = "code" if layer.id == own else f"{level}_code"
        if name not in names:
            raise ExportError(
                "Lớp “%(layer)s” không lọc được theo %(parameter)s.", layer=layer.title, parameter=level
            )
        values = tuple(part.strip() for part in given[level].split(",") if part.strip())
        filters.append(IsIn(name, values) if len(values) > 1 else Comparison(name, "=", values[0]))
    return all_of(*filters)


def _ids(given: Mapping[str, str]) -> Filter | None:
    if "ids" not in given:
        return None
    parts = [part.strip() for part in given["ids"].split(",") if part.strip()]
    if len(parts) > MOST_IDS or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise ExportError("Danh sách số bản ghi phải là các số, cách nhau bằng dấu phẩy.", parameter="ids")
    return Ids(tuple(int(part) for part in parts))


def _cql2(given: Mapping[str, str]) -> Filter | None:
    text = given.get("filter")
    if text is None:
        return None
    if len(text) > LONGEST_FILTER:
        raise ExportError("Bộ lọc dài quá %(limit)s ký tự.", limit=LONGEST_FILTER)
    language = given.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise ExportError("Tham số “%(parameter)s” nhận: cql2-text, cql2-json.", parameter="filter-lang")
    return cql2.parse(text, language)


def _box(text: str | None) -> Box | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1.0, 0.0, 0.0, 0.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ExportError(
            "Khung tọa độ phải là bốn số tây,nam,đông,bắc theo độ, tây ≤ đông và nam ≤ bắc.", parameter="bbox"
        )
    return west, south, east, north


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        return past.moment_of(text)
    except past.BadMoment as error:
        raise ExportError(error.message, parameter="asof", **error.facts) from error


def _fields(layer: Layer, text: str | None, actor: Actor) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    known = {f.name for f in layer.readable_fields(actor)}
    for name in names:
        if name not in known:
            raise ExportError("Lớp “%(layer)s” không có trường “%(field)s”.", layer=layer.title, field=name)
    return names


def _encoding(form: ExportFormat, name: str | None) -> str:
    found = next((known for known in ENCODINGS if name and known.lower() == name.lower()), None)
    if name is None or (found == UTF8):
        return UTF8
    if found is None:
        raise ExportError("Bảng mã chữ nhận: %(known)s.", known=", ".join(ENCODINGS))
    if not form.legacy_letters:
        raise ExportError("Chỉ shapefile mới chọn được bảng mã TCVN3; các định dạng khác luôn là Unicode.")
    return found
