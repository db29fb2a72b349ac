"""Collects every text that a person sees and brings the English catalogue up to date with it.

Texts are the literals given to gettext, to `marked`, and as the `message` of a refusal on any floor; the Vietnamese
is the key. Those without English yet are printed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("gis", "data", "layers", "services", "webmap")
ENGLISH = ROOT / "webmap/translations/en/LC_MESSAGES/messages.po"
ROOT_REFUSAL = "Refusal"
#: What else carries a text, and in which argument; a refusal that words itself does so in `super().__init__`.
CARRIERS: dict[str, tuple[int, ...] | None] = {
    "lazy_gettext": None,
    "marked": None,
    "__init__": None,
    "Problem": (2,),
    "Notice": (1,),
    "Sentence": (1,),
    "_grave": (3,),
}
#: The head of the English catalogue: no dates, so that it changes only when texts do.
HEAD = r"""# English of every text that a person sees; the Vietnamese is the key. `make messages` collects new ones.
msgid ""
msgstr ""
"Project-Id-Version: ocopmap\n"
"Language: en\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""


def carriers(trees: Iterable[ast.AST]) -> dict[str, tuple[int, ...]]:
    """Name what takes a `message` that a person reads, with its place: refusals, and functions that make them."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    declared = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    known: dict[str, tuple[int, ...]] = {ROOT_REFUSAL: (1,)}
    more = set(known)
    while more:
        more = {n for n, node in declared.items() if _bases(node) & known.keys()} - known.keys()
        for name in more:
            own = next((f for f in declared[name].body if _takes_message(f)), None)
            inherited = next(known[base] for base in _bases(declared[name]) if base in known)
            known[name] = _place(own) if isinstance(own, ast.FunctionDef) else inherited
    makers = [node for node in nodes if _takes_message(node) and isinstance(node, ast.FunctionDef)]
    return known | {node.name: _place(node) for node in makers if node.name != "__init__"}


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def _takes_message(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(a.arg == "message" for a in node.args.args)


def _place(function: ast.FunctionDef) -> tuple[int, ...]:
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    return (names.index("message") + 1,)


def modules() -> Iterator[ast.Module]:
    """Parse every module of every floor."""
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"), str(path))


def collect() -> Catalog:
    """Collect the texts of all modules and templates."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    readers = [(pattern, literals if method == "python" else method) for pattern, method in methods]
    keywords = {**DEFAULT_KEYWORDS, **CARRIERS, **carriers(modules())}
    catalogue = Catalog(charset="utf-8")
    for name, line, text, _comments, context in extract_from_dir(
        ROOT,
        readers,  # type: ignore[arg-type]
        options,
        keywords,
        directory_filter=_is_ours,
    ):
        catalogue.add(text, locations=[(name, line)], context=context)
    return catalogue


def literals(
    file: BinaryIO, keywords: Mapping[str, object], comment_tags: object, options: object
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """Find the literal arguments of the keywords; a literal deeper inside an argument is a key, not a text."""
    for node in ast.walk(ast.parse(file.read())):
        name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in keywords and node.args:
            yield node.lineno, name, tuple(_text(argument) for argument in node.args), []


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_ours(folder: str) -> bool:
    return Path(folder).relative_to(ROOT).parts[0] in FLOORS


def english(path: Path = ENGLISH) -> Catalog:
    """Read the English catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale="en", charset="utf-8")


def update(path: Path = ENGLISH) -> list[Message]:
    """Add new texts to the English catalogue, drop those gone, compile it; return the texts without English."""
    catalogue = english(path)
    catalogue.update(collect(), no_fuzzy_matching=True)
    keep(catalogue, path)
    return missing(catalogue)


def keep(catalogue: Catalog, path: Path = ENGLISH) -> None:
    """Write the English catalogue, sorted, and its compiled form beside it."""
    with path.open("wb") as file:
        file.write(HEAD.encode())
        write_po(
            file, catalogue, 110, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True
        )
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


def missing(catalogue: Catalog) -> list[Message]:
    """List the texts that have no English, in one of their forms."""
    return [m for m in catalogue if m.id and not (all(m.string) if isinstance(m.string, tuple) else m.string)]


if __name__ == "__main__":
    for message in update():
        print(message.id)
