"""The formats that files leave in, with what people need to know to choose one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from layers.fields import Label
from services import formats
from services.formats import Context, Features, dxf, eudr, kml, parquet, tilearchive, xlsx

WGS84 = "OGC:CRS84"
VN2000 = "EPSG:9207"


@dataclass(frozen=True)
class ExportFormat:
    """One format of the data desk.

    `hint` says in plain words what it is good for. `any_crs` tells whether the reference system may be chosen;
    `crs` is the one that is taken when nobody chooses. `only` names the layers that it makes sense for, `fields`
    the ones that it always takes. `legacy_letters` tells whether TCVN3 may be chosen.
    """

    name: str
    title: Label
    hint: Label
    extension: str
    media_type: str
    encode: Callable[[Features, Context], Iterator[bytes]]
    any_crs: bool = True
    crs: str = WGS84
    only: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    legacy_letters: bool = False
    aliases: tuple[str, ...] = ()

    def suits(self, layer_id: str) -> bool:
        """Tell whether a layer can leave in this format."""
        return not self.only or layer_id in self.only


def _of(name: str, title: str, hint: Label, *, of: str, **more: object) -> ExportFormat:
    """A format that the services have too."""
    known = formats.FORMATS[of]
    return ExportFormat(
        name,
        Label(title, title),
        hint,
        known.extension,
        known.media_type,
        known.encode,
        **more,  # type: ignore[arg-type]
    )


FORMATS: Mapping[str, ExportFormat] = {
    found.name: found
    for found in (
        _of(
            "gpkg",
            "GeoPackage",
            Label(
                "Cho QGIS: một tệp có sẵn màu, tên trường tiếng Việt và bảng mã; giữ đủ mọi chữ.",
                "For QGIS: one file with colours, titles and code lists; nothing is cut.",
            ),
            of="gpkg",
        ),
        _of(
            "shp",
            "Shapefile",
            Label(
                "Cho MapInfo, ArcGIS và phần mềm cũ: tệp nén, tên cột 10 chữ cái, kèm từ điển dữ liệu.",
                "For MapInfo, ArcGIS and older programs: an archive with names of ten letters and a dictionary.",
            ),
            of="shapefile",
            legacy_letters=True,
            aliases=("shapefile", "zip"),
        ),
        ExportFormat(
            "xlsx",
            Label("Excel", "Excel"),
            Label(
                "Bảng tính: tiêu đề tiếng Việt, ngày và số đúng kiểu, kèm bảng mã.",
                "A workbook with titles, real dates and numbers, and the code lists.",
            ),
            "xlsx",
            xlsx.MEDIA_TYPE,
            xlsx.write,
            aliases=("excel",),
        ),
        _of(
            "csv",
            "CSV",
            Label("Bảng chữ đơn giản cho mọi chương trình.", "A plain table for any program."),
            of="csv",
        ),
        _of(
            "geojson",
            "GeoJSON",
            Label("Cho bản đồ trên mạng và người lập trình.", "For web maps and programmers."),
            of="geojson",
        ),
        ExportFormat(
            "kml",
            Label("KML", "KML"),
            Label("Cho Google Earth và điện thoại.", "For Google Earth and phones."),
            "kml",
            kml.MEDIA_TYPE,
            kml.write,
            any_crs=False,
        ),
        ExportFormat(
            "eudr",
            Label("GeoJSON cho EUDR", "GeoJSON for EUDR"),
            Label(
                "Khai báo lô đất theo quy định chống phá rừng của EU (gỗ, cà phê, cao su, ca cao, đậu nành, cọ, "
                "bò; tôm không thuộc phạm vi).",
                "Plots for the EU's deforestation regulation (timber, coffee, rubber, cocoa, soy, palm, cattle; "
                "shrimp is not in its scope).",
            ),
            "geojson",
            eudr.MEDIA_TYPE,
            eudr.write,
            any_crs=False,
            only=("growing_areas",),
            fields=eudr.FIELDS,
        ),
        ExportFormat(
            "dxf",
            Label("DXF", "DXF"),
            Label(
                "Bản vẽ cho AutoCAD và phần mềm địa chính, theo mét VN-2000.",
                "A drawing for AutoCAD and cadastral programs, in metres of VN-2000.",
            ),
            "dxf",
            dxf.MEDIA_TYPE,
            dxf.write,
            crs=VN2000,
        ),
        _of(
            "flatgeobuf",
            "FlatGeobuf",
            Label("Tệp rất lớn, đọc từng phần qua mạng.", "Very large files, read in part over the net."),
            of="flatgeobuf",
            aliases=("fgb",),
        ),
        ExportFormat(
            "parquet",
            Label("GeoParquet", "GeoParquet"),
            Label("Phân tích dữ liệu lớn bằng Python, R, DuckDB.", "Analysis with Python, R, DuckDB."),
            "parquet",
            parquet.MEDIA_TYPE,
            parquet.write,
            aliases=("geoparquet",),
        ),
        ExportFormat(
            "pmtiles",
            Label("PMTiles", "PMTiles"),
            Label("Ô bản đồ véc-tơ trong một tệp, đặt lên bất kỳ máy chủ nào.", "Vector tiles in one file."),
            "pmtiles",
            tilearchive.PMTILES,
            tilearchive.write_pmtiles,
            any_crs=False,
        ),
        ExportFormat(
            "mbtiles",
            Label("MBTiles", "MBTiles"),
            Label("Ô bản đồ véc-tơ cho ứng dụng ngoại tuyến.", "Vector tiles for offline programs."),
            "mbtiles",
            tilearchive.MBTILES,
            tilearchive.write_mbtiles,
            any_crs=False,
        ),
        _of(
            "jsonfg",
            "JSON-FG",
            Label("GeoJSON mở rộng của OGC, có hệ tọa độ.", "OGC's extended GeoJSON with reference systems."),
            of="jsonfg",
        ),
        _of(
            "gml",
            "GML 3.2",
            Label("Trao đổi theo chuẩn ISO 19136.", "Exchange by ISO 19136."),
            of="gml32",
        ),
    )
}  # fmt: skip

_BY_ANY_NAME = {alias: found for found in FORMATS.values() for alias in (found.name, *found.aliases)}


def named(name: str) -> ExportFormat | None:
    """Return a format by its name or another name that it goes by."""
    return _BY_ANY_NAME.get(name.lower())
