"""English: every text has it, with the same facts in it, and English pages show nothing else."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from flask.testing import FlaskClient

from data.accounts import Role
from data.people import add_person
from data.store import Store
from tools.messages import ROOT, carriers, collect, english
from webmap.app import create_app
from webmap.settings import Settings

PASSWORD = "mot-mat-khau-dai"
PLACE = re.compile(r"%(?:\((\w+)\))?([-+ #0.\d]*[a-zA-Z%])")
VIETNAMESE = re.compile(r"[À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]")
#: What stays Vietnamese in English: a unit of land, its province, a dish to search for, a column heading, the language.
KEPT = re.compile(r"\bcông\b|\bCà Mau\b|“tôm khô”|“Tên sản phẩm”|Tiếng Việt")
REFUSED = {"/nothing": 404, "/products/999999": 404, "/edit/growing_areas/9": 404, "/edit/lots/new": 403}
LISTS = ("products", "craft_villages", "growing_areas", "producers", "communes")


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return collect()


@pytest.fixture(scope="module")
def translated() -> dict[str, str]:
    return {str(m.id): str(m.string) for m in english() if m.id and m.string}


def test_every_text_has_english(texts: Catalog, translated: dict[str, str]) -> None:
    assert [m.id for m in texts if m.id and str(m.id) not in translated] == []


def test_english_is_kept_only_for_texts_that_are_there(texts: Catalog, translated: dict[str, str]) -> None:
    assert translated.keys() - {m.id for m in texts} == set()
    kept = english()
    assert not kept.obsolete
    assert [m.id for m in kept if m.id and m.fuzzy] == []


def test_english_has_the_places_for_facts_of_the_text(translated: dict[str, str]) -> None:
    different = {
        vietnamese: text
        for vietnamese, text in translated.items()
        if "%(" in vietnamese and sorted(PLACE.findall(vietnamese)) != sorted(PLACE.findall(text))
    }
    assert different == {}


def test_english_keeps_the_marks_of_the_text(translated: dict[str, str]) -> None:
    assert [
        text for key, text in translated.items() if any(key.count(m) != text.count(m) for m in "“”")
    ] == []


def test_english_has_no_vietnamese_words(translated: dict[str, str]) -> None:
    assert [text for text in translated.values() if VIETNAMESE.search(KEPT.sub("", text))] == []


def test_texts_of_refusals_and_of_named_sentences_are_collected(translated: dict[str, str]) -> None:
    for text in (
        "Không có lớp “%(layer)s”.",
        "Đường biên tự cắt tại kinh độ %(lon).6f, vĩ độ %(lat).6f.",
        "Hình trống: không có tọa độ nào.",
        "Không có gì ở địa chỉ này.",
        "Đĩa đã đầy (%(reason)s); chưa có gì thay đổi.",
    ):
        assert text in translated
    assert any(
        text.startswith("Hồ sơ số %(id)s của lớp “%(layer)s” đã được người khác sửa") for text in translated
    )


def test_the_message_of_a_refusal_is_found_wherever_it_stands() -> None:
    source = """
class Plain(errors.Refusal): ...
class Coded(Plain):
    def __init__(self, code, message, **facts): ...
class Other(Exception): ...
def refused(request, code, message): ...
def counted(request): ...
"""
    assert carriers([ast.parse(source)]) == {"Refusal": (1,), "Plain": (1,), "Coded": (2,), "refused": (3,)}


def test_no_sentence_of_the_program_is_left_out(texts: Catalog) -> None:
    known = {str(m.id) for m in texts}
    assert [text for text in _sentences() if text not in known] == []


def _sentences() -> Iterator[str]:
    """Find Vietnamese sentences in the code that answers requests, but for papers and what has both languages."""
    for floor in ("gis", "layers", "services", "webmap"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            if not {"cli.py", "commands", "settings.py", "documents", "reporting.py"} & set(path.parts):
                yield from _sentences_of(ast.parse(path.read_text("utf-8")))


def _sentences_of(tree: ast.Module) -> Iterator[str]:
    apart: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            apart.add(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Label"):
            apart.update(part for argument in node.args for part in ast.walk(argument))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and node not in apart else None
        if isinstance(text, str) and VIETNAMESE.search(text) and re.search(r"[.]$|%\(", text):
            yield text


# ---- pages


class Words(HTMLParser):
    """The texts of a page that a person meets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = ("title", "aria-label", "placeholder", "alt", "data-label", "content")
        self.found += [value for name, value in attrs if name in shown and value]

    def handle_data(self, data: str) -> None:
        self.found.append(data.encode().decode("unicode_escape") if data.startswith("{") else data.strip())


