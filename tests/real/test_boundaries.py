"""The import of the real boundaries of Cà Mau, on both databases, against the files that come with them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiona
import geopandas
import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from pyproj import Geod, Transformer
from shapely.geometry import mapping, shape

from data.admin_units import (
    Commune,
    CommuneSuccession,
    District,
    Edition,
    Province,
    edition_in_use,
    find_unit,
)
from data.boundaries import import_boundaries
from data.boundaries.assignment import located_models
from data.products import SalePoint
from data.record import metadata
from data.store import Store, revisions
from data.tables import AuditRow, LayerChange
from gis.errors import Refusal

Features = list[dict[str, Any]]
GEOD = Geod(ellps="WGS84")
ROOT = Path(__file__).parents[2]


def read(path: Path) -> Features:
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def write(path: Path, features: Features) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the record holds, table by table."""
    with store.engine.connect() as connection:
        tables = [*metadata.sorted_tables]
        rows = {
            t.name: sorted(map(repr, connection.execute(sa.text(f"SELECT * FROM {t.name}")))) for t in tables
        }
        if store.embedded:
            trees = [f"rtree_{t.name}_geom" for t in tables if "geom" in t.c]
            for name in ("gpkg_contents", "gpkg_ogr_contents", *trees):
                rows[name] = sorted(map(repr, connection.execute(sa.text(f"SELECT * FROM {name}"))))
    return rows


def units(store: Store, model: Any, edition: str) -> dict[str, Any]:
    with store.reading() as session:
        rows = session.scalars(sa.select(model).where(model.edition == edition)).all()
        session.expunge_all()
    return {row.code: row for row in rows}


@pytest.fixture
def legacy(real_data: Path) -> Path:
    return real_data / "communes_legacy.geojson"


@pytest.fixture
def filled(store: Store, legacy: Path) -> Store:
    """A record that holds the real communes of 2020."""
    import_boundaries(store, legacy, edition="2020")
    return store


def test_the_file_of_2020_gives_101_communes_in_9_districts_without_overlap_or_gap(
    store: Store, legacy: Path
) -> None:
    report = import_boundaries(store, legacy, edition="2020")
    assert report.levels == {"provinces": 1, "districts": 9, "communes": 101}
    assert (report.overlaps.count, report.gaps.count, report.missing, report.unknown) == (0, 0, (), ())
    communes = units(store, Commune, "2020")
    given = {f["properties"]["code"]: f for f in read(legacy)}
    assert communes.keys() == given.keys()
    for code, commune in communes.items():
        facts, geometry = given[code]["properties"], shape(given[code]["geometry"])
        assert (commune.name, commune.kind, commune.source) == (facts["name"], facts["type"], legacy.name)
        assert commune.geom.equals(geometry)
        assert commune.area_ha == pytest.approx(
            abs(GEOD.geometry_area_perimeter(geometry)[0]) / 1e4, rel=1e-5
        )
        assert commune.area_ha == pytest.approx(facts["area_km2"] * 100, rel=0.005, abs=0.5)
    assert shapely.coverage_is_valid([c.geom for c in communes.values()])
    (province,) = units(store, Province, "2020").values()
    whole = shapely.union_all([c.geom for c in communes.values()])
    assert province.geom.equals(whole)
    assert sum(c.area_ha for c in communes.values()) == pytest.approx(province.area_ha, rel=1e-7)


def test_districts_merged_from_communes_are_those_of_the_district_file(
    filled: Store, real_data: Path
) -> None:
    districts = units(filled, District, "2020")
    path = real_data / "districts_legacy.geojson"
    given = {f["properties"]["code"]: f for f in read(path)}
    assert districts.keys() == given.keys() and len(given) == 9
    for code, feature in given.items():
        geometry = shape(feature["geometry"])
        area = abs(GEOD.geometry_area_perimeter(geometry)[0]) / 1e4
        assert districts[code].geom.equals(geometry)
        assert districts[code].area_ha == pytest.approx(area, rel=1e-6)
        assert (districts[code].name, districts[code].kind) == (
            feature["properties"]["name"],
            feature["properties"]["type"],
        )
    before = contents(filled)
    report = import_boundaries(filled, path, edition="2020")
    assert len(report.compared) == 9 and max(c.difference_ha for c in report.compared) < 1e-6
    assert contents(filled) == before


