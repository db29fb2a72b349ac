"""The browser libraries: complete, licensed, as listed, and nothing from another host in our own files."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from tests.conftest import ROOT, lacking

STATIC = ROOT / "webmap/static"
VENDOR = STATIC / "vendor"
#: Names of formats, and the host that RFC 2606 keeps for examples.
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "https://example.com")


@pytest.fixture
def packages() -> list[dict[str, object]]:
    listing = VENDOR / "vendor.json"
    if not listing.exists():
        lacking("browser libraries (npm ci && npm run vendor)")
    found: list[dict[str, object]] = json.loads(listing.read_text(encoding="utf-8"))["packages"]
    return found


def test_every_vendored_file_is_the_one_listed_and_every_package_has_its_licence(packages) -> None:  # type: ignore[no-untyped-def]
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    listed = set()
    for package in packages:
        assert package["version"] == locked[f"node_modules/{package['package']}"]["version"]
        names = {file["path"].rsplit("/", 1)[1] for file in package["files"]}
        assert "LICENSE" in names
        for file in package["files"]:
            content = (VENDOR / file["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            listed.add(file["path"])
    present = {p.relative_to(VENDOR).as_posix() for p in VENDOR.rglob("*") if p.is_file()}
    assert present == listed | {"vendor.json"}


def test_our_own_files_name_no_other_host() -> None:
    ours = [p for p in STATIC.rglob("*") if p.suffix in (".js", ".css", ".svg") and VENDOR not in p.parents]
    ours += list((ROOT / "webmap/templates").rglob("*"))
    for path in ours:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        for namespace in NAMESPACES:
            text = text.replace(namespace, "")
        named = re.findall(r"https?://[\w.-]+", text)
        assert not named, f"{path}: {named}"


def test_modules_stay_short_enough_to_read() -> None:
    for path in (STATIC / "js").rglob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
