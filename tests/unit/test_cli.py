"""The command line: the names that stay, one sentence for what goes wrong, and nothing half done."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import fiona
import pyogrio
import pytest
import shapely
from click.testing import CliRunner, Result

from data.accounts import check_api_key, check_password
from data.store import Store
from tests.conftest import Server, environment_of, program, start_server
from webmap.cli import main

PASSWORD = "mot-mat-khau-dai"
RESTRICTED = {"owner_name", "owner_phone", "owner_id_number", "coding_obstacle", "status", "version"}


class Program:
    """The command line on one record, run in this process."""

    def __init__(self, instance: Path) -> None:
        self.instance = instance
        self.path = instance / "province.gpkg"
        self.environment = {
            "OCOPMAP_INSTANCE": str(instance),
            "OCOPMAP_DATABASE_URL": "",
            "OCOPMAP_SECRET_KEY": "",
            "OCOPMAP_BASE_URL": "",
            "OCOPMAP_BASEMAP": "",
        }

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, env=self.environment)

    def good(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run a command that must work; return what it printed."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.output

    def refused(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run a command that must refuse in one sentence; return the sentence."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 1, result.output
        lines = result.stderr.strip().splitlines()
        assert lines[-1].startswith("Lỗi: ") and "Traceback" not in result.output
        return lines[-1]

    def store(self) -> Store:
        """Open the record beside the program."""
        return Store(f"gpkg:///{self.path}")

    def count(self, table: str) -> int:
        """Count rows without our code."""
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def nothing(tmp_path: Path) -> Program:
    return Program(tmp_path / "instance")


@pytest.fixture
def empty(nothing: Program, empty_gpkg: Path) -> Program:
    nothing.instance.mkdir()
    shutil.copy(empty_gpkg, nothing.path)
    return nothing


@pytest.fixture
def demo(nothing: Program, demo_gpkg: Path) -> Program:
    nothing.instance.mkdir()
    shutil.copy(demo_gpkg, nothing.path)
    return nothing


# ---- names and refusals


def test_the_commands_have_the_names_that_other_programs_call(nothing: Program):
    shown = nothing.good("--help")
    for name in [
        "init",
        "upgrade",
        "serve",
        "import",
        "export",
        "user",
        "key",
        "check",
        "config",
        "backup",
        "restore",
    ]:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve"],
        ["upgrade"],
        ["check"],
        ["user", "list"],
        ["backup", "tep.gpkg"],
        ["export", "communes", "--format", "csv", "--out", "tep.csv"],
        ["import", "products", "tep.geojson"],
        ["import", "boundaries", "tep.geojson", "--edition", "2020"],
    ],
)
def test_without_a_record_a_command_says_how_to_make_one(nothing: Program, arguments: list[str]):
    assert "ocopmap init" in nothing.refused(*arguments)
    assert not nothing.path.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "add", "an", "--role", "vua"],
        ["export", "nothing", "--format", "csv", "--out", "x.csv"],
        ["export", "communes", "--format", "dwg", "--out", "x.dwg"],
        ["import", "nothing", "x.gpkg"],
        ["import", "products", "x.gpkg", "--map", "name"],
        ["serve", "--port", "99999"],
        ["khong-co"],
    ],
)
def test_a_wrong_call_is_a_usage_error(nothing: Program, arguments: list[str]):
    assert nothing(*arguments).exit_code == 2


def test_a_setting_that_cannot_work_is_one_sentence(nothing: Program):
    nothing.environment["OCOPMAP_DATABASE_URL"] = "oracle://x"
    assert "OCOPMAP_DATABASE_URL" in nothing.refused("check")


def test_a_file_that_is_no_database_is_one_sentence(nothing: Program):
    nothing.instance.mkdir()
    nothing.path.write_text("không phải cơ sở dữ liệu " * 100)
    assert "không phải là cơ sở dữ liệu" in nothing.refused("check")


def test_config_prints_every_setting_and_creates_nothing(nothing: Program):
    shown = nothing.good("config")
    for name in ("DATABASE_URL", "INSTANCE", "SECRET_KEY", "BASE_URL", "BASEMAP", "PRIVATE_WEBHOOKS"):
        assert f"OCOPMAP_{name}=" in shown
    assert not nothing.instance.exists()


# ---- init, upgrade, check


def test_init_makes_a_record_with_its_key_and_a_second_one_is_refused(nothing: Program):
    nothing.good("init")
    assert nothing.count("communes") == 0
    assert (nothing.instance / "secret_key").exists()
    before = nothing.path.read_bytes()
    assert "đã có" in nothing.refused("init", "--demo")
    assert nothing.path.read_bytes() == before
    assert "Đã có bản ghi" in nothing.good("init", "--demo", "--if-missing")
    assert "không cần nâng cấp" in nothing.good("upgrade")


def test_a_killed_init_leaves_no_half_record(nothing: Program):
    nothing.instance.mkdir()
    environment = environment_of(f"gpkg:///{nothing.path}", nothing.instance)
    process = subprocess.Popen(
        program("init", "--demo"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    half = f"{nothing.path.name}.building-{process.pid}"
    wait_until(lambda: (nothing.instance / half).exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not nothing.path.exists()
    nothing.good("init")
    assert not [p for p in nothing.instance.iterdir() if "building" in p.name]


def test_the_demonstration_province_passes_every_check(demo: Program):
    assert "0 lỗi" in demo.good("check")


@pytest.mark.parametrize(
    ("damage", "subject"),
    [
        ("DELETE FROM rtree_products_geom WHERE id = (SELECT min(id) FROM products)", "products"),
        ("UPDATE gpkg_ogr_contents SET feature_count = 7 WHERE table_name = 'lots'", "lots"),
        ("UPDATE gpkg_contents SET max_x = min_x WHERE table_name = 'communes'", "communes"),
        ("UPDATE record_facts SET value = value; PRAGMA application_id = 1", "tệp"),
        ("PRAGMA foreign_keys = OFF; UPDATE artisans SET village_id = 999999", "tệp"),
    ],
)
def test_check_finds_what_is_wrong(demo: Program, damage: str, subject: str):
    with closing(sqlite3.connect(demo.path, isolation_level=None)) as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if "outside_artisans" in trigger[0]:
                connection.execute(f"DROP TRIGGER {trigger[0]}")
        connection.executescript(damage)
    result = demo("check", "--problems")
    assert result.exit_code == 1
    assert f"LỖI    {subject}" in result.output


# ---- people


def test_a_person_is_added_with_a_password_from_standard_input(demo: Program):
    demo.good(
        "user", "add", "An", "--role", "commune_officer", "--territory", "32002", "--password-stdin",
        "--name", "Nguyễn An", stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    listed = demo.good("user", "list")
    assert "an " in listed and "commune_officer" in listed and "32002" in listed and "Nguyễn An" in listed
    store = demo.store()
    with store.reading() as session:
        account = check_password(session, "an", PASSWORD)
        assert account is not None and account.commune is not None and account.commune.code == "32002"
    store.dispose()
    with closing(sqlite3.connect(demo.path)) as connection:
        audited = connection.execute("SELECT after FROM audit_rows WHERE table_name = 'accounts'").fetchall()
    assert len(audited) == 1 and PASSWORD not in audited[0][0] and "argon2" not in audited[0][0]


def test_a_password_is_asked_twice_when_none_is_piped(empty: Program):
    empty.good("user", "add", "binh", "--role", "planner", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert empty.count("accounts") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--role", "planner"], "ký tự"),
        (["--role", "commune_officer"], "--territory"),
        (["--role", "commune_officer", "--territory", "00000"], "00000"),
        (["--role", "producer", "--producer", "999999"], "999999"),
    ],
)
def test_a_person_who_cannot_be_added_is_refused(demo: Program, arguments: list[str], reason: str):
    stdin = "ngắn\n" if reason == "ký tự" else f"{PASSWORD}\n"
    assert reason in demo.refused("user", "add", "an", *arguments, "--password-stdin", stdin=stdin)
    assert demo.count("accounts") == 0


def test_an_empty_password_is_refused(empty: Program):
    assert "ký tự" in empty.refused("user", "add", "an", "--role", "planner", "--password-stdin", stdin="\n")


def test_a_key_is_printed_once_and_opens_the_account(empty: Program):
    assert "--role" in empty.refused("key", "add", "qgis")
    key = empty.good("key", "add", "qgis", "--role", "planner").strip()
    store = empty.store()
    with store.reading() as session:
        account = check_api_key(session, key)
        assert account is not None and account.username == "qgis" and account.password_hash is None
    store.dispose()
    assert key.split("_", 2)[2].encode() not in empty.path.read_bytes()
    assert "vai trò" in empty.refused("key", "add", "qgis", "--role", "administrator")


# ---- export


def test_geojson_holds_public_rows_and_fields_only(demo: Program, tmp_path: Path):
    out = tmp_path / "vung.geojson"
    demo.good("export", "growing_areas", "--format", "geojson", "--out", out)
    document = json.loads(out.read_text(encoding="utf-8"))
    with closing(sqlite3.connect(demo.path)) as connection:
        public = connection.execute(
            "SELECT count(*) FROM growing_areas WHERE status = 'published'"
        ).fetchone()
    assert len(document["features"]) == public[0] < demo.count("growing_areas")
    assert not RESTRICTED & set(document["features"][0]["properties"])
    assert shapely.geometry.shape(document["features"][0]["geometry"]).geom_type == "MultiPolygon"


@pytest.mark.parametrize(("form", "name"), [("gpkg", "vung.gpkg"), ("shp", "vung.shp"), ("shp", "vung.zip")])
def test_other_programs_read_what_was_exported(demo: Program, tmp_path: Path, form: str, name: str):
    out = tmp_path / "out" / name
    out.parent.mkdir()
    demo.good("export", "growing_areas", "--format", form, "--out", out, "--all")
    with fiona.open(f"zip://{out}" if name.endswith("zip") else out) as layer:
        assert len(layer) == demo.count("growing_areas")
        assert layer.crs.to_epsg() == 4326
        first = next(iter(layer))
        fields = set(layer.schema["properties"])
    with closing(sqlite3.connect(demo.path)) as connection:
        row = connection.execute(
            "SELECT name, crop, area_ha FROM growing_areas WHERE id = ?", (first.properties["id"],)
        ).fetchone()
    assert (first.properties["name"], first.properties["crop"]) == row[:2]
    assert first.properties["area_ha"] == pytest.approx(row[2])
    assert all(len(field) <= 10 for field in fields) or form == "gpkg"
    if name.endswith("zip"):
        assert {Path(n).suffix for n in zipfile.ZipFile(out).namelist()} >= {".shp", ".shx", ".dbf", ".prj"}
        assert [p.name for p in out.parent.iterdir()] == [name]


def test_csv_opens_in_a_spreadsheet_and_starts_no_formula(empty: Program, tmp_path: Path):
    source, out = tmp_path / "diem.geojson", tmp_path / "diem.csv"
    source.write_text(json.dumps(points([{"name": '=HYPERLINK("x")', "kind": "shop"}])), encoding="utf-8")
    empty.good("import", "sale_points", source)
    empty.good("export", "sale_points", "--format", "csv", "--out", out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())
    assert row["name"] == '\'=HYPERLINK("x")'
    assert (float(row["longitude"]), float(row["latitude"])) == (105.15, 9.18)


def test_shapes_in_csv_are_wkt(demo: Program, tmp_path: Path):
    out = tmp_path / "xa.csv"
    demo.good("export", "communes", "--format", "csv", "--out", out)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == demo.count("communes")
    assert {shapely.from_wkt(row["wkt"]).geom_type for row in rows} == {"MultiPolygon"}


@pytest.mark.parametrize(
    ("form", "name"), [("flatgeobuf", "lang.fgb"), ("jsonfg", "lang.json"), ("gml", "lang.gml")]
)
def test_every_format_of_the_services_is_exported(demo: Program, tmp_path: Path, form: str, name: str):
    out = tmp_path / name
    demo.good("export", "communes", "--format", form, "--out", out)
    assert pyogrio.read_info(out, force_feature_count=True)["features"] == demo.count("communes")


def test_an_export_that_cannot_be_written_leaves_nothing(demo: Program, tmp_path: Path):
    demo.refused("export", "communes", "--format", "csv", "--out", tmp_path / "khong-co" / "x.csv")
    demo.refused("export", "communes", "--format", "shp", "--out", tmp_path / "x.dat")
    assert [p.name for p in tmp_path.iterdir()] == ["instance"]


# ---- import


def points(rows: list[dict[str, object]], at: tuple[float, float] = (105.15, 9.18)) -> dict[str, object]:
    """Write rows as GeoJSON points, a little apart."""
    features = [
        {
            "type": "Feature",
            "properties": row,
            "geometry": {"type": "Point", "coordinates": [at[0] + i / 1000, at[1]]},
        }
        for i, row in enumerate(rows)
    ]
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture
def kinds() -> list[str]:
    from data.codes import code_list

    return list(code_list("sale_point_kind"))


def write(path: Path, document: dict[str, object]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_rows_are_imported_with_commune_and_audit(demo: Program, tmp_path: Path, kinds: list[str]):
    rows: list[dict[str, object]] = [{"name": f"Điểm {i}", "loai": kinds[0]} for i in range(3)]
    file = write(tmp_path / "diem.geojson", points(rows))
    before = demo.count("sale_points")
    assert "Đã nhập 3 dòng" in demo.good("import", "sale_points", file, "--map", "kind=loai")
    with closing(sqlite3.connect(demo.path)) as connection:
        found = connection.execute(
            "SELECT name, commune_id FROM sale_points ORDER BY id DESC LIMIT 3"
        ).fetchall()
        audited = connection.execute("SELECT count(*) FROM audit_rows WHERE source = 'import'").fetchone()
    assert {name for name, _ in found} == {"Điểm 0", "Điểm 1", "Điểm 2"}
    assert all(commune is not None for _, commune in found)
    assert demo.count("sale_points") == before + 3 and audited == (3,)
    assert "0 lỗi" in demo.good("check")


def test_one_bad_row_keeps_all_out_and_every_bad_row_is_named(
    demo: Program, tmp_path: Path, kinds: list[str]
):
    rows: list[dict[str, object]] = [
        {"name": "Tốt", "kind": kinds[0]},
        {"name": "", "kind": kinds[0]},
        {"name": "Sai loại", "kind": "không có"},
    ]
    file = write(tmp_path / "diem.geojson", points(rows))
    before = demo.count("sale_points")
    result = demo("import", "sale_points", file)
    assert result.exit_code == 1
    assert "Dòng 2" in result.stderr and "Dòng 3" in result.stderr and "Dòng 1:" not in result.stderr
    assert demo.count("sale_points") == before


def test_a_trial_run_keeps_nothing(demo: Program, tmp_path: Path, kinds: list[str]):
    file = write(tmp_path / "diem.geojson", points([{"name": "Thử", "kind": kinds[0]}]))
    before = demo.count("sale_points")
    assert "chưa có gì thay đổi" in demo.good("import", "sale_points", file, "--dry-run")
    assert demo.count("sale_points") == before


def test_swapped_axes_are_named(demo: Program, tmp_path: Path, kinds: list[str]):
    file = write(tmp_path / "dao.geojson", points([{"name": "Đảo", "kind": kinds[0]}], at=(9.18, 105.15)))
    result = demo("import", "sale_points", file)
    assert result.exit_code == 1 and "đảo" in result.stderr


def test_a_missing_column_is_asked_for(demo: Program, tmp_path: Path):
    file = write(tmp_path / "diem.geojson", points([{"ten": "A"}]))
    assert "--map name=" in demo.refused("import", "sale_points", file)
    assert "kho" in demo.refused("import", "sale_points", file, "--map", "kho=ten")
    assert "cột" in demo.refused("import", "sale_points", file, "--map", "name=khong")


def test_one_layer_of_a_file_of_boundaries_is_chosen(demo: Program):
    source = demo.instance / "two.gpkg"
    with closing(sqlite3.connect(demo.path)) as connection:
        connection.execute("VACUUM INTO ?", (str(source),))
    arguments = ["import", "boundaries", source, "--edition", "2020", "--dry-run", "--layer"]
    assert "101" in demo.good(*arguments, "communes")
    demo.refused(*arguments, "no_such_layer")


def test_boundaries_are_not_imported_row_by_row(demo: Program, tmp_path: Path):
    file = write(tmp_path / "xa.geojson", points([{"name": "A"}]))
    assert "import boundaries" in demo.refused("import", "communes", file)


@pytest.mark.parametrize("name", ["lang.gpkg", "lang.shp", "lang.geojson"])
def test_what_was_exported_can_be_imported(demo: Program, tmp_path: Path, name: str):
    out, before = tmp_path / name, demo.count("craft_villages")
    told = demo.good("export", "craft_villages", "--format", out.suffix[1:], "--out", out)
    assert ("story" in told and "254" in told) == (out.suffix == ".shp")
    demo.good("import", "craft_villages", out)
    with closing(sqlite3.connect(demo.path)) as connection:
        published, same = connection.execute(
            "SELECT count(*), count(b.id) FROM craft_villages a LEFT JOIN craft_villages b ON b.id > ? "
            "AND a.name = b.name AND a.trade_group = b.trade_group AND a.decision_date IS b.decision_date "
            "AND a.trade_households IS b.trade_households AND a.commune_id = b.commune_id "
            "AND abs(a.area_ha - b.area_ha) < 0.01 WHERE a.id <= ? AND a.status = 'published'",
            (before, before),
        ).fetchone()
    assert published == same == demo.count("craft_villages") - before


# ---- backup, restore, serve


def test_backup_and_restore_by_command(demo: Program, tmp_path: Path):
    file = tmp_path / "sao-luu.gpkg"
    demo.good("backup", file)
    demo.good("user", "add", "an", "--role", "planner", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "before-restore" in demo.good("restore", file)
    assert demo.count("accounts") == 0
    assert "Không có tệp" in demo.refused("restore", tmp_path / "khong-co")


def test_a_running_server_shows_the_restored_record_at_once(demo: Program, tmp_path: Path, kinds: list[str]):
    demo.good("backup", tmp_path / "sao-luu.gpkg")
    server = start_server(f"gpkg:///{demo.path}", demo.instance)
    try:
        first = answer(server, "/layers/sale_points.geojson?limit=1")
        file = write(tmp_path / "diem.geojson", points([{"name": "Mới", "kind": kinds[0]}]))
        demo.good("import", "sale_points", file)
        second = answer(server, "/layers/sale_points.geojson?limit=1")
        demo.good("restore", tmp_path / "sao-luu.gpkg")
        third = answer(server, "/layers/sale_points.geojson?limit=1")
    finally:
        server.stop()
    assert second[1] == first[1] + 1 and third[1] == first[1]
    assert len({first[0], second[0], third[0]}) == 3
    assert "Traceback" not in server.log()


def answer(server: Server, path: str) -> tuple[str, int]:
    """Ask the server; return the ETag and the number of rows."""
    with urllib.request.urlopen(server.url + path) as response:
        return response.headers["ETag"], json.load(response)["numberMatched"]


def test_a_taken_port_is_said_at_once(empty: Program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in empty.refused("serve", "--port", str(port))


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for another program to get somewhere."""
    pause = threading.Event()
    for _ in range(int(seconds * 100)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail(f"waited {seconds} s in vain (process {os.getpid()})")
