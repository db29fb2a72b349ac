"""A judge's pile of dirty files: each comes in right, or is refused in one sentence and changes nothing."""

from __future__ import annotations

import json
import shutil
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fiona
import openpyxl
import pytest
import shapely
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pyproj import Transformer
from shapely.geometry import mapping

from data.admin_units import Commune
from data.base import Base
from data.boundaries import import_boundaries
from data.growing_areas import GrowingArea
from data.products import SalePoint
from data.store import Store
from tests.conftest import made_once
from tests.dirtyfiles import TO_104_30, tcvn3, vn2000
from webmap.cli import main

#: VN-2000 to WGS84 by EPSG:6960, written out apart from our own code; read backwards it gives VN-2000.
_DATUM = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 "
    "+step +proj=cart +ellps=WGS84 +step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 "
    "+rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 "
)
TO_DEGREES = Transformer.from_pipeline(_DATUM + "+step +proj=unitconvert +xy_in=rad +xy_out=deg")
TO_105 = Transformer.from_pipeline(
    _DATUM + "+step +proj=tmerc +lat_0=0 +lon_0=105 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"
)
METRE = 1 / 111_000
WGS84_PRJ = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
NAMES = [
    "Vùng nuôi tôm ấp Kinh Cũ",
    "Vườn chuối Nguyễn Văn Được",
    "Ruộng lúa kênh Hai Thước",
    "Đầm cua Đất Mũi",
    "Vùng sò huyết Rạch Gốc",
    "Bãi nghêu Khai Long",
]

#: VNI as its fonts draw it, of the letters that the names have.
VNI = {
    "ù": "uø", "ô": "oâ", "ấ": "aá", "ũ": "uõ", "ư": "ö", "ờ": "ôø", "ố": "oá", "ễ": "eã", "ă": "aê",
    "Đ": "Ñ", "ợ": "ôï", "ộ": "oä", "ú": "uù", "ê": "eâ", "ớ": "ôù", "ầ": "aà", "ò": "oø", "ế": "eá",
    "ạ": "aï", "ã": "aõ", "ĩ": "ó", "đ": "ñ", "ơ": "ô",
}  # fmt: skip


def vni(text: str) -> str:
    """Text as its VNI bytes look when read as Latin-1."""
    return "".join(VNI.get(letter, letter) for letter in text)


class Judge:
    """The command line on a record of the real communes."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        url = store.url.render_as_string(hide_password=False)
        self.environment = {"OCOPMAP_DATABASE_URL": url, "OCOPMAP_INSTANCE": str(folder / "instance")}
        with store.reading() as session:
            query = sa.select(Commune.geom).order_by(Commune.code)
            self.inside = [shapely.point_on_surface(geom) for geom in session.scalars(query)]

    def __call__(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["import", *map(str, arguments)], env=self.environment)

    def kept(self, model: Any, *arguments: str | Path) -> list[Any]:
        """Import a file that must come in; return the rows in their order."""
        result = self(*arguments)
        assert result.exit_code == 0, result.output + result.stderr
        with self.store.reading() as session:
            rows = list(session.scalars(sa.select(model).order_by(model.id)))
            session.expunge_all()
        return rows

    def refused(self, *arguments: str | Path) -> str:
        """Import a file that must be refused in one sentence, and nothing changed; return the sentence."""
        before = self.everything()
        result = self(*arguments)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("Lỗi: "), result.stderr
        assert self.everything() == before
        return last

    def everything(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.store.reading() as session:
            return {
                table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }

    def squares(self, size: float = 0.004) -> list[tuple[str, shapely.Geometry]]:
        """Names, each with an area in a commune of its own."""
        return [
            (name, shapely.box(p.x, p.y, p.x + size, p.y + size))
            for name, p in zip(NAMES, self.inside, strict=False)
        ]


def moved(geometry: shapely.Geometry, to: Transformer) -> shapely.Geometry:
    """A lon/lat shape carried elsewhere."""
    return shapely.transform(geometry, lambda x, y: to.transform(x, y), interleaved=False)


def near(rows: Sequence[Any], expected: Sequence[tuple[str, shapely.Geometry]]) -> None:
    """Assert that names are exact and every corner lies within a metre."""
    assert [row.name for row in rows] == [name for name, _ in expected]
    for row, (name, shape) in zip(rows, expected, strict=True):
        assert shapely.hausdorff_distance(row.geom, shape) < METRE, name


def vector(
    path: Path, rows: Sequence[tuple[dict[str, Any], shapely.Geometry]], driver: str, **more: Any
) -> Path:
    """A vector file by another program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {name: "float" if isinstance(value, float) else "str:120" for name, value in rows[0][0].items()}
    schema = {"geometry": more.pop("geometry", rows[0][1].geom_type), "properties": kinds}
    with fiona.open(path, "w", driver=driver, schema=schema, **more) as sink:
        sink.writerecords({"geometry": mapping(g), "properties": values} for values, g in rows)
    return path


