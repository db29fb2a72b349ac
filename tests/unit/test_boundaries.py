"""The import of boundaries on a small invented province: columns, codes, faults between neighbours, the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from pyproj import Geod
from shapely.geometry import mapping, shape

from data.admin_units import Commune, CommuneSuccession, District, Province
from data.boundaries import BoundaryError, Report, columns, import_boundaries
from data.boundaries.succession import read_crosswalk
from data.store import Store
from data.tables import AuditRow

Feature = dict[str, Any]
GEOD = Geod(ellps="WGS84")
SIDE = 0.05


def cell(column: int, row: int) -> shapely.Polygon:
    """A square of a grid; neighbours have the very same corners."""
    lon, lat = (
        [round(105 + (column + n) * SIDE, 6) for n in (0, 1)],
        [round(9 + (row + n) * SIDE, 6) for n in (0, 1)],
    )
    return shapely.box(lon[0], lat[0], lon[1], lat[1])


def commune(number: int, geometry: shapely.Geometry, **properties: Any) -> Feature:
    facts = {
        "code": f"{32000 + number}",
        "name": f"Xã Số {number}",
        "type": "xã",
        "district_code": "964" if number < 15 else "966",
        "district_name": "Thành phố Một" if number < 15 else "Huyện Hai",
    }
    return {"type": "Feature", "properties": {**facts, **properties}, "geometry": mapping(geometry)}


def province() -> list[Feature]:
    """Thirty square communes in two districts."""
    return [commune(n, cell(n % 6, n // 6)) for n in range(30)]


def write(folder: Path, features: list[Feature], name: str = "xa.geojson") -> Path:
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def hectares(geometry: shapely.Geometry) -> float:
    return abs(GEOD.geometry_area_perimeter(geometry)[0]) / 10_000


def by_code(store: Store, model: Any = Commune, edition: str = "2020") -> dict[str, Any]:
    with store.reading() as session:
        rows = session.scalars(sa.select(model).where(model.edition == edition)).all()
        session.expunge_all()
    return {row.code: row for row in rows}


@pytest.fixture
def filled(gpkg_store: Store, tmp_path: Path) -> Store:
    import_boundaries(gpkg_store, write(tmp_path, province(), "dau.geojson"), edition="2020")
    return gpkg_store


# ---- columns


@pytest.mark.parametrize(
    ("present", "found"),
    [
        (["code", "name"], {"code": "code", "name": "name"}),
        (["MAXA", "TENXA"], {"code": "MAXA", "name": "TENXA"}),
        (["Mã xã", "Tên xã", "Loại"], {"code": "Mã xã", "name": "Tên xã", "type": "Loại"}),
        (["ma_xa", "ten_xa", "ma_huyen"], {"code": "ma_xa", "name": "ten_xa", "district_code": "ma_huyen"}),
        (["code", "district_c"], {"code": "code", "district_code": "district_c"}),
        (["MA_HUYEN", "MA_XA"], {"code": "MA_XA", "district_code": "MA_HUYEN"}),
    ],
)
def test_columns_are_known_by_their_usual_names(present: list[str], found: dict[str, str]) -> None:
    assert columns.recognise(present) == found


def test_a_stated_column_goes_before_the_usual_names() -> None:
    found = columns.recognise(["code", "name", "MA_MOI"], {"code": "ma_moi"})
    assert found == {"code": "MA_MOI", "name": "name"}


def test_without_a_code_column_the_refusal_lists_the_columns_and_how_to_choose() -> None:
    with pytest.raises(BoundaryError, match=r"--map code=.*\(các cột có trong tệp: A, B\)\.$"):
        columns.recognise(["A", "B"])


@pytest.mark.parametrize("mapping_", [{"code": "không có"}, {"colour": "A"}])
def test_a_mapping_to_nothing_is_refused(mapping_: dict[str, str]) -> None:
    with pytest.raises(BoundaryError):
        columns.recognise(["A", "code"], mapping_)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["31999", " 32002 "], ["31999", "32002"]),
        ([31999, 32002], ["31999", "32002"]),
        ([31999.0, 1234.0], ["31999", "01234"]),
        ([1, 10001], ["00001", "10001"]),
        ([964, 966], ["964", "966"]),
        ([None, "", "32002"], ["", "", "32002"]),
    ],
)
def test_codes_are_text_with_their_zeros(values: list[Any], codes: list[str]) -> None:
    assert columns.unit_codes(values) == codes


@pytest.mark.parametrize(
    ("stated", "name", "kind"),
    [
        ("phường", "Phường 9", "phường"),
        ("", "Thị trấn Cái Nước", "thị trấn"),
        ("TT", "Cái Nước", "thị trấn"),
        ("P.", "9", "phường"),
        ("Thanh pho", "Cà Mau", "thành phố"),
        ("", "Huyện U Minh", "huyện"),
        ("", "U Minh", None),
    ],
)
def test_the_type_of_a_unit_is_read_from_its_type_or_its_name(
    stated: str, name: str, kind: str | None
) -> None:
    assert columns.kind_of(stated, name) == kind


def test_the_length_of_the_codes_tells_the_level() -> None:
    assert columns.level_of(["31999", "32002"]) == "communes"
    assert columns.level_of(["964"]) == "districts"
    assert columns.level_of(["96"]) == "provinces"
    for bad in (["Phường 9"], ["31999", "964"], ["3199"]):
        with pytest.raises(BoundaryError, match="5 chữ số"):
            columns.level_of(bad)


# ---- writing


def test_communes_are_merged_into_districts_and_the_province(filled: Store) -> None:
    communes, districts, provinces = by_code(filled), by_code(filled, District), by_code(filled, Province)
    assert (len(communes), sorted(districts), sorted(provinces)) == (30, ["964", "966"], ["96"])
    assert provinces["96"].geom.equals(shapely.box(105, 9, 105.3, 9.25))
    for code, district in districts.items():
        members = [c.geom for c in communes.values() if c.district_id == district.id]
        assert len(members) == 15 and district.geom.equals(shapely.union_all(members)), code
    assert (districts["964"].name, districts["964"].kind) == ("Thành phố Một", "thành phố")
    assert communes["32000"].area_ha == pytest.approx(hectares(cell(0, 0)), rel=1e-4)
    assert communes["32000"].search.startswith("xã số 0")


def test_without_district_columns_the_known_districts_are_kept(filled: Store, tmp_path: Path) -> None:
    features = province()
    for feature in features:
        del feature["properties"]["district_code"], feature["properties"]["district_name"]
    report = import_boundaries(filled, write(tmp_path, features), edition="2020")
    assert report.levels == {"provinces": 1, "districts": 2, "communes": 30}


def test_an_empty_district_code_is_filled_from_the_record_or_refused(
    gpkg_store: Store, tmp_path: Path
) -> None:
    features = province()
    features[2]["properties"]["district_code"] = None
    with pytest.raises(BoundaryError, match="32002"):
        import_boundaries(gpkg_store, write(tmp_path, features), edition="2020")
    import_boundaries(gpkg_store, write(tmp_path, province()), edition="2020")
    import_boundaries(gpkg_store, write(tmp_path, features), edition="2020")
    assert by_code(gpkg_store)["32002"].district_id == by_code(gpkg_store, District)["964"].id


def test_districts_that_the_edition_does_not_have_are_refused(filled: Store, tmp_path: Path) -> None:
    features = province()
    for feature in features:
        feature["properties"]["district_code"] = "1"
    with pytest.raises(BoundaryError, match="--map district_code"):
        import_boundaries(filled, write(tmp_path, features), edition="2020")


def test_a_renamed_commune_is_reported_and_audited(filled: Store, tmp_path: Path) -> None:
    features = province()
    features[4]["properties"]["name"] = "Phường Mới"
    features[4]["properties"]["type"] = "phường"
    report = import_boundaries(filled, write(tmp_path, features, "dau.geojson"), edition="2020")
    assert [(r.code, r.before, r.after) for r in report.renamed] == [("32004", "Xã Số 4", "Phường Mới")]
    assert report.changed == {"communes": 1}
    assert (by_code(filled)["32004"].kind, by_code(filled)["32004"].version) == ("phường", 2)
    with filled.reading() as session:
        row = session.scalars(sa.select(AuditRow).order_by(AuditRow.id.desc())).first()
    assert row is not None and row.before == {"name": "Xã Số 4", "kind": "xã"}


def test_a_single_new_code_is_added_and_listed(filled: Store, tmp_path: Path) -> None:
    features = [*province(), commune(30, cell(6, 0))]
    report = import_boundaries(filled, write(tmp_path, features), edition="2020")
    assert report.unknown == ("32030",) and report.levels["communes"] == 31


def test_a_file_of_districts_is_compared_and_changes_nothing(filled: Store, tmp_path: Path) -> None:
    shapes = {code: d.geom for code, d in by_code(filled, District).items()}
    shapes["964"] = shapely.difference(shapes["964"], cell(0, 0))
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": mapping(s)}
        for code, s in shapes.items()
    ]
    report = import_boundaries(filled, write(tmp_path, features), edition="2020")
    assert {c.code: c.difference_ha for c in report.compared} == {
        "964": pytest.approx(hectares(cell(0, 0)), rel=1e-4),
        "966": 0,
    }
    assert by_code(filled, District)["964"].version == 1


def test_a_file_of_districts_alone_is_refused(gpkg_store: Store, tmp_path: Path) -> None:
    features = [{"type": "Feature", "properties": {"code": "964"}, "geometry": mapping(cell(0, 0))}]
    with pytest.raises(BoundaryError, match="nạp ranh giới xã trước"):
        import_boundaries(gpkg_store, write(tmp_path, features), edition="2020")


# ---- shapes


def test_a_tiny_crossing_is_repaired_and_reported_with_both_areas(gpkg_store: Store, tmp_path: Path) -> None:
    features = province()
    west, south, east, north = cell(0, 0).bounds
    # The last two corners before the end cross in a knot of 1e-5 degrees on the outer border.
    knot = [
        (west, south + 2e-5),
        (west + 1e-5, south + 1e-5),
        (west, south + 1e-5),
        (west + 1e-5, south + 2e-5),
    ]
    ring = [(west, south), (east, south), (east, north), (west, north), *knot, (west, south)]
    assert not shapely.Polygon(ring).is_valid
    features[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    report = import_boundaries(gpkg_store, write(tmp_path, features), edition="2020")
    (repaired,) = report.repaired
    assert repaired.code == "32000" and "tự cắt" in repaired.reason
    assert repaired.area_after_ha == pytest.approx(hectares(cell(0, 0)), rel=1e-4)
    assert by_code(gpkg_store)["32000"].geom.is_valid
    assert "Đã sửa hình 32000" in report.as_text()


def test_small_overlaps_and_gaps_are_reported_with_area_and_place(gpkg_store: Store, tmp_path: Path) -> None:
    features = province()
    strip = shapely.box(105 + SIDE, 9 + SIDE, 105 + SIDE + 0.001, 9 + 2 * SIDE)
    features[6]["geometry"] = mapping(shapely.union(cell(0, 1), strip))
    hole = shapely.box(105.121, 9.121, 105.123, 9.123)
    features[14]["geometry"] = mapping(shapely.difference(cell(2, 2), hole))
    report = import_boundaries(gpkg_store, write(tmp_path, features), edition="2020")
    assert (report.overlaps.count, report.gaps.count) == (1, 1)
    overlap, gap = report.overlaps.largest[0], report.gaps.largest[0]
    assert overlap.codes == ("32006", "32007")
    assert overlap.area_ha == pytest.approx(hectares(strip), rel=1e-5)
    assert strip.contains(shapely.Point(overlap.lon, overlap.lat))
    assert gap.area_ha == pytest.approx(hectares(hole), rel=1e-5)
    assert hole.contains(shapely.Point(gap.lon, gap.lat))


def halved(features: list[Feature]) -> None:
    del features[15:]


def bow_tie(features: list[Feature]) -> None:
    west, south, east, north = cell(0, 0).bounds
    ring = [(west, south), (east, north), (east, south), (west, north), (west, south)]
    features[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}


def piled(features: list[Feature]) -> None:
    for feature in features[:4]:
        feature["geometry"] = mapping(cell(0, 0))


def swapped(features: list[Feature]) -> None:
    for feature in features:
        turned = shapely.transform(shape(feature["geometry"]), lambda xy: xy[:, ::-1])
        feature["geometry"] = mapping(turned)


def as_points(features: list[Feature]) -> None:
    for feature in features:
        feature["geometry"] = mapping(shape(feature["geometry"]).centroid)


def twice(features: list[Feature]) -> None:
    features[1]["properties"]["code"] = "32000"


def renumbered(features: list[Feature]) -> None:
    features += [commune(n, cell(n % 6, n // 6)) for n in range(30, 36)]


SPOILT: dict[Callable[[list[Feature]], None], str] = {
    halved: "thiếu 15 trong 30",
    bow_tie: "không thể tự sửa",
    piled: "chồng lấn",
    swapped: "đổi chỗ",
    as_points: "hình vùng",
    twice: "bị trùng",
    renumbered: "không có",
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda f: f.__name__)
def test_a_bad_file_is_refused_in_one_sentence_and_the_file_of_the_record_stays_the_same(
    filled: Store, tmp_path: Path, spoil: Callable[[list[Feature]], None]
) -> None:
    features = province()
    spoil(features)

    def dump() -> list[str]:
        with filled.engine.connect() as connection:
            return list(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]

    before = dump()
    with pytest.raises(BoundaryError, match=SPOILT[spoil]) as refusal:
        import_boundaries(filled, write(tmp_path, features), edition="2020")
    assert str(refusal.value).count(". ") == 0
    assert dump() == before


def test_an_edition_that_nobody_knows_is_refused(gpkg_store: Store, tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match="2020, 2025"):
        import_boundaries(gpkg_store, write(tmp_path, province()), edition="2030")


def test_districts_in_a_file_of_the_edition_without_districts_are_refused(
    gpkg_store: Store, tmp_path: Path
) -> None:
    with pytest.raises(BoundaryError, match="không còn cấp huyện"):
        import_boundaries(gpkg_store, write(tmp_path, province()), edition="2025")


# ---- successions


def merged() -> list[Feature]:
    """Ten communes of 2025, each made of three of 2020, with codes of 2020 that mean other ground."""
    features = []
    for number in range(10):
        members = [cell(n % 6, n // 6) for n in range(3 * number, 3 * number + 3)]
        facts = {"code": f"{32000 + number}", "name": f"Xã Mới {number}"}
        shape_ = mapping(shapely.union_all(members))
        features.append({"type": "Feature", "properties": facts, "geometry": shape_})
    return features


def successions(store: Store) -> dict[tuple[str, str], tuple[float, float]]:
    names = {c.id: c.name for e in ("2020", "2025") for c in by_code(store, edition=e).values()}
    with store.reading() as session:
        rows = session.scalars(sa.select(CommuneSuccession)).all()
    return {(names[r.old_id], names[r.new_id]): (r.share_of_old, r.share_of_new) for r in rows}


def test_shares_are_measured_where_no_table_states_them(filled: Store, tmp_path: Path) -> None:
    report = import_boundaries(filled, write(tmp_path, merged()), edition="2025")
    assert (report.successions, report.successions_from) == (30, "overlay")
    found = successions(filled)
    assert found.keys() == {(f"Xã Số {n}", f"Xã Mới {n // 3}") for n in range(30)}
    assert all(pair == pytest.approx((1, 1 / 3), abs=1e-3) for pair in found.values())


HEAD = "code,name,code_2025,name_2025,area_km2,share_of_legacy,share_of_2025"


def crosswalk(folder: Path, lines: list[str], head: str = HEAD) -> Path:
    path = folder / "chuyen-tiep.csv"
    path.write_text("\n".join([head, *lines]), encoding="utf-8")
    return path


def links() -> list[str]:
    return [f"{32000 + n},Xã Số {n},{32000 + n // 3},Xã Mới {n // 3},30.1,1.0,0.3333" for n in range(30)]


def test_a_table_is_joined_by_code_within_each_edition(filled: Store, tmp_path: Path) -> None:
    path = crosswalk(tmp_path, links())
    report = import_boundaries(filled, write(tmp_path, merged()), edition="2025", crosswalk=path)
    assert (report.successions, report.successions_from) == (30, path.name)
    assert successions(filled)["Xã Số 29", "Xã Mới 9"] == (1.0, 0.3333)
    again = import_boundaries(filled, write(tmp_path, merged()), edition="2025")
    assert again.successions == 0 and len(successions(filled)) == 30


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (links()[:20], "thiếu 10 xã"),
        ([*links(), "39999,X,32000,Y,1,1,1"], "không thuộc phiên bản 2020"),
        ([*links(), "32000,X,39999,Y,1,1,1"], "không thuộc phiên bản 2025"),
        ([line.replace("Xã Số", "Phường") for line in links()], "không khớp với phiên bản 2020"),
        ([*links(), links()[0]], "bị trùng"),
        ([links()[0].replace("1.0", "nhiều")], "Dòng 2"),
        ([links()[0].replace("1.0", "100")], "Dòng 2"),
        ([], "không có dòng nào"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    filled: Store, tmp_path: Path, lines: list[str], match: str
) -> None:
    with pytest.raises(BoundaryError, match=match):
        import_boundaries(
            filled, write(tmp_path, merged()), edition="2025", crosswalk=crosswalk(tmp_path, lines)
        )
    assert by_code(filled, edition="2025") == {}


def test_a_table_without_its_columns_or_its_editions_is_refused(gpkg_store: Store, tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match="code_2025"):
        read_crosswalk(crosswalk(tmp_path, ["1,2"], head="a,b"))
    with pytest.raises(BoundaryError, match="Không đọc được"):
        read_crosswalk(tmp_path / "khong-co.csv")
    with pytest.raises(BoundaryError, match="phiên bản địa giới nào khác"):
        path = crosswalk(tmp_path, links())
        import_boundaries(gpkg_store, write(tmp_path, merged()), edition="2025", crosswalk=path)


def test_measured_shares_follow_new_boundaries_of_the_old_edition(filled: Store, tmp_path: Path) -> None:
    import_boundaries(filled, write(tmp_path, merged()), edition="2025")
    features = province()
    half = shapely.box(105.15, 9, 105.15 + SIDE / 2, 9 + SIDE)
    features[2]["geometry"] = mapping(shapely.union(cell(2, 0), half))
    features[3]["geometry"] = mapping(shapely.difference(cell(3, 0), half))
    report = import_boundaries(filled, write(tmp_path, features), edition="2020")
    assert report.successions == 31
    assert successions(filled)["Xã Số 2", "Xã Mới 1"] == pytest.approx((1 / 3, 1 / 6), abs=1e-3)


# ---- the report


def test_the_report_is_json_and_speaks_both_languages(filled: Store, tmp_path: Path) -> None:
    report = import_boundaries(filled, write(tmp_path, province()), edition="2020", dry_run=True)
    assert json.loads(json.dumps(report.as_dict()))["levels"] == {
        "provinces": 1,
        "districts": 2,
        "communes": 30,
    }
    vietnamese, english = report.as_text(), report.as_text("en")
    assert "Xã, phường, thị trấn: 30" in vietnamese and "Chạy thử: không có gì được ghi" in vietnamese
    assert "Communes: 30" in english and "Dry run: nothing was kept" in english
    assert len(vietnamese.splitlines()) == len(english.splitlines())


def test_a_long_list_is_cut_and_counted() -> None:
    text = Report(file="xa.geojson", edition="2020", unknown=tuple(str(n) for n in range(25))).as_text()
    assert "… và 5 nữa" in text
