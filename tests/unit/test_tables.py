"""Tables as officers send them: title rows, merged heads, decimal commas, surveyors' X and Y, broken cells."""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest
import shapely

from gis.crs import transform_points
from gis.errors import Refusal
from gis.inspection import TableColumns
from gis.vectorfile import Record, VectorFileError, list_layers, open_vector


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, **options) -> tuple[list[Record], TableColumns | None]:
    with open_vector(path, **options) as file:
        records = list(file)
        assert len(records) == file.count
        return records, file.columns


def places(records: list[Record]) -> list[tuple[float, float]]:
    return [(round(r.geometry.x, 6), round(r.geometry.y, 6)) for r in records]


HERE = [(105.15, 9.18), (105.05, 9.0)]


@pytest.mark.parametrize(
    "text",
    [
        "ten,lon,lat\nA,105.15,9.18\nB,105.05,9.0\n",
        "ten;Kinh độ;Vĩ độ\nA;105,15;9,18\nB;105,05;9,0\n",
        "ten\tvi_do\tkinh_do\nA\t9.18\t105.15\nB\t9.0\t105.05\n",
        'ten,vĩ độ,kinh độ\nA,"9,18","105,15"\nB,"9,0","105,05"\n',
        "ten;lat;long\nA;9°10'48\"N;105°09'00\"E\nB;9 00 00;105 03 00\n",
        'ten,Tọa độ GPS\nA,"9.18, 105.15"\nB,"9.0, 105.05"\n',
        'ten;wkt\nA;POINT (105.15 9.18)\nB;"SRID=4326;POINT (105.05 9)"\n',
        "A;105,15;9,18\nB;105,05;9,0\n",
        "DANH SÁCH\n\nten;x;y\nA;9,18;105,15\nB;9,0;105,05\n",
        "\ufeffTT|ten|X|Y\n1|A|9.18|105.15\n2|B|9.0|105.05\n",
    ],
    ids=["comma", "semicolon", "tab", "quoted", "dms", "pair", "wkt", "no header", "title", "pipe and mark"],
)
def test_points_are_found_by_name_and_by_value(tmp_path, text):
    records, columns = read(csv_file(tmp_path, text))
    assert places(records) == HERE and columns is not None
    assert "A" in records[0].properties.values()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258", "tcvn3", "vni"])
def test_the_letters_of_a_text_file_are_told(tmp_path, encoding):
    names = ["xã khánh bình", "ấp đất mũi", "huyện trần văn thời", "vùng tôm năm căn", "đường nguyễn huệ"]
    lines = ["tên;kinh độ;vĩ độ", *[f"{name};105,{n}5;9,{n}8" for n, name in enumerate(names)]]
    if encoding == "cp1258":
        content = b"\r\n".join(_cp1258(line) for line in lines)
    else:
        content = "\r\n".join(lines).encode(encoding)
    (tmp_path / "a.csv").write_bytes(content)
    with open_vector(tmp_path / "a.csv") as file:
        assert list(file.fields) == ["tên", "kinh độ", "vĩ độ"]
        assert [r.properties["tên"] for r in file] == names
        assert all(r.geometry is not None for r in file)


def _cp1258(text: str) -> bytes:
    octets = b""
    for letter in text:
        try:
            octets += letter.encode("cp1258")
        except UnicodeEncodeError:
            spread = unicodedata.normalize("NFD", letter)
            base = unicodedata.normalize(
                "NFC", "".join(c for c in spread if c not in "\u0300\u0301\u0303\u0309\u0323")
            )
            octets += (base + next(c for c in spread if c in "\u0300\u0301\u0303\u0309\u0323")).encode(
                "cp1258"
            )
    return octets


#: Published vectors: WGS84 105.15, 9.18 in the two zones; surveyors write X for the north.
ZONES = [("EPSG:9207", "1015233,261", "571235,382"), ("EPSG:5897", "1015172,326", "516288,061")]