def test_the_edition_of_2025_stands_beside_that_of_2020_without_districts(
    filled: Store, real_data: Path
) -> None:
    report = import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025")
    assert report.levels == {"provinces": 1, "communes": 64}
    assert (report.overlaps.count, report.gaps.count, report.layers) == (0, 0, ())
    assert len(units(filled, Commune, "2025")) == 64 and len(units(filled, Commune, "2020")) == 101
    assert units(filled, District, "2025") == {}
    assert {c.district_id for c in units(filled, Commune, "2025").values()} == {None}
    with filled.reading() as session:
        assert edition_in_use(session) == "2020"
        days = {e.code: (str(e.valid_from), str(e.valid_to)) for e in session.scalars(sa.select(Edition))}
    assert days == {"2020": ("2020-02-10", "2025-06-30"), "2025": ("2025-07-01", "None")}
    assert {str(c.valid_from) for c in units(filled, Commune, "2025").values()} == {"2025-07-01"}


def crosswalk_rows(path: Path) -> dict[tuple[str, str], tuple[float, float, float]]:
    with path.open(encoding="utf-8") as file:
        return {
            (r["code"], r["code_2025"]): (
                float(r["area_km2"]) * 100,
                float(r["share_of_legacy"]),
                float(r["share_of_2025"]),
            )
            for r in csv.DictReader(file)
        }


def recorded_successions(store: Store) -> dict[tuple[str, str], tuple[float, float, float]]:
    old, new = sa.orm.aliased(Commune), sa.orm.aliased(Commune)
    query = (
        sa.select(old, new, CommuneSuccession)
        .join_from(CommuneSuccession, old, CommuneSuccession.old_id == old.id)
        .join(new, CommuneSuccession.new_id == new.id)
    )
    with store.reading() as session:
        rows = session.execute(query).all()
        assert {(o.edition, n.edition) for o, n, _ in rows} <= {("2020", "2025")}
        return {(o.code, n.code): (s.area_ha, s.share_of_old, s.share_of_new) for o, n, s in rows}


def test_the_crosswalk_joins_the_editions_row_by_row(filled: Store, real_data: Path) -> None:
    table = real_data / "crosswalk_legacy_2025.csv"
    report = import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025", crosswalk=table)
    assert (report.successions, report.successions_from) == (121, table.name)
    expected, found = crosswalk_rows(table), recorded_successions(filled)
    assert found.keys() == expected.keys()
    for pair, values in expected.items():
        assert found[pair] == pytest.approx(values, abs=2e-4)


def test_code_32002_means_another_commune_in_each_edition(filled: Store, real_data: Path) -> None:
    table = real_data / "crosswalk_legacy_2025.csv"
    import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025", crosswalk=table)
    with filled.reading() as session:
        old, new = find_unit(session, "32002", "2020"), find_unit(session, "32002", "2025")
        assert old is not None and new is not None
        assert (old.name, new.name) == ("Phường 4", "Phường An Xuyên")
        assert old.id != new.id and not old.geom.equals(new.geom)
        link = session.scalars(sa.select(CommuneSuccession).where(CommuneSuccession.old_id == old.id)).one()
        assert (link.new_id, link.share_of_old) == (new.id, pytest.approx(1.0))


def test_measured_successions_agree_with_the_published_table(filled: Store, real_data: Path) -> None:
    import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025")
    expected, found = crosswalk_rows(real_data / "crosswalk_legacy_2025.csv"), recorded_successions(filled)
    assert found.keys() == expected.keys()
    for pair, (_, of_old, of_new) in expected.items():
        assert found[pair][1:] == pytest.approx((of_old, of_new), abs=0.01)