def words(client: FlaskClient, address: str, lang: str) -> list[str]:
    client.set_cookie("lang", lang)
    answer = client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code == REFUSED.get(address, 200)
    return Words(answer.get_data(as_text=True)).found


def _client(path: Path) -> Iterator[FlaskClient]:
    store = Store(f"gpkg:///{path}")
    add_person(store, "officer", Role.PROVINCE_OFFICER.value, password=PASSWORD)
    store.dispose()
    names = {"OCOPMAP_DATABASE_URL": f"gpkg:///{path}", "OCOPMAP_INSTANCE": str(path.parent / "instance")}
    app = create_app(Settings.from_environment({**names, "OCOPMAP_SECRET_KEY": "x" * 40}))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    yield client
    app.extensions["ocop_store"].dispose()


@pytest.fixture(scope="module")
def empty(empty_gpkg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """The pages of a record without rows, where every word is the program's own."""
    yield from _client(Path(shutil.copy(empty_gpkg, tmp_path_factory.mktemp("empty") / "province.gpkg")))


@pytest.fixture(scope="module")
def demo(demo_gpkg: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """The pages of the demonstration province."""
    yield from _client(Path(shutil.copy(demo_gpkg, tmp_path_factory.mktemp("demo") / "province.gpkg")))


PAGES = ("/", "/map", "/search", "/search?q=x", "/login", "/nothing", *(f"/{name}" for name in LISTS))
OFFICE = (
    "/office",
    "/edit/growing_areas/new",
    "/edit/craft_villages/new",
    "/edit/growing_areas/9",
    "/edit/lots/new",
)


@pytest.mark.parametrize("address", PAGES)
def test_an_english_page_has_no_vietnamese_word_of_the_program(empty: FlaskClient, address: str) -> None:
    found = words(empty, address, "en")
    assert len(found) > 10
    assert [text for text in found if VIETNAMESE.search(KEPT.sub("", text))] == []


@pytest.mark.parametrize("address", OFFICE)
def test_an_english_page_of_the_office_has_none_either(empty: FlaskClient, address: str) -> None:
    empty.post("/login", data={"username": "officer", "password": PASSWORD})
    found = words(empty, address, "en")
    assert "Sign out" in found
    assert [text for text in found if VIETNAMESE.search(KEPT.sub("", text))] == []


@pytest.mark.parametrize("layer", LISTS)
def test_an_english_record_page_shows_no_text_by_its_key(
    demo: FlaskClient, translated: dict[str, str], layer: str
) -> None:
    keys = {key for key, text in translated.items() if key != text and VIETNAMESE.search(key)}
    for row_id in (1, 2, 3):
        assert keys.intersection(words(demo, f"/{layer}/{row_id}", "en")) == set()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/", "Sản phẩm nhiều sao"),
        ("/map", "Hệ toạ độ"),
        ("/products", "Bỏ lọc"),
        ("/login", "Mật khẩu"),
        ("/nothing", "Không có gì ở địa chỉ này."),
        ("/products/999999", "Không có trang này"),
    ],
)
def test_a_page_shows_the_key_in_vietnamese_and_its_english_in_english(
    empty: FlaskClient, translated: dict[str, str], address: str, text: str
) -> None:
    assert text in words(empty, address, "vi")
    assert translated[text] in words(empty, address, "en")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/layers/none.geojson", "There is no layer “none”."),
        ("/layers/products.geojson?foo=1", "There is no parameter “foo”."),
        ("/tiles/products/40/1/1.mvt", "The tile 40/1/1 lies outside the limits of the layer."),
        ("/statistics/none.json", "There is no indicator “none”."),
    ],
)
def test_a_program_reads_refusals_in_english_too(empty: FlaskClient, address: str, sentence: str) -> None:
    empty.set_cookie("lang", "en")
    answer = empty.get(address)
    assert answer.get_json(force=True)["detail"] == sentence
