"""Files as communes send them: old letters without a .cpg, surveyors' axes, decimal commas."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fiona
import openpyxl
import shapely
from pyproj import Transformer
from shapely.geometry import mapping

# The TCVN3 (ABC) table as fonts of the .Vn family draw it; lower case only.
TCVN3 = dict(
    zip(
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
        "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúûýüþ¡¢§£¤¥¦",
        strict=True,
    )
)


def tcvn3(text: str) -> str:
    """Text as its TCVN3 bytes look when read as Latin-1."""
    return "".join(TCVN3.get(letter, letter) for letter in text)


#: WGS84 to VN-2000 by EPSG:6960, then the 3° zone of 104°30′, written out apart from our own code.
TO_104_30 = Transformer.from_pipeline(
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 "
    "+step +proj=cart +ellps=WGS84 "
    "+step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 "
    "+rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 "
    "+step +proj=tmerc +lat_0=0 +lon_0=104.5 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"
)


def vn2000(geometry: shapely.Geometry) -> shapely.Geometry:
    """A lon/lat shape in VN-2000 metres, zone 104°30′."""
    return shapely.transform(geometry, lambda x, y: TO_104_30.transform(x, y), interleaved=False)


def shapefile(folder: Path, rows: Sequence[tuple[dict[str, Any], shapely.Geometry]]) -> Path:
    """A zipped shapefile in TCVN3 and VN-2000 104°30′ that says neither: no .cpg, no .prj."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "vung_trong.shp"
    kinds = {name: "float" if isinstance(value, float) else "str:80" for name, value in rows[0][0].items()}
    schema = {"geometry": "Polygon", "properties": kinds}
    with fiona.open(path, "w", driver="ESRI Shapefile", schema=schema, encoding="ISO-8859-1") as sink:
        for values, geometry in rows:
            written = {n: tcvn3(v) if isinstance(v, str) else v for n, v in values.items()}
            sink.write({"geometry": mapping(vn2000(geometry)), "properties": written})
    archive = folder / "vung_trong.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for suffix in (".shp", ".shx", ".dbf"):
            zipped.write(path.with_suffix(suffix), f"vung_trong{suffix}")
    return archive


def workbook(path: Path, rows: Sequence[tuple[dict[str, Any], float, float]]) -> Path:
    """An Excel table with a title above, surveyors' X (north) and Y (east) and commas before the fractions."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["DANH SÁCH ĐIỂM BÁN HÀNG OCOP"])
    names = list(rows[0][0])
    sheet.append(["STT", *names, "X", "Y"])
    for number, (values, lon, lat) in enumerate(rows, start=1):
        east, north = TO_104_30.transform(lon, lat)
        comma = [f"{north:.3f}".replace(".", ","), f"{east:.3f}".replace(".", ",")]
        sheet.append([number, *values.values(), *comma])
    book.save(path)
    return path
