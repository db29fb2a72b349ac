"""Settings come from one place, say where they come from, and refuse what cannot work in one sentence."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from webmap.settings import NAMES, Basemap, SettingError, Settings


def test_without_any_variable_the_record_is_a_geopackage_in_the_instance_folder():
    settings = Settings.from_environment({})
    assert settings.database_url == "gpkg:///instance/province.gpkg"
    assert settings.instance == Path("instance")
    assert settings.base_url is None
    assert settings.basemap is None


def test_the_record_follows_the_instance_folder():
    settings = Settings.from_environment({"OCOPMAP_INSTANCE": "/srv/ocop"})
    assert settings.database_url == "gpkg:////srv/ocop/province.gpkg"
    assert settings.media == Path("/srv/ocop/media")


def test_a_plain_postgresql_address_gets_our_driver():
    settings = Settings.from_environment({"OCOPMAP_DATABASE_URL": "postgresql://u@h/ocop"})
    assert settings.database_url == "postgresql+psycopg://u@h/ocop"


def test_a_blank_variable_is_as_good_as_none():
    assert Settings.from_environment({"OCOPMAP_BASEMAP": "  "}).basemap is None


def test_a_basemap_carries_its_attribution_and_the_host_that_pages_must_allow():
    given = "https://tiles.example.vn/{z}/{x}/{y}.png | © Cục Bản đồ"
    basemap = Settings.from_environment({"OCOPMAP_BASEMAP": given}).basemap
    assert basemap == Basemap("https://tiles.example.vn/{z}/{x}/{y}.png", "© Cục Bản đồ")
    assert basemap.host == "https://tiles.example.vn"
    assert Basemap("/nen/{z}/{x}/{y}.png").host == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@localhost/ocop"),
        ("DATABASE_URL", "province.gpkg"),
        ("DATABASE_URL", "gpkg://"),
        ("DATABASE_URL", "postgresql://u@h"),
        ("SECRET_KEY", "ngắn"),
        ("BASE_URL", "ocop.example.vn"),
        ("BASE_URL", "ftp://ocop.example.vn"),
        ("BASE_URL", "https://ocop.example.vn:cổng"),
        ("BASE_URL", "https://ocop.example.vn/?a=1"),
        ("BASEMAP", "https://tiles.example.vn/"),
        ("BASEMAP", "tiles.example.vn/{z}/{x}/{y}.png"),
        ("BASEMAP", "https://tiles.example.vn/{z}/{x}/{y}.png; script-src *"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_the_name_of_its_setting(name: str, value: str):
    with pytest.raises(SettingError) as refusal:
        Settings.from_environment({f"OCOPMAP_{name}": value})
    sentence = str(refusal.value)
    assert f"OCOPMAP_{name}" in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_an_instance_that_is_a_file_is_refused(tmp_path: Path):
    file = tmp_path / "instance"
    file.write_text("")
    with pytest.raises(SettingError, match="OCOPMAP_INSTANCE"):
        Settings.from_environment({"OCOPMAP_INSTANCE": str(file)})


def test_a_key_is_made_once_kept_for_the_owner_only_and_the_same_for_all(tmp_path: Path):
    folder = {"OCOPMAP_INSTANCE": str(tmp_path / "instance")}
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Settings.from_environment(folder).secret_key))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file = tmp_path / "instance" / "secret_key"
    assert len(found) == 8 and len(set(found)) == 1
    assert len(found[0]) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["secret_key"]


def test_the_operators_key_wins_and_leaves_no_file(tmp_path: Path):
    settings = Settings.from_environment({"OCOPMAP_INSTANCE": str(tmp_path), "OCOPMAP_SECRET_KEY": "k" * 32})
    assert settings.secret_key == "k" * 32
    assert list(tmp_path.iterdir()) == []


def test_every_setting_is_shown_with_its_origin_and_no_secret(tmp_path: Path):
    settings = Settings.from_environment(
        {
            "OCOPMAP_INSTANCE": str(tmp_path),
            "OCOPMAP_DATABASE_URL": "postgresql+psycopg://ocop:mat-khau@db/ocop",
            "OCOPMAP_SECRET_KEY": "bi-mat-bi-mat-bi-mat",
        }
    )
    shown = {name: (value, origin) for name, value, origin in settings.shown()}
    assert set(shown) == {f"OCOPMAP_{name}" for name in NAMES}
    assert shown["OCOPMAP_DATABASE_URL"] == ("postgresql+psycopg://ocop:***@db/ocop", "biến môi trường")
    assert shown["OCOPMAP_BASE_URL"] == ("", "mặc định")
    assert "mat-khau" not in repr(shown) and "bi-mat" not in repr(shown)
    assert "bi-mat" not in repr(settings) and "mat-khau" not in repr(settings)


def test_photos_are_found_wherever_the_program_was_started(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).media == tmp_path / "instance" / "media"