def zipped(archive: Path, *tables: Path, without: Sequence[str] = (), prj: str | None = None) -> Path:
    """Shapefiles in an archive."""
    with zipfile.ZipFile(archive, "w") as sink:
        for path in tables:
            for part in sorted(path.parent.glob(f"{path.stem}.*")):
                if part.suffix not in (*without, ".zip"):
                    sink.write(part, part.name)
            if prj is not None:
                sink.writestr(f"{path.stem}.prj", prj)
    return archive


@pytest.fixture(scope="module")
def province(shared_folder: Path, empty_gpkg: Path, real_data: Path) -> Path:
    """A record that holds the real communes of 2020, to be copied."""

    def make(path: Path) -> None:
        shutil.copy(empty_gpkg, path)
        store = Store(f"gpkg:///{path}")
        import_boundaries(store, real_data / "communes_legacy.geojson", edition="2020")
        store.dispose()

    return made_once(shared_folder, "real-communes.gpkg", make)


@pytest.fixture
def judge(province: Path, tmp_path: Path) -> Any:
    path = tmp_path / "province.gpkg"
    shutil.copy(province, path)
    store = Store(f"gpkg:///{path}")
    yield Judge(store, tmp_path)
    store.dispose()


@pytest.fixture
def either(store: Store, tmp_path: Path, real_data: Path) -> Judge:
    """The same on both databases."""
    import_boundaries(store, real_data / "communes_legacy.geojson", edition="2020")
    return Judge(store, tmp_path)


@pytest.fixture
def coverage(real_data: Path) -> list[tuple[str, shapely.Geometry]]:
    document = json.loads((real_data / "communes_legacy.geojson").read_text("utf-8"))
    return [
        (f["properties"]["name"], shapely.from_geojson(json.dumps(f["geometry"])))
        for f in document["features"]
    ]


FIXED = ("--set", "crop=rice")


# ---- the reference system


def test_a_province_that_claims_wgs84_and_is_vn2000_is_not_taken_at_its_word(
    either: Judge, coverage, tmp_path: Path
) -> None:
    rows = [({"TEN": name}, moved(shape, TO_DEGREES)) for name, shape in coverage]
    path = vector(tmp_path / "tinh" / "xa.shp", rows, "ESRI Shapefile", encoding="utf-8")
    archive = zipped(tmp_path / "xa.zip", path, without=(".prj",), prj=WGS84_PRJ)
    sentence = either.refused("growing_areas", archive, "--map", "name=TEN", *FIXED)
    assert "EPSG:4756" in sentence and "VN-2000" in sentence
    said = either("growing_areas", archive, "--map", "name=TEN", *FIXED).stderr
    kept = either.kept(
        GrowingArea, "growing_areas", archive, "--map", "name=TEN", *FIXED, "--crs", "EPSG:4756"
    )
    near(kept, coverage)
    assert said


