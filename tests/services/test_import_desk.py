"""The desk over HTTP: whatever file a commune sends comes in right, or not at all and with the reason."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from data.accounts import SYSTEM
from data.admin_units import Commune
from data.batches import Batch
from data.codes import code_list
from data.growing_areas import GrowingArea
from data.jobs import CUT_OFF
from data.products import SalePoint
from data.store import Store
from data.tables import AuditRow
from data.uploads import ImportProfile, Upload
from gis.geometry import area_ha
from layers import batches, catalogue
from layers.edit import editing
from services import jobs
from services.imports import sweep
from tests import dirtyfiles
from tests.conftest import ROOT

OFFICER = "province_officer"


@pytest.fixture
def officer(header_of: Callable[..., dict[str, str]]) -> dict[str, str]:
    return header_of(OFFICER)


@pytest.fixture
def places(demo_store: Store) -> list[shapely.Point]:
    with demo_store.reading() as session:
        outlines = session.scalars(
            sa.select(Commune.geom).where(Commune.edition == "2020").order_by(Commune.code)
        )
        return [shapely.point_on_surface(geom) for geom in outlines][:12]


def square(point: shapely.Point, size: float = 0.002) -> shapely.Geometry:
    return shapely.box(point.x, point.y, point.x + size, point.y + size)


def send(client: FlaskClient, layer: str, path: Path, headers: dict[str, str], **choices: Any) -> str:
    data = {"file": (io.BytesIO(path.read_bytes()), path.name), "choices": json.dumps(choices)}
    answer = client.post(f"/imports/{layer}", data=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def committed(client: FlaskClient, store: Store, place: str, headers: dict[str, str]) -> Any:
    answer = client.post(f"{place}/commit", headers=headers)
    assert answer.status_code == 202, answer.text
    return jobs.run_now(client.application.extensions["ocop_store"], answer.json["job"].split("/")[-1])


def count(store: Store, model: Any) -> int:
    with store.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)


ROWS = [
    {"TEN": "Vùng tôm sú ấp Xẻo Đước", "CAY_TRONG": "Tôm sú", "DIEN_TICH": 4.5},
    {"TEN": "Vùng lúa kênh Hai Thước", "CAY_TRONG": "Lúa", "DIEN_TICH": 12.25},
    {"TEN": "Vườn chuối rừng Nguyễn Phích", "CAY_TRONG": "chuối xiêm", "DIEN_TICH": 3.0},
]


@pytest.fixture
def dirty(tmp_path: Path, places: list[shapely.Point]) -> Path:
    rows = [(row, square(place)) for row, place in zip(ROWS, places, strict=False)]
    return dirtyfiles.shapefile(tmp_path / "gui", rows)


def test_a_shapefile_that_says_neither_letters_nor_place_comes_in_right(
    client, demo_store, officer, dirty, places
) -> None:
    place = send(client, "growing_areas", dirty, officer)
    shown = client.get(f"{place}.json", headers=officer).json
    assert shown["inspection"]["layers"][0]["encoding"]["chosen"].lower() == "tcvn3"
    assert shown["choices"]["fields"]["name"] == "TEN"
    assert shown["choices"]["fields"]["declared_area_ha"] == "DIEN_TICH"
    assert shown["missing"]["step"] == "crs", "WGS84 must never be assumed"
    assert client.post(f"{place}/commit", headers=officer).status_code == 422

    answer = client.patch(place, json={"crs": "EPSG:9207"}, headers=officer)
    assert answer.status_code == 200 and answer.json["missing"] is None
    tried = client.post(f"{place}/dry-run", headers=officer).json["report"]
    assert tried["counts"]["refused"] == 1 and "chuối xiêm" in tried["rows"][2]["sentence"]
    client.patch(place, json={"values": {"crop": {"chuối xiêm": "banana"}}}, headers=officer)
    tried = client.post(f"{place}/dry-run", headers=officer).json["report"]
    assert tried["counts"]["add"] == 3 and tried["counts"]["refused"] == 0

    before = count(demo_store, GrowingArea)
    job = committed(client, demo_store, place, officer)
    assert job.state == "done", job.message
    assert job.result["added"] == 3
    with demo_store.reading() as session:
        rows = session.scalars(sa.select(GrowingArea).order_by(GrowingArea.id.desc()).limit(3)).all()[::-1]
        assert [row.name for row in rows] == [row["TEN"] for row in ROWS]
        assert [row.crop for row in rows] == ["shrimp_tiger", "rice", "banana"]
        for row, point in zip(rows, places, strict=False):
            lost = area_ha(row.geom.symmetric_difference(square(point))) / area_ha(square(point))
            assert lost < 1e-5
        batch = session.scalar(sa.select(Batch).where(Batch.kind == "import"))
        assert batch is not None and batch.rows == 3 and batch.file_name == "vung_trong.zip"
        audited = sa.select(sa.func.count()).where(AuditRow.batch_id == batch.id)
        assert session.scalar(audited) == 3
    assert count(demo_store, GrowingArea) == before + 3


def test_choices_are_remembered_for_the_next_file_with_the_same_columns(
    client, demo_store, officer, dirty, places, tmp_path
) -> None:
    place = send(client, "growing_areas", dirty, officer, crs="EPSG:9207", fixed={"variety": "giống cũ"})
    client.patch(place, json={"values": {"crop": {"chuối xiêm": "banana"}}}, headers=officer)
    assert committed(client, demo_store, place, officer).state == "done"
    assert count(demo_store, ImportProfile) == 1
    rows = [(row, square(point)) for row, point in zip(ROWS, places[5:], strict=False)]
    later = send(client, "growing_areas", dirtyfiles.shapefile(tmp_path / "lan_hai", rows), officer)
    shown = client.get(f"{later}.json", headers=officer).json
    assert shown["choices"]["crs"] == "EPSG:9207" and shown["missing"] is None
    assert shown["choices"]["values"] == {"crop": {"chuối xiêm": "banana"}}
    assert shown["choices"]["fixed"] == {"variety": "giống cũ"}


def test_the_same_file_again_is_noticed_and_its_rows_are_duplicates(
    client, demo_store, officer, dirty
) -> None:
    chosen = {"crs": "EPSG:9207", "values": {"crop": {"chuối xiêm": "banana"}}}
    assert (
        committed(client, demo_store, send(client, "growing_areas", dirty, officer, **chosen), officer).state
        == "done"
    )
    again = send(client, "growing_areas", dirty, officer, **chosen)
    shown = client.get(f"{again}.json", headers=officer).json
    assert [b["rows"] for b in shown["imported_before"]] == [3]
    report = client.post(f"{again}/dry-run", headers=officer).json["report"]
    assert report["counts"]["duplicate"] == 3
    assert all(row["same_record"] for row in report["rows"])


def test_a_workbook_with_surveyors_axes_and_decimal_commas(
    client, demo_store, officer, tmp_path, places
) -> None:
    known = list(code_list("sale_point_kind").values())
    rows = [
        ({"Tên điểm": f"Điểm bán số {i}", "Loại điểm bán": known[0].vi.upper()}, p.x, p.y)
        for i, p in enumerate(places)
    ]
    path = dirtyfiles.workbook(tmp_path / "diem_ban.xlsx", rows)
    place = send(client, "sale_points", path, officer)
    shown = client.get(f"{place}.json", headers=officer).json
    columns = shown["inspection"]["layers"][0]["columns"]
    assert (columns["x"], columns["y"], columns["kind"]) == ("Y", "X", "projected")
    proposals = shown["inspection"]["layers"][0]["crs"]["proposals"]
    assert any(p["crs"] == "EPSG:9207" and p["plausible"] for p in proposals)
    client.patch(place, json={"crs": "EPSG:9207"}, headers=officer)
    job = committed(client, demo_store, place, officer)
    assert job.state == "done", job.message
    with demo_store.reading() as session:
        kept = session.scalars(
            sa.select(SalePoint).where(SalePoint.name.like("Điểm bán số%")).order_by(SalePoint.id)
        ).all()
        assert len(kept) == len(places)
        for row, point in zip(kept, places, strict=True):
            assert row.geom.distance(point) < 1e-7
            assert row.commune_id is not None and row.kind == known[0].value


def test_one_refused_row_keeps_all_out_unless_it_is_left_out(
    client, demo_store, officer, tmp_path, places
) -> None:
    path = geojson(tmp_path, [{"name": "Được", "crop": "rice"}, {"name": "Không", "crop": "dưa hấu"}], places)
    place = send(client, "growing_areas", path, officer)
    before = count(demo_store, GrowingArea)
    job = committed(client, demo_store, place, officer)
    assert job.state == "failed" and "dưa hấu" in job.message
    assert count(demo_store, GrowingArea) == before and count(demo_store, Batch) == 0
    client.patch(place, json={"skip_refused": True}, headers=officer)
    assert committed(client, demo_store, place, officer).state == "done"
    assert count(demo_store, GrowingArea) == before + 1


def geojson(
    folder: Path, rows: list[dict[str, Any]], places: list[shapely.Point], name: str = "vung"
) -> Path:
    features = [
        {"type": "Feature", "properties": row, "geometry": json.loads(shapely.to_geojson(square(point)))}
        for row, point in zip(rows, places, strict=False)
    ]
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_records_are_updated_by_their_number_with_a_diff(
    client, demo_store, officer, tmp_path, places
) -> None:
    with demo_store.reading() as session:
        first, second = session.scalars(sa.select(GrowingArea).order_by(GrowingArea.id).limit(2)).all()
        old = first.name, first.variety
        outline = {first.id: first.geom, second.id: second.geom}
    rows = [
        {"id": first.id, "name": "Tên mới của vùng", "crop": first.crop},
        {"id": second.id, "name": second.name, "crop": second.crop},
        {"id": 99_999_999, "name": "Không có", "crop": "rice"},
    ]
    path = geojson(tmp_path, rows, places)
    document = json.loads(path.read_text("utf-8"))
    for feature in document["features"][:2]:
        feature["geometry"] = json.loads(shapely.to_geojson(outline[feature["properties"]["id"]]))
    path.write_text(json.dumps(document), encoding="utf-8")
    place = send(client, "growing_areas", path, officer, mode="update", match="id")
    report = client.post(f"{place}/dry-run", headers=officer).json["report"]
    assert [row["state"] for row in report["rows"]] == ["update", "same", "refused"]
    assert report["rows"][0]["changes"] == {"name": [old[0], "Tên mới của vùng"]}
    client.patch(place, json={"skip_refused": True}, headers=officer)
    job = committed(client, demo_store, place, officer)
    assert job.state == "done" and job.result["updated"] == 1 and job.result["added"] == 0
    with demo_store.reading() as session:
        row = session.get(GrowingArea, first.id)
        assert (row.name, row.variety) == ("Tên mới của vùng", old[1])


def test_a_record_changed_since_the_dry_run_is_not_overwritten(
    client, demo_store, officer, tmp_path, places
) -> None:
    with demo_store.reading() as session:
        row = session.scalars(sa.select(GrowingArea).order_by(GrowingArea.id)).first()
    path = geojson(tmp_path, [{"id": row.id, "name": "Theo tệp", "crop": row.crop}], places)
    place = send(client, "growing_areas", path, officer, mode="update", match="id")
    client.post(f"{place}/dry-run", headers=officer)
    answer = client.post(f"{place}/commit", headers=officer)
    with editing(demo_store, SYSTEM, "web") as edits:
        edits.update(catalogue.layer("growing_areas"), row.id, {"name": "Người khác sửa"})
    job = jobs.run_now(client.application.extensions["ocop_store"], answer.json["job"].split("/")[-1])
    with demo_store.reading() as session:
        assert session.get(GrowingArea, row.id).name == "Người khác sửa"
    assert job.state == "failed" and "người khác sửa" in job.message


def test_repairs_and_overlaps_are_told_with_their_areas(
    client, demo_store, officer, tmp_path, places
) -> None:
    x, y = places[0].x, places[0].y
    bow = [[x, y], [x + 0.01, y + 0.01], [x + 0.01, y], [x, y + 0.01], [x, y]]
    features = [
        {
            "type": "Feature",
            "properties": {"name": "Nơ", "crop": "rice"},
            "geometry": {"type": "Polygon", "coordinates": [bow]},
        },
        {
            "type": "Feature",
            "properties": {"name": "Đè", "crop": "rice"},
            "geometry": json.loads(shapely.to_geojson(shapely.box(x, y, x + 0.004, y + 0.01))),
        },
    ]
    path = tmp_path / "no.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    place = send(client, "growing_areas", path, officer)
    rows = client.post(f"{place}/dry-run", headers=officer).json["report"]["rows"]
    assert rows[0]["repaired"] and rows[0]["area_after"] > rows[0]["area_before"]
    rebuilt = shapely.make_valid(shapely.Polygon(bow), method="structure", keep_collapsed=False)
    shared = area_ha(rebuilt.intersection(shapely.box(x, y, x + 0.004, y + 0.01)))
    assert rows[1]["overlaps"][0][0] == pytest.approx(float(shared), abs=1e-3)
    assert rows[1]["overlaps"][0][1] == 1
    drawn = client.get(f"{place}/preview.geojson", headers=officer)
    assert drawn.status_code == 200 and len(drawn.json["features"]) == 2
    table = client.get(f"{place}/report.csv", headers=officer)
    assert table.data.decode("utf-8-sig").splitlines()[1].startswith("1,thêm mới,Nơ")


def test_an_officer_of_a_commune_sees_rows_outside_as_such(
    client, demo_store, header_of, tmp_path, places
) -> None:
    with demo_store.reading() as session:
        code = session.scalar(sa.select(Commune.code).where(Commune.edition == "2020").order_by(Commune.code))
    headers = header_of("commune_officer", code)
    rows = [{"name": "Trong", "crop": "rice"}, {"name": "Ngoài", "crop": "rice"}]
    path = geojson(tmp_path, rows, [places[0], places[6]])
    place = send(client, "growing_areas", path, headers)
    report = client.post(f"{place}/dry-run", headers=headers).json["report"]
    assert [row["state"] for row in report["rows"]] == ["add", "outside"]
    refused = client.post(f"{place}/commit", headers=headers)
    assert refused.status_code == 422 and "địa bàn" in refused.json["detail"]


def test_nobody_else_sees_a_file_and_readers_may_not_send_one(
    client, demo_store, officer, header_of, dirty
) -> None:
    place = send(client, "growing_areas", dirty, officer)
    other = header_of("planner")
    assert client.get(f"{place}.json", headers=other).status_code == 404
    assert client.get(f"{place}.json").status_code == 401
    data = {"file": (io.BytesIO(b"x"), "a.geojson")}
    assert client.post("/imports/growing_areas", data=data, headers=other).status_code == 403
    assert client.delete(place, headers=officer).status_code == 204
    assert client.get(f"{place}.json", headers=officer).status_code == 404
    assert not list((Path(client.application.extensions["ocop_settings"].instance) / "uploads").glob("*"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.geojson", "..\\x.geojson", "a\x00b.geojson", "=1+1.geojson"]
)
def test_names_of_files_are_never_paths(client, demo_store, officer, tmp_path, places, name: str) -> None:
    content = geojson(tmp_path, [{"name": "A", "crop": "rice"}], places).read_bytes()
    answer = client.post(
        "/imports/growing_areas", data={"file": (io.BytesIO(content), name)}, headers=officer
    )
    assert answer.status_code == 201
    instance = Path(client.application.extensions["ocop_settings"].instance)
    kept = [p for p in (instance / "uploads").rglob("*") if p.parent.name == "file"]
    assert len(kept) == 1 and kept[0].name.replace(".", "").replace("_", "").isalnum()
    assert "/" not in answer.json["file"]["name"] and "\x00" not in answer.json["file"]["name"]


@pytest.mark.parametrize("content", [b"", b"not a map", b"PK\x03\x04broken"])
def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(
    client, demo_store, officer, content: bytes
) -> None:
    answer = client.post(
        "/imports/growing_areas", data={"file": (io.BytesIO(content), "x.zip")}, headers=officer
    )
    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"
    assert answer.json["detail"] and count(demo_store, Upload) == 0
    instance = Path(client.application.extensions["ocop_settings"].instance)
    assert not list((instance / "uploads").glob("*"))


def test_files_that_were_never_imported_are_swept_after_a_week(client, demo_store, officer, dirty) -> None:
    place = send(client, "growing_areas", dirty, officer)
    instance = Path(client.application.extensions["ocop_settings"].instance)
    assert sweep(demo_store, instance) == 0
    with demo_store.writing() as session:
        session.execute(sa.text("UPDATE uploads SET created_at = '2020-01-01T00:00:00.000Z'"))
    assert sweep(demo_store, instance) == 1
    assert client.get(f"{place}.json", headers=officer).status_code == 404


KILLED = """
import sys, time
from pathlib import Path
from data.store import Store
from services import jobqueue, jobs
from services.imports import keep, work
from webmap.app import create_app
from webmap.settings import Settings
store = Store(sys.argv[1])
jobqueue.install(store, Path(sys.argv[2]))
kept = keep._add
def slow(edits, layer, plan, progress):
    found = kept(edits, layer, plan, progress)
    print("ready", flush=True)
    time.sleep(60)
    return found
