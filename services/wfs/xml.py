"""Reading and writing XML: what callers send is limited and never followed, what we write is namespaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lxml import etree

from services.wfs.exceptions import PARSING, OwsError

LARGEST_QUERY = 1_000_000
LARGEST_TRANSACTION = 64 * 1024 * 1024
DEEPEST = 64
MOST_ELEMENTS = 2_000

#: Namespaces by prefix; None is the prefix of the default one.
Namespaces: TypeAlias = Mapping[str, str] | Mapping[str | None, str]


def parse(text: bytes | str, *, locator: str = "request", largest: int = LARGEST_QUERY) -> Any:
    """Return the root element of a document. Raises OwsError for what is not well-formed, too large or unsafe.

    A document type, and with it every entity, is refused; nothing outside the document is ever read.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > largest:
        raise OwsError("Tài liệu XML dài hơn %(limit)s byte.", code=PARSING, locator=locator, limit=largest)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise OwsError(
            "Tài liệu XML không đọc được: %(reason)s.", code=PARSING, locator=locator, reason=error
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise OwsError("Tài liệu XML không được có DOCTYPE.", code=PARSING, locator=locator)
    return root


def limit(element: Any, *, locator: str = "filter", most: int = MOST_ELEMENTS) -> None:
    """Refuse an element that nests too deep or holds too many others. Raises OwsError."""
    count = 0
    stack = [(element, 0)]
    while stack:
        current, depth = stack.pop()
        count += 1
        if depth > DEEPEST or count > most:
            raise OwsError("Biểu thức quá dài hoặc lồng nhau quá sâu.", code=PARSING, locator=locator)
        stack += [(child, depth + 1) for child in current]


def local(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: Any) -> str:
    """Return the namespace of an element, empty when it has none."""
    return str(element.tag).rpartition("}")[0].lstrip("{")


def children(element: Any, *names: str) -> Iterator[Any]:
    """Yield the child elements of these local names, or all; their namespace is not looked at."""
    for child in element:
        if isinstance(child.tag, str) and (not names or local(child) in names):
            yield child


def first(element: Any, *names: str) -> Any:
    """Return the first child element of these local names, or None."""
    return next(children(element, *names), None)


def text_of(element: Any) -> str:
    """Return all text inside an element, without surrounding blanks."""
    return "".join(element.itertext()).strip()


def prefixes(element: Any) -> dict[str, str]:
    """Return the namespaces that are bound at an element, by prefix; the default one under the empty name."""
    return {prefix or "": uri for prefix, uri in element.nsmap.items()}


class Writer:
    """Makes elements of one namespace; further attributes may be given in Clark notation."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def root(self, name: str, nsmap: Namespaces, /, **attributes: str) -> Any:
        """Return a new root element that declares these namespaces."""
        return etree.Element(f"{{{self.uri}}}{name}", nsmap=dict(nsmap), **attributes)

    def add(
        self,
        parent: Any,
        name: str,
        text: object = None,
        nsmap: Namespaces | None = None,
        /,
        **attributes: str,
    ) -> Any:
        """Add an element with text and attributes under a parent; return it."""
        element = etree.SubElement(
            parent, f"{{{self.uri}}}{name}", nsmap=dict(nsmap) if nsmap else None, **attributes
        )
        if text is not None:
            element.text = str(text)
        return element


def fragment(element: Any) -> str:
    """Return an element as text that declares what it needs."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def to_bytes(root: Any) -> bytes:
    """Return a document as UTF-8."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