def test_a_crosswalk_outlives_a_later_import_without_one(filled: Store, real_data: Path) -> None:
    table = real_data / "crosswalk_legacy_2025.csv"
    import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025", crosswalk=table)
    before = recorded_successions(filled)
    import_boundaries(filled, real_data / "communes_legacy.geojson", edition="2020")
    assert recorded_successions(filled) == before


def test_a_crosswalk_with_its_editions_exchanged_is_refused(
    filled: Store, real_data: Path, tmp_path: Path
) -> None:
    text = (real_data / "crosswalk_legacy_2025.csv").read_text(encoding="utf-8")
    head, *body = text.strip().split("\n")
    turned = [[line.split(",")[at] for at in (2, 3, 0, 1, 4, 6, 5)] for line in body]
    path = tmp_path / "crosswalk.csv"
    path.write_text("\n".join([head, *(",".join(line) for line in turned)]), encoding="utf-8")
    before = contents(filled)
    # Every code of 2025 was a code of 2020 as well, for another commune: only the names tell.
    with pytest.raises(Refusal, match="không khớp với phiên bản 2020"):
        import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025", crosswalk=path)
    assert contents(filled) == before


def test_named_places_get_the_commune_that_the_gazetteer_gives_them(store: Store, real_data: Path) -> None:
    places = [f for f in read(real_data / "places_geonames.geojson") if f["properties"]["commune_legacy"]]
    assert len(places) > 200
    with store.writing() as session:
        session.add_all(
            SalePoint(name=str(n), kind="shop", geom=shape(f["geometry"])) for n, f in enumerate(places)
        )
    report = import_boundaries(store, real_data / "communes_legacy.geojson", edition="2020")
    moves = next(m for m in report.layers if m.table == "sale_points")
    assert (moves.total, moves.moved, moves.outside) == (len(places), len(places), ())
    with store.reading() as session:
        found = dict(session.execute(sa.select(SalePoint.name, Commune.code).join(Commune)).all())
    assert found == {str(n): f["properties"]["commune_legacy"] for n, f in enumerate(places)}


def test_a_feature_off_the_coast_takes_the_nearest_commune_and_one_at_sea_has_none(
    filled: Store, legacy: Path
) -> None:
    land = shapely.union_all([shape(f["geometry"]) for f in read(legacy)])
    west = min(shapely.get_coordinates(land).tolist())
    places = {"on the beach": 0.0, "at anchor": -500.0, "at sea": -2_500.0}
    lons = {name: GEOD.fwd(*west, 90, metres)[0] for name, metres in places.items()}
    with filled.writing() as session:
        home = session.scalars(sa.select(Commune.id).where(Commune.edition == "2020")).first()
        for name, lon in lons.items():
            session.add(SalePoint(name=name, kind="shop", commune_id=home, geom=shapely.Point(lon, west[1])))
    report = import_boundaries(filled, legacy, edition="2020")
    moves = next(m for m in report.layers if m.table == "sale_points")
    with filled.reading() as session:
        rows = {p.name: p for p in session.scalars(sa.select(SalePoint))}
        border = session.scalars(sa.select(Commune).where(Commune.edition == "2020")).all()
        nearest = {c.id for c in border if shapely.distance(c.geom, shapely.Point(west)) < 1e-9}
    assert {rows["on the beach"].commune_id, rows["at anchor"].commune_id} <= nearest
    assert rows["at sea"].commune_id is None
    assert [o.id for o in moves.outside] == [rows["at sea"].id]
    assert f"số {rows['at sea'].id} tại kinh độ {lons['at sea']:.5f}" in report.as_text()


# ---- the demonstration province becomes the real one