@pytest.mark.parametrize(("to", "code"), [(TO_104_30, "EPSG:9207"), (TO_105, "EPSG:5897")])
def test_a_province_in_metres_without_a_system_is_placed_by_the_known_communes(
    judge: Judge, coverage, tmp_path: Path, to, code
) -> None:
    rows = [({"TEN": name}, moved(shape, to)) for name, shape in coverage]
    path = vector(tmp_path / "tinh" / "xa.shp", rows, "ESRI Shapefile", encoding="utf-8")
    archive = zipped(tmp_path / "xa.zip", path, without=(".prj",))
    sentence = judge.refused("growing_areas", archive, "--map", "name=TEN", *FIXED)
    assert sentence.index(code) < min(sentence.index(c) for c in ("EPSG:9207", "EPSG:5897") if c != code)
    near(
        judge.kept(GrowingArea, "growing_areas", archive, "--map", "name=TEN", *FIXED, "--crs", code),
        coverage,
    )


def test_axes_the_wrong_way_round_are_refused_until_somebody_turns_them(judge: Judge, tmp_path: Path) -> None:
    rows = [
        ({"name": name}, shapely.transform(shape, lambda xy: xy[:, ::-1])) for name, shape in judge.squares()
    ]
    path = vector(tmp_path / "dao.geojson", rows, "GeoJSON", crs="EPSG:4326")
    assert "đảo" in judge.refused("growing_areas", path, *FIXED)
    near(judge.kept(GrowingArea, "growing_areas", path, *FIXED, "--swap"), judge.squares())


# ---- letters


@pytest.mark.parametrize(("typed", "code"), [(tcvn3, "tcvn3"), (vni, "vni")])
def test_tables_of_old_fonts_without_a_cpg_are_read(judge: Judge, tmp_path: Path, typed, code) -> None:
    squares = judge.squares()
    rows = [({"TEN_VUNG": typed(name), "DTICH": 12.5}, vn2000(shape)) for name, shape in squares]
    path = vector(tmp_path / "cu" / "vung.shp", rows, "ESRI Shapefile", encoding="ISO-8859-1")
    archive = zipped(tmp_path / "vung.zip", path, without=(".prj", ".cpg"))
    kept = judge.kept(
        GrowingArea, "growing_areas", archive, "--guess", *FIXED, "--map", "name=TEN_VUNG", "--crs", "9207"
    )
    near(kept, squares)
    assert {row.declared_area_ha for row in kept} == {12.5}