keep._add = slow
with create_app(Settings.from_environment()).app_context():
    jobs.run_now(store, sys.argv[3])
"""


def test_a_file_whose_import_was_undone_may_be_imported_again(
    client, demo_store, officer, tmp_path, places
) -> None:
    path = geojson(tmp_path, [{"name": "Vùng trở lại", "crop": "rice"}], places)
    place = send(client, "growing_areas", path, officer)
    before = count(demo_store, GrowingArea)
    batch = committed(client, demo_store, place, officer).result["batch"]
    assert client.post(f"{place}/commit", headers=officer).status_code == 422
    batches.undo(demo_store, SYSTEM, batch)
    shown = client.get(f"{place}.json", headers=officer).json
    assert shown["batch"] is None and shown["imported_before"] == []
    assert count(demo_store, GrowingArea) == before
    assert committed(client, demo_store, place, officer).result["batch"] != batch
    assert count(demo_store, GrowingArea) == before + 1


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from data.store import Store
from services import jobqueue, jobs
from webmap.app import create_app
from webmap.settings import Settings
left = int(sys.argv[4])
store = Store(sys.argv[1])
jobqueue.install(store, Path(sys.argv[2]))
def fall(*facts):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
with create_app(Settings.from_environment()).app_context():
    for moment in ("before_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, moment, fall)
    jobs.run_now(store, sys.argv[3])
print("done", -left, flush=True)
"""