def positions(store: Store, model: Any) -> geopandas.GeoDataFrame:
    with store.reading() as session:
        rows = session.execute(sa.select(model.id, model.commune_id, model.version, model.geom)).all()
    frame = geopandas.GeoDataFrame(rows, columns=["id", "commune_id", "version", "geometry"], crs=4326)
    frame["geometry"] = frame.representative_point()
    return frame.set_index("id")


def test_every_feature_is_given_to_the_commune_that_geopandas_finds(demo_store: Store, legacy: Path) -> None:
    report = import_boundaries(demo_store, legacy, edition="2020")
    frame = geopandas.read_file(legacy)[["code", "geometry"]]
    ids = {code: unit.id for code, unit in units(demo_store, Commune, "2020").items()}
    assert {m.table for m in report.layers} == {
        "growing_areas",
        "craft_villages",
        "craft_village_points",
        "producers",
        "products",
        "lots",
        "sale_points",
    }
    for model in located_models():
        moves = next(m for m in report.layers if m.table == model.__tablename__)
        features = positions(demo_store, model)
        assert moves.total == len(features) > 0
        joined = features.sjoin(frame, predicate="intersects", how="left")
        inside = joined.dropna(subset=["code"])
        assert (inside.commune_id == inside.code.map(ids)).all()
        beyond = joined[joined.code.isna()]
        # EPSG:3405 is the plane of the zone that Cà Mau lies in.
        far = beyond.to_crs(3405).distance(frame.to_crs(3405).union_all()) if len(beyond) else beyond.version
        listed = {feature.id for feature in moves.outside}
        assert set(beyond.index[far > 1_150]) <= listed <= set(beyond.index[far > 1_050])
        assert set(beyond.index[beyond.commune_id.isna()]) == listed
        assert moves.nearest == len(beyond) - len(listed)


def test_units_keep_their_ids_and_lose_the_label_of_the_demonstration(
    demo_store: Store, legacy: Path
) -> None:
    before = {m: units(demo_store, m, "2020") for m in (Province, District, Commune)}
    report = import_boundaries(demo_store, legacy, edition="2020")
    assert report.added == {} and report.changed == {"provinces": 1, "districts": 9, "communes": 101}
    for model, rows in before.items():
        now = units(demo_store, model, "2020")
        assert {code: row.id for code, row in now.items()} == {code: row.id for code, row in rows.items()}
        assert {row.source for row in now.values()} == {legacy.name}
        assert all(now[code].version == row.version + 1 for code, row in rows.items())


def test_revisions_rise_and_the_audit_trail_can_undo_the_import(demo_store: Store, legacy: Path) -> None:
    old_units = units(demo_store, Commune, "2020")
    old_places = {m: positions(demo_store, m) for m in located_models()}
    with demo_store.reading() as session:
        old_revisions = revisions(session)
        last = session.scalar(sa.select(sa.func.max(AuditRow.id))) or 0
    report = import_boundaries(demo_store, legacy, edition="2020")
    with demo_store.reading() as session:
        risen = revisions(session)
        audit = session.scalars(sa.select(AuditRow).where(AuditRow.id > last)).all()
        boxes = {
            c.table_name: (c.west, c.south, c.east, c.north) for c in session.scalars(sa.select(LayerChange))
        }
    whole = shapely.total_bounds([shape(f["geometry"]) for f in read(legacy)])
    touched = ["provinces", "districts", "communes", *(m.table for m in report.layers if m.moved)]
    for table in touched:
        assert risen[table] == old_revisions[table] + 1
        west, south, east, north = boxes[table]
        assert west <= whole[0] and south <= whole[1] and east >= whole[2] and north >= whole[3]
    undone = {row.row_id: row.before["geom"] for row in audit if row.table_name == "communes"}
    assert {i: shapely.from_wkb(g) for i, g in undone.items()} == {u.id: u.geom for u in old_units.values()}
    for model, places in old_places.items():
        batch = [row for row in audit if row.table_name == model.__tablename__]
        moves = next(m for m in report.layers if m.table == model.__tablename__)
        assert [row.action for row in batch] == ["reassign"] and moves.moved > 0
        former = {
            i: int(commune) if commune else None
            for commune, ids in batch[0].before["rows_by_commune_id"].items()
            for i in ids
        }
        assert len(former) == batch[0].after["moved"] == moves.moved
        now = positions(demo_store, model)
        was = places.commune_id.astype(object).where(places.commune_id.notna(), None)
        assert former == was[list(former)].to_dict()
        same = [i for i in places.index if i not in former]
        assert (now.commune_id[same].fillna(0) == places.commune_id[same].fillna(0)).all()
        assert (now.version[list(former)] == places.version[list(former)] + 1).all()