# ---- telephones and devices


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>
<name>Khảo sát</name><Folder><name>Huyện</name><Folder><name>Xã</name>
<Placemark><name>{a}</name><Polygon><altitudeMode>absolute</altitudeMode><outerBoundaryIs><LinearRing>
<coordinates>{ring_a}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder>
<Placemark><name>{b}</name><MultiGeometry><MultiGeometry><Polygon><outerBoundaryIs><LinearRing>
<coordinates>{ring_b}</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry>
<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring_c}</coordinates></LinearRing></outerBoundaryIs>
</Polygon></MultiGeometry></Placemark></Folder>{more}</Document></kml>"""
TRACK = """<Placemark><name>{name}</name><gx:Track><when>2026-05-01T01:00:00Z</when>{coords}</gx:Track></Placemark>"""


def ring(shape: shapely.Geometry, height: str = ",3.5") -> str:
    return " ".join(f"{x},{y}{height}" for x, y in shape.exterior.coords)


def phone(judge: Judge, more: str = "") -> tuple[str, list[tuple[str, shapely.Geometry]]]:
    (a, one), (b, two), (_, three) = judge.squares()[:3]
    text = KML.format(a=a, b=b, ring_a=ring(one), ring_b=ring(two), ring_c=ring(three), more=more)
    return text, [(a, one), (b, shapely.MultiPolygon([two, three]))]


@pytest.mark.parametrize("kind", ["kml", "kmz"])
def test_what_a_phone_saves_comes_in_from_nested_folders_with_heights_and_several_parts(
    judge: Judge, tmp_path: Path, kind: str
) -> None:
    text, expected = phone(judge)
    path = tmp_path / f"dien_thoai.{kind}"
    if kind == "kmz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("doc.kml", text)
            archive.writestr("files/icon.png", b"\x89PNG")
    else:
        path.write_text(text, encoding="utf-8")
    near(judge.kept(GrowingArea, "growing_areas", path, *FIXED), expected)


def test_a_closed_track_becomes_an_area_when_asked(judge: Judge, tmp_path: Path) -> None:
    name, shape = judge.squares()[3]
    walk = shapely.segmentize(shape.exterior, 0.0005).coords
    coords = "".join(f"<gx:coord>{x} {y} 2.0</gx:coord>" for x, y in walk)
    text = f"""<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"
 xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>{TRACK.format(name=name, coords=coords)}</Document></kml>"""
    path = tmp_path / "vet.kml"
    path.write_text(text, encoding="utf-8")
    judge.refused("growing_areas", path, *FIXED)
    assert "--outline" in judge("growing_areas", path, *FIXED).stderr
    near(judge.kept(GrowingArea, "growing_areas", path, *FIXED, "--outline"), [(name, shape)])


def gpx(path: Path, name: str, walk: Sequence[tuple[float, float]]) -> Path:
    points = "".join(f'<trkpt lat="{y}" lon="{x}"><ele>1</ele></trkpt>' for x, y in walk)
    path.write_text(
        '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><name>{name}</name><trkseg>{points}</trkseg></trk></gpx>",
        encoding="utf-8",
    )
    return path


def test_a_gps_track_becomes_an_area_when_asked_and_an_open_one_says_why_not(
    judge: Judge, tmp_path: Path
) -> None:
    name, shape = judge.squares()[3]
    walk = list(shapely.segmentize(shape.exterior, 0.0005).coords)
    closed = gpx(tmp_path / "khep.gpx", name, walk[:-1])
    near(judge.kept(GrowingArea, "growing_areas", closed, *FIXED, "--outline"), [(name, shape)])
    half = gpx(tmp_path / "ho.gpx", name, walk[: len(walk) // 2])
    result = judge("growing_areas", half, *FIXED, "--outline")
    assert result.exit_code == 1 and "không khép kín" in result.stderr


# ---- other programs


def test_mapinfo_comes_in(judge: Judge, tmp_path: Path) -> None:
    squares = judge.squares()
    rows = [({"TEN": name}, shape) for name, shape in squares]
    table = vector(tmp_path / "mi" / "vung.tab", rows, "MapInfo File", crs="EPSG:4326", encoding="utf-8")
    archive = zipped(tmp_path / "mi.zip", table)
    kept = judge.kept(GrowingArea, "growing_areas", archive, "--map", "name=TEN", *FIXED)
    near(kept, squares)


def test_a_drawing_gives_areas_of_its_closed_lines(judge: Judge, tmp_path: Path) -> None:
    squares = judge.squares()
    rows = [
        ({"Layer": f"VUNG_{n}"}, shapely.LineString(vn2000(shape).exterior.coords))
        for n, (_, shape) in enumerate(squares)
    ]
    path = tmp_path / "ban_ve.dxf"
    schema = {"geometry": "LineString", "properties": {"Layer": "str"}}
    with fiona.open(path, "w", driver="DXF", schema=schema) as sink:
        sink.writerecords({"geometry": mapping(g), "properties": values} for values, g in rows)
    kept = judge.kept(GrowingArea, "growing_areas", path, "--map", "name=Layer", *FIXED, "--crs", "EPSG:9207")
    near(kept, [(f"VUNG_{n}", shape) for n, (_, shape) in enumerate(squares)])


def test_an_archive_with_several_layers_asks_which(judge: Judge, tmp_path: Path) -> None:
    squares = judge.squares()
    rows = [({"name": name}, shape) for name, shape in squares]
    one = vector(tmp_path / "n" / "lua.shp", rows[:3], "ESRI Shapefile", crs="EPSG:4326", encoding="utf-8")
    two = vector(tmp_path / "n" / "tom.shp", rows[3:], "ESRI Shapefile", crs="EPSG:4326", encoding="utf-8")
    archive = zipped(tmp_path / "nhieu.zip", one, two)
    sentence = judge.refused("growing_areas", archive, *FIXED)
    assert "lua" in sentence and "tom" in sentence
    near(judge.kept(GrowingArea, "growing_areas", archive, *FIXED, "--layer", "tom"), squares[3:])


# ---- tables


def points(judge: Judge) -> list[tuple[str, shapely.Point]]:
    return [(f"Điểm bán {name}", p) for name, p in zip(NAMES, judge.inside, strict=False)]


SHOP = ("--set", "kind=shop", "--guess")


def comma(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def dms(value: float) -> tuple[int, int, float]:
    minutes, seconds = divmod(round(value * 3600, 3), 60)
    degrees, minutes = divmod(int(minutes), 60)
    return degrees, minutes, round(seconds, 3)


def write(path: Path, lines: Sequence[Sequence[Any]], encoding: str = "utf-8") -> Path:
    path.write_text("\r\n".join(";".join(map(str, line)) for line in lines), encoding=encoding)
    return path


def surveyed(judge: Judge) -> list[list[str]]:
    lines = [["STT", "Tên điểm", "X", "Y"]]
    for n, (name, p) in enumerate(points(judge), start=1):
        east, north = TO_104_30.transform(p.x, p.y)
        lines.append([str(n), name, comma(north, 3), comma(east, 3)])
    return lines


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_table_with_semicolons_commas_and_surveyors_axes_comes_in(
    either: Judge, tmp_path: Path, encoding: str
) -> None:
    path = write(tmp_path / "diem.csv", surveyed(either), encoding)
    assert "EPSG:9207" in either.refused("sale_points", path, *SHOP)
    near(either.kept(SalePoint, "sale_points", path, *SHOP, "--crs", "EPSG:9207"), points(either))


def test_degrees_minutes_and_seconds_in_a_cell_or_over_three_columns_come_in(
    judge: Judge, tmp_path: Path
) -> None:
    expected = points(judge)
    lines = [["Tên điểm", "Kinh độ", "Vĩ độ"]]
    for name, p in expected:
        (d, m, s), (e, f, t) = dms(p.x), dms(p.y)
        lines.append([name, f"{d}°{m}'{comma(s, 3)}\"Đ", f"{e}°{f}'{comma(t, 3)}\"B"])
    one = write(tmp_path / "do.csv", lines)
    near(judge.kept(SalePoint, "sale_points", one, *SHOP, "--crs", "4326"), expected)


def test_degrees_over_three_columns_come_in(judge: Judge, tmp_path: Path) -> None:
    expected = points(judge)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Tên điểm", "Kinh độ", None, None, "Vĩ độ", None, None])
    sheet.append([None, "Độ", "Phút", "Giây", "Độ", "Phút", "Giây"])
    for cells in ("A1:A2", "B1:D1", "E1:G1"):
        sheet.merge_cells(cells)
    for name, p in expected:
        sheet.append([name, *dms(p.x), *dms(p.y)])
    path = tmp_path / "ba_cot.xlsx"
    book.save(path)
    near(judge.kept(SalePoint, "sale_points", path, *SHOP, "--crs", "4326"), expected)


def test_a_workbook_with_titles_merged_cells_commas_and_formulas_comes_in(
    judge: Judge, tmp_path: Path
) -> None:
    expected = points(judge)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["ỦY BAN NHÂN DÂN HUYỆN"])
    sheet.append(["DANH SÁCH ĐIỂM BÁN", None, None, None])
    sheet.append([])
    sheet.append(["STT", "Tên điểm", "Tọa độ VN-2000", None, "Ghi chú"])
    sheet.append([None, None, "X (m)", "Y (m)", None])
    for cells in ("A1:E1", "A2:E2", "A4:A5", "B4:B5", "C4:D4", "E4:E5"):
        sheet.merge_cells(cells)
    for n, (name, p) in enumerate(expected, start=1):
        east, north = TO_104_30.transform(p.x, p.y)
        sheet.append([n, name, comma(north, 2), comma(east, 2), "=1+1"])
    path = tmp_path / "diem.xlsx"
    book.save(path)
    near(judge.kept(SalePoint, "sale_points", path, *SHOP, "--crs", "EPSG:9207"), expected)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12,5", "1.234,5", "12,5 ha", "7", "0,25", "3"], [12.5, 1234.5, 12.5, 7, 0.25, 3]),
        (["1.250", "12.500", "3,5", "7", "8", "9"], [1250, 12500, 3.5, 7, 8, 9]),
        (["12.5", "1,234.5", "12.5 ha", "7", "0.25", "3"], [12.5, 1234.5, 12.5, 7, 0.25, 3]),
        (["1 234,5", "2 000", "3,5", "~", "–", ""], [1234.5, 2000, 3.5, "~", None, None]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_numbers_written_as_text_are_read_as_the_column_writes_them(
    judge: Judge, tmp_path: Path, kind: str, cells: list[str], expected: list[Any]
) -> None:
    lines = [["Tên vùng", "Diện tích (ha)", "WKT"]]
    lines += [[name, cell, shape.wkt] for cell, (name, shape) in zip(cells, judge.squares(), strict=True)]
    path = tmp_path / f"so.{kind}"
    if kind == "csv":
        write(path, lines)
    else:
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line)
        book.save(path)
    given = ("growing_areas", path, *FIXED, "--map", "name=Tên vùng", "--guess", "--crs", "4326")
    if "~" in expected:
        assert "nhập được" in judge.refused(*given)
        return
    assert [row.declared_area_ha for row in judge.kept(GrowingArea, *given)] == expected


# ---- broken and dangerous


def test_a_cut_off_file_is_refused(judge: Judge, tmp_path: Path) -> None:
    rows = [({"name": name}, shape) for name, shape in judge.squares()]
    shp = vector(tmp_path / "c" / "vung.shp", rows, "ESRI Shapefile", crs="EPSG:4326", encoding="utf-8")
    shp.write_bytes(shp.read_bytes()[:-120])
    assert judge.refused("growing_areas", zipped(tmp_path / "cut.zip", shp), *FIXED)
    whole = vector(tmp_path / "v.geojson", rows, "GeoJSON").read_bytes()
    for name, content in (("v1.geojson", whole[: len(whole) // 2]), ("v2.gpkg", b"SQLite format 3\x00" * 50)):
        (tmp_path / name).write_bytes(content)
        assert judge.refused("growing_areas", tmp_path / name, *FIXED)
    good = vector(tmp_path / "g" / "vung.shp", rows, "ESRI Shapefile", crs="EPSG:4326", encoding="utf-8")
    archive = zipped(tmp_path / "g.zip", good)
    archive.write_bytes(archive.read_bytes()[:-200])
    assert judge.refused("growing_areas", archive, *FIXED)
    dbf = good.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes()[:-300])
    assert judge.refused("growing_areas", zipped(tmp_path / "d.zip", good), *FIXED)


def test_bombs_and_paths_that_leave_the_folder_are_refused(judge: Judge, tmp_path: Path) -> None:
    bomb = tmp_path / "bom.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b" " * (300 * 2**20))
    assert judge.refused("growing_areas", bomb, *FIXED)
    outside = tmp_path / "ra.zip"
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../../ra_ngoai.geojson", b"{}")
    assert "không an toàn" in judge.refused("growing_areas", outside, *FIXED)
    link = tmp_path / "lk.zip"
    with zipfile.ZipFile(link, "w") as archive:
        entry = zipfile.ZipInfo("a.geojson")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "liên kết" in judge.refused("growing_areas", link, *FIXED)
    assert not list(tmp_path.rglob("ra_ngoai*"))


def test_formulas_are_words_in_the_record(judge: Judge, tmp_path: Path) -> None:
    lines = [["name", "lon", "lat"]]
    sums = ["=cmd|' /C calc'!A0", "+1+1", "@SUM(1)"]
    lines += [[s, str(p.x), str(p.y)] for s, p in zip(sums, judge.inside, strict=False)]
    path = write(tmp_path / "ct.csv", lines)
    kept = judge.kept(SalePoint, "sale_points", path, *SHOP, "--crs", "4326")
    assert [row.name for row in kept] == sums