@pytest.mark.parametrize(("crs", "north", "east"), ZONES)
def test_surveyors_x_is_the_north(tmp_path, crs, north, east):
    path = csv_file(tmp_path, f"ten;X (m);Y (m)\nA;{north};{east}\nB;1.015.300,5;571.300,25\n")
    records, columns = read(path, crs=crs)
    assert columns == TableColumns("Y (m)", "X (m)", "projected", 1, None, surveyor=True)
    lon, lat = transform_points(records[0].geometry.x, records[0].geometry.y, crs, "OGC:CRS84")
    assert (float(lon), float(lat)) == pytest.approx((105.15, 9.18), abs=1e-5)
    assert records[1].geometry == shapely.Point(571300.25, 1015300.5)


def test_columns_that_somebody_names_overrule_what_was_found(tmp_path):
    path = csv_file(tmp_path, "ten,lon,lat,lon2,lat2\nA,105.15,9.18,105.3,9.3\n")
    records, _ = read(path, columns=TableColumns("lon2", "lat2", "degrees"))
    assert places(records) == [(105.3, 9.3)]
    with pytest.raises(VectorFileError, match="kinh"):
        open_vector(path, columns=TableColumns("kinh", "lat", "degrees"))


def test_rows_without_a_place_are_kept_with_the_reason(tmp_path):
    text = "ten;lon;lat\nA;105,15;9,18\nB;;\nC;105,1;\nD;không rõ;9,2\nE;0;0\n"
    records, _ = read(csv_file(tmp_path, text))
    assert [r.geometry is None for r in records] == [False, True, True, True, True]
    reasons = [str(r.reason) for r in records[1:]]
    assert ["không có tọa độ" in reasons[0], "một trong hai" in reasons[1], "không rõ" in reasons[2]] == [
        True
    ] * 3
    assert [r.number for r in records] == [2, 3, 4, 5, 6]


def test_values_of_other_columns_become_numbers_and_dates_where_all_cells_agree(tmp_path):
    text = (
        "ma;ten;dt;ho;sdt;ngay;ghi\n096;A;12,5;3;0912345678;22/5/2026;1\n097;B;1.234,75;10;0987;1/6/2026;x\n"
    )
    records, columns = read(csv_file(tmp_path, text))
    assert columns is None and str(records[0].reason) == "Bảng không có cột tọa độ."
    assert records[0].properties == {
        "ma": "096",
        "ten": "A",
        "dt": 12.5,
        "ho": 3,
        "sdt": "0912345678",
        "ngay": dt.date(2026, 5, 22),
        "ghi": "1",
    }
    assert records[1].properties["dt"] == 1234.75


def test_a_number_that_may_be_thousands_is_announced(tmp_path):
    with open_vector(csv_file(tmp_path, "ten,sl\nA,1.234\nB,2.500\n")) as file:
        assert "1.234" in str(file.warnings[0]) and [r.properties["sl"] for r in file] == [1.234, 2.5]