def test_a_second_import_of_the_same_file_changes_nothing(filled: Store, legacy: Path) -> None:
    before = contents(filled)
    report = import_boundaries(filled, legacy, edition="2020")
    assert report.changed == {} and report.added == {}
    assert contents(filled) == before


def test_a_dry_run_reports_and_changes_nothing(demo_store: Store, legacy: Path) -> None:
    before = contents(demo_store)
    tried = import_boundaries(demo_store, legacy, edition="2020", dry_run=True)
    assert contents(demo_store) == before
    done = import_boundaries(demo_store, legacy, edition="2020")
    same = {"dry_run": False, "seconds": done.seconds}
    assert {**tried.as_dict(), **same} == done.as_dict()


def test_readers_of_geopackages_see_the_new_boundaries(demo_gpkg: Path, legacy: Path, tmp_path: Path) -> None:
    path = tmp_path / "province.gpkg"
    shutil.copy(demo_gpkg, path)
    store = Store(f"gpkg:///{path}")
    import_boundaries(store, legacy, edition="2020")
    store.dispose()
    whole = shapely.total_bounds([shape(f["geometry"]) for f in read(legacy)])
    with fiona.open(path, layer="communes") as layer:
        assert len(layer) == 101
        assert layer.bounds == pytest.approx(whole.tolist())
        found = layer.filter(bbox=(105.1, 9.15, 105.2, 9.2))
        assert {f["properties"]["source"] for f in found} == {legacy.name}
    with store.engine.connect() as connection:
        tree = sa.text("SELECT id, minx, maxx, miny, maxy FROM rtree_communes_geom ORDER BY id")
        rows = np.array(connection.execute(tree).all())
    shapes = sorted((u.id, u.geom) for u in units(store, Commune, "2020").values())
    store.dispose()
    bounds = shapely.bounds([g for _, g in shapes])
    # An R-tree keeps 32-bit numbers, rounded outward.
    assert np.allclose(rows[:, [1, 3, 2, 4]], bounds, atol=2e-5)


# ---- other formats and reference systems


def test_a_zipped_shapefile_in_vn2000_with_the_columns_of_the_trade(
    store: Store, legacy: Path, tmp_path: Path
) -> None:
    features = read(legacy)
    shift = Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::6960")
    plane = Transformer.from_crs("EPSG:4756", "EPSG:9207", always_xy=True)

    def to_vn2000(xy: Any) -> Any:
        lat, lon = shift.transform(xy[:, 1], xy[:, 0], direction="INVERSE")
        return np.column_stack(plane.transform(lon, lat))

    names = {"code": "MAXA", "name": "TENXA", "district_code": "MAHUYEN", "district_name": "TENHUYEN"}
    frame = geopandas.GeoDataFrame(
        {new: [f["properties"][old] for f in features] for old, new in names.items()},
        geometry=list(shapely.transform([shape(f["geometry"]) for f in features], to_vn2000)),
        crs=9207,
    )
    frame.to_file(tmp_path / "xa.shp", encoding="UTF-8")
    archive = tmp_path / "xa.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in tmp_path.glob("xa.*"):
            if part != archive:
                packed.write(part, part.name)
    report = import_boundaries(store, archive, edition="2020")
    assert report.levels == {"provinces": 1, "districts": 9, "communes": 101}
    assert (report.overlaps.count, report.gaps.count) == (0, 0)
    assert any("VN-2000" in remark.vi for remark in report.remarks)
    communes = units(store, Commune, "2020")
    for feature in features:
        commune = communes[feature["properties"]["code"]]
        assert (commune.name, commune.kind) == (feature["properties"]["name"], feature["properties"]["type"])
        apart = shapely.hausdorff_distance(commune.geom, shape(feature["geometry"]))
        assert apart < 1e-8


