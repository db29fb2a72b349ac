"""The README names every command, setting, layer, address and make target, and no address that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layers import catalogue
from webmap.app import create_app
from webmap.cli import main
from webmap.settings import NAMES, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"ocopmap {command}" in README


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`OCOPMAP_{name}`" in README


@pytest.mark.parametrize("layer", catalogue.LAYERS, ids=lambda layer: layer.id)
def test_every_layer_is_in_the_readme(layer) -> None:
    assert f"`{layer.id}`" in README


def test_the_beginning_of_every_address_is_in_the_readme(tmp_path: Path) -> None:
    names = {"OCOPMAP_INSTANCE": str(tmp_path), "OCOPMAP_SECRET_KEY": "x" * 40}
    app = create_app(Settings.from_environment(names))
    first = {rule.rule.split("/")[1].split("<")[0].split(".")[0] for rule in app.url_map.iter_rules()}
    # Addresses that begin with digits are the keys of GS1; one of them stands for all.
    first = {"01" if part.isdigit() else part for part in first} - {"", "static", "logout"}
    unnamed = {part for part in first if f"/{part}" not in README}
    assert not unnamed


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M)) <= targets