def test_an_import_killed_at_any_statement_changes_nothing_and_goes_on(
    client, demo_store, officer, tmp_path, places
) -> None:
    rows = [{"name": f"Vùng {i}", "crop": "rice"} for i in range(10)]
    store = client.application.extensions["ocop_store"]
    instance = str(client.application.extensions["ocop_settings"].instance)
    url = demo_store.url.render_as_string(hide_password=False)
    environment = {**os.environ, "OCOPMAP_DATABASE_URL": url, "OCOPMAP_INSTANCE": instance}
    drawn = random.Random(4)
    for number, at in enumerate(drawn.sample(range(2, 30), 5)):
        path = geojson(
            tmp_path, rows, [shapely.Point(p.x + 0.003 * number, p.y) for p in places], f"l{number}"
        )
        place = send(client, "growing_areas", path, officer)
        key = client.post(f"{place}/commit", headers=officer).json["job"].split("/")[-1]
        before = count(demo_store, GrowingArea), count(demo_store, AuditRow), count(demo_store, Batch)
        child = subprocess.run(
            [sys.executable, "-c", KILLED_AT, url, instance, key, str(at)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert child.returncode == -signal.SIGKILL, child.stdout + child.stderr
        after = count(demo_store, GrowingArea), count(demo_store, AuditRow), count(demo_store, Batch)
        assert after in (before, (before[0] + 10, before[1] + 10, before[2] + 1)), at
        jobs.recover(store)
        job = jobs.run_now(store, key)
        assert job.state == "done" and job.result["added"] == 10, job.message
        assert count(demo_store, GrowingArea) == before[0] + 10 and count(demo_store, Batch) == before[2] + 1


def test_a_killed_import_leaves_the_record_as_it_was_and_can_be_done_again(
    client, demo_store, officer, tmp_path, places
) -> None:
    rows = [{"name": f"Vùng {i}", "crop": "rice"} for i in range(10)]
    place = send(client, "growing_areas", geojson(tmp_path, rows, places), officer)
    key = client.post(f"{place}/commit", headers=officer).json["job"].split("/")[-1]
    store = client.application.extensions["ocop_store"]
    instance = str(client.application.extensions["ocop_settings"].instance)
    before = count(demo_store, GrowingArea), count(demo_store, AuditRow), count(demo_store, Batch)
    url = demo_store.url.render_as_string(hide_password=False)
    environment = {**os.environ, "OCOPMAP_DATABASE_URL": url, "OCOPMAP_INSTANCE": instance}
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, instance, key],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    after = count(demo_store, GrowingArea), count(demo_store, AuditRow), count(demo_store, Batch)
    assert after == before
    jobs.recover(store)
    job = jobs.run_now(store, key)
    assert job.state == "done", job.message
    assert job.kept[CUT_OFF] == 1, "the job says that it was cut off"
    assert count(demo_store, GrowingArea) == before[0] + 10 and count(demo_store, Batch) == 1
    with demo_store.writing() as session:
        session.execute(sa.text("UPDATE jobs SET state = 'waiting'"))
    assert jobs.run_now(store, key).result["added"] == 10
    assert count(demo_store, GrowingArea) == before[0] + 10, "what is done is not done again"