def test_a_file_that_calls_vn2000_degrees_wgs84_is_remarked(
    filled: Store, legacy: Path, tmp_path: Path
) -> None:
    shift = Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::6960")

    def mislabelled(xy: Any) -> Any:
        lat, lon = shift.transform(xy[:, 1], xy[:, 0], direction="INVERSE")
        return np.column_stack((lon, lat))

    features = read(legacy)
    for feature in features:
        feature["geometry"] = mapping(shapely.transform(shape(feature["geometry"]), mislabelled))
    report = import_boundaries(filled, write(tmp_path / "vn.geojson", features), edition="2020", dry_run=True)
    assert [r.facts["metres"] for r in report.remarks if "VN-2000" in r.vi] == [pytest.approx(224, abs=6)]


# ---- bad files


def half(features: Features) -> None:
    del features[50:]


def swapped(features: Features) -> None:
    for feature in features:
        turned = shapely.transform(shape(feature["geometry"]), lambda xy: xy[:, ::-1])
        feature["geometry"] = mapping(turned)


def self_crossing(features: Features) -> None:
    west, south, east, north = shape(features[40]["geometry"]).bounds
    ring = [(west, south), (east, north), (east, south), (west, north), (west, south)]
    features[40]["geometry"] = {"type": "Polygon", "coordinates": [ring]}


def duplicate(features: Features) -> None:
    features[7]["properties"]["code"] = features[8]["properties"]["code"]


def no_code(features: Features) -> None:
    for feature in features:
        del feature["properties"]["code"]


def empty_code(features: Features) -> None:
    features[3]["properties"]["code"] = " "


def points(features: Features) -> None:
    for feature in features:
        feature["geometry"] = mapping(shape(feature["geometry"]).representative_point())


def lines(features: Features) -> None:
    for feature in features:
        feature["geometry"] = mapping(shape(feature["geometry"]).boundary)


def metres(features: Features) -> None:
    plane = Transformer.from_crs("OGC:CRS84", "EPSG:32648", always_xy=True)
    for feature in features:
        moved = shapely.transform(shape(feature["geometry"]), plane.transform, interleaved=False)
        feature["geometry"] = mapping(moved)


def elsewhere(features: Features) -> None:
    for feature in features:
        feature["geometry"] = mapping(
            shapely.transform(shape(feature["geometry"]), lambda xy: xy - np.array((100, 0)))
        )


def degree_off(features: Features) -> None:
    for feature in features:
        feature["geometry"] = mapping(
            shapely.transform(shape(feature["geometry"]), lambda xy: xy + np.array((0, 1)))
        )


def overlapping(features: Features) -> None:
    for feature in features:
        feature["geometry"] = mapping(shapely.buffer(shape(feature["geometry"]), 0.005))


def other_codes(features: Features) -> None:
    extra = json.loads(json.dumps(features[:10]))
    for number, feature in enumerate(extra):
        feature["properties"]["code"] = f"0{number:04d}"
        feature["geometry"] = mapping(
            shapely.transform(shape(feature["geometry"]), lambda xy: xy + np.array((0, 1)))
        )
    features += extra


def no_geometry(features: Features) -> None:
    features[0]["geometry"] = None