def workbook(path: Path) -> Path:
    """The form of a district: two titles side by side, merged heads, a section, a broken formula."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Vùng nuôi"
    sheet["A1"], sheet["D1"] = "UBND HUYỆN ĐẦM DƠI", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
    sheet["A3"] = "BẢNG TỔNG HỢP VÙNG NUÔI"
    for cell, text in {"A5": "TT", "B5": "Tên cơ sở", "C5": "Tọa độ VN-2000", "E5": "Diện tích (ha)"}.items():
        sheet[cell] = text
    sheet["C6"], sheet["D6"] = "X", "Y"
    for merged in ("A1:C1", "D1:E1", "A3:E3", "A5:A6", "B5:B6", "C5:D5", "E5:E6", "A8:E8", "B9:B10"):
        sheet.merge_cells(merged)
    for column in range(1, 6):
        sheet.cell(7, column, f"({column})")
    sheet["A8"] = "I. Xã Tân Tiến"
    rows = [
        (1, "Hộ ông A", "1015233,261", "571235,382", "12,5"),
        (2, None, 1015300.5, 571300.25, "1.234,5"),
        (3, "Hộ bà C", "#REF!", "#REF!", 3),
    ]
    for at, row in enumerate(rows, start=9):
        for column, value in enumerate(row, start=1):
            sheet.cell(at, column, value) if (at, column) != (10, 2) else None
    book.create_sheet("Trống")
    book.create_sheet("Ẩn").sheet_state = "hidden"
    book.save(path)
    return path


def test_the_form_of_a_district_is_read_through_its_titles_and_merged_cells(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    assert list_layers(path) == ["Vùng nuôi", "Trống"]
    with open_vector(path, layer="Vùng nuôi") as file:
        assert list(file.fields) == [
            "TT",
            "Tên cơ sở",
            "Tọa độ VN-2000 X",
            "Tọa độ VN-2000 Y",
            "Diện tích (ha)",
        ]
        assert file.columns.surveyor and file.columns.header_row == 6 and file.columns.sheet == "Vùng nuôi"
        records = list(file)
        assert "#REF!" in str(file.warnings[0]) and "11" in str(file.warnings[0])
    assert [r.number for r in records] == [9, 10, 11]
    assert [r.properties["Tên cơ sở"] for r in records] == ["Hộ ông A", "Hộ ông A", "Hộ bà C"]
    assert [r.properties["Diện tích (ha)"] for r in records] == [12.5, 1234.5, 3.0]
    assert records[0].geometry == shapely.Point(571235.382, 1015233.261)
    assert records[2].geometry is None and records[2].reason is not None


def repacked(source: Path, target: Path, changes: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
    return target


def test_a_workbook_that_declares_entities_is_refused(tmp_path):
    good = workbook(tmp_path / "a.xlsx")
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    sheet = zipfile.ZipFile(good).read("xl/worksheets/sheet1.xml")
    path = repacked(good, tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": bomb + sheet})
    with pytest.raises(VectorFileError, match="thực thể"):
        list_layers(path)


def test_a_workbook_that_swells_is_refused(tmp_path):
    good = workbook(tmp_path / "a.xlsx")
    path = repacked(good, tmp_path / "b.xlsx", {"xl/theme/theme1.xml": b"<a>" + b" " * 60_000_000 + b"</a>"})
    with pytest.raises(Refusal, match="phình"):
        list_layers(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_broken_workbook_is_refused_in_one_sentence(tmp_path, part):
    good = workbook(tmp_path / "a.xlsx")
    path = repacked(good, tmp_path / "b.xlsx", {part: b"<broken"})
    with pytest.raises(VectorFileError, match="hỏng"), open_vector(path, layer="Vùng nuôi") as file:
        list(file)


def test_a_cell_at_the_far_corner_of_the_sheet_does_not_fill_the_memory(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["ten", "lon", "lat"])
    book.active.append(["A", 105.15, 9.18])
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(VectorFileError, match="quá lớn"), open_vector(tmp_path / "a.xlsx") as file:
        list(file)


def test_a_text_file_without_an_end_to_its_quotes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gis.sheets.LONGEST_CELL", 10_000)
    path = csv_file(tmp_path, 'ten,lon,lat\n"A,105,9\n' + "dòng này rất dài,105,9\n" * 2_000)
    with pytest.raises(VectorFileError, match="dấu ngoặc kép"):
        open_vector(path)


def test_too_many_columns_are_refused(tmp_path):
    with pytest.raises(VectorFileError, match="quá lớn"):
        open_vector(csv_file(tmp_path, ",".join(["a"] * 2_000) + "\n" + ",".join(["1"] * 2_000) + "\n"))


def test_what_another_program_must_open_first_says_so(tmp_path):
    for head, word in {
        b"\xd0\xcf\x11\xe0\xa1\xb1": ".xlsx",
        b"AC1032": "DXF",
        b"Rar!\x1a\x07": ".zip",
    }.items():
        (tmp_path / "a.xls").write_bytes(head + bytes(100))
        with pytest.raises(VectorFileError, match=word):
            open_vector(tmp_path / "a.xls")


def test_a_table_in_an_archive_is_read_only_where_there_is_no_map(tmp_path):
    table = b"ten,lon,lat\nA,105.15,9.18\n"
    point = b'{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[105,9]}}'
    for name, content in {
        "t.csv": {"t.csv": table},
        "m.geojson": {"t.csv": table, "m.geojson": point},
    }.items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as sink:
            for member, octets in content.items():
                sink.writestr(member, octets)
        (tmp_path / "a.zip").write_bytes(packed.getvalue())
        assert list_layers(tmp_path / "a.zip") == [name.split(".")[0]]