SPOILT: dict[Callable[[Features], None], str] = {
    half: "thiếu 51 trong 101",
    swapped: "đổi chỗ",
    self_crossing: "không thể tự sửa",
    duplicate: "bị trùng",
    no_code: "--map code=",
    empty_code: "để trống",
    points: "hình vùng",
    lines: "hình vùng",
    metres: "bằng mét",
    elsewhere: "nằm ngoài Việt Nam",
    degree_off: "cách vị trí đã biết",
    overlapping: "chồng lấn",
    other_codes: "không có",
    no_geometry: "không có hình",
}


def refused(store: Store, path: Path, match: str) -> None:
    """The file gives one sentence that says so."""
    with pytest.raises(Refusal, match=match) as refusal:
        import_boundaries(store, path, edition="2020")
    sentence = str(refusal.value)
    assert "\n" not in sentence and sentence.endswith(".") and "%(" not in sentence


def test_every_bad_file_gives_one_sentence_and_changes_nothing(
    filled: Store, legacy: Path, tmp_path: Path
) -> None:
    before = contents(filled)
    for spoil, match in SPOILT.items():
        features = read(legacy)
        spoil(features)
        refused(filled, write(tmp_path / f"{spoil.__name__}.geojson", features), match)
    assert contents(filled) == before


def zip_bomb(folder: Path) -> Path:
    path = folder / "bom.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xa.geojson", b"0" * 80_000_000)
    return path


def text_file(folder: Path) -> Path:
    path = folder / "xa.geojson"
    path.write_text("Đây không phải bản đồ.", encoding="utf-8")
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "xa.geojson"
    path.touch()
    return path


def no_features(folder: Path) -> Path:
    return write(folder / "xa.geojson", [])


def cut_short(folder: Path) -> Path:
    path = folder / "xa.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [{"type": "Feat', encoding="utf-8")
    return path


def missing_file(folder: Path) -> Path:
    return folder / "khong-co.geojson"


NO_MAPS: dict[Callable[[Path], Path], str] = {
    zip_bomb: "phình ra quá lớn",
    text_file: "không phải là tệp bản đồ",
    empty_file: "trống",
    no_features: "không có đối tượng",
    cut_short: "bị hỏng",
    missing_file: "Không thấy tệp",
}


def test_what_is_no_map_gives_one_sentence_and_changes_nothing(filled: Store, tmp_path: Path) -> None:
    before = contents(filled)
    for make, match in NO_MAPS.items():
        folder = tmp_path / make.__name__
        folder.mkdir()
        refused(filled, make(folder), match)
    assert contents(filled) == before


def test_the_file_of_one_edition_is_refused_as_another(filled: Store, real_data: Path) -> None:
    import_boundaries(filled, real_data / "communes_2025.geojson", edition="2025")
    before = contents(filled)
    for file, edition in (("communes_2025.geojson", "2020"), ("communes_legacy.geojson", "2025")):
        with pytest.raises(Refusal):
            import_boundaries(filled, real_data / file, edition=edition)
    with pytest.raises(Refusal, match="phiên bản"):
        import_boundaries(filled, real_data / "communes_2025.geojson", edition="2030")
    assert contents(filled) == before


def test_a_process_killed_before_the_end_leaves_the_record_as_it_was(demo_store: Store, legacy: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from data.boundaries import import_boundaries\n"
        "from data.store import Store\n"
        "def die(message):\n"
        "    if 'chuyển tiếp' in message:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "import_boundaries(Store(sys.argv[1]), sys.argv[2], edition='2020', progress=die)\n"
    )
    before = contents(demo_store)
    demo_store.dispose()
    url = demo_store.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(legacy)], cwd=ROOT, env={**os.environ}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert contents(demo_store) == before
    if demo_store.embedded:
        with demo_store.engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    assert import_boundaries(demo_store, legacy, edition="2020").levels["communes"] == 101
