"""GS1 Digital Link: reading and writing of web addresses that carry GS1 keys (GS1 Digital Link Standard: URI Syntax).

`scheme://host[/stem…]/{key}/{value}[/{qualifier}/{value}]*[?{attribute}={value}&…][#fragment]`
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, unquote_plus

from data.traceability.applicationids import application_identifiers, check_pairs
from data.traceability.valuechecks import IdentifierError

CANONICAL_STEM = "https://id.gs1.org"
GTIN = "01"

_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SPLIT = re.compile(r"(?P<stem>(?:https?|HTTPS?)://(?P<host>[^/]+))(?P<path>/.*)", re.DOTALL)
_WRONG_IN_HOST = re.compile(r"[_~?#@!$&'()*+,;=%]")
_SHORT_GTINS = (8, 12, 13)

Pair = tuple[str, str]


@dataclass(frozen=True)
class DigitalLink:
    """A Digital Link taken apart: the key, its qualifiers in order, the attributes, and other query parameters."""

    stem: str
    key: str
    value: str
    qualifiers: tuple[Pair, ...] = ()
    attributes: tuple[Pair, ...] = ()
    others: tuple[str, ...] = field(default=(), compare=False)

    @property
    def path(self) -> str:
        """The key and qualifiers as a path: `/01/{gtin}/10/{lot}`, every reserved character percent-encoded."""
        pairs = ((self.key, self.value), *self.qualifiers)
        return "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in pairs)

    @property
    def canonical(self) -> str:
        """The name of the thing, the same for every host: `https://id.gs1.org/…`, without attributes."""
        return CANONICAL_STEM + self.path

    @property
    def uri(self) -> str:
        """The whole link with its own stem and attributes."""
        query = "&".join(f"{ai}={quote(value, safe=' ').replace(' ', '+')}" for ai, value in self.attributes)
        return self.stem + self.path + (f"?{query}" if query else "")

    @property
    def levels(self) -> tuple[DigitalLink, ...]:
        """The link without attributes and every coarser one above it, finest first, the bare key last."""
        bare = replace(self, attributes=(), others=())
        return tuple(
            replace(bare, qualifiers=self.qualifiers[:n]) for n in range(len(self.qualifiers), -1, -1)
        )

    def get(self, ai: str) -> str | None:
        """Return the value of an application identifier anywhere in the link."""
        return dict(((self.key, self.value), *self.qualifiers, *self.attributes)).get(ai)


def parse(uri: str, strict: bool = True) -> DigitalLink:
    """Take a Digital Link apart, or refuse it with the reason.

    Not strict is what a resolver accepts from scanners: a slash at the end, a GTIN of 8, 12 or 13 digits, and
    attributes without the ones they belong to.
    """
    link = link_of(uri, tolerant=not strict)
    table = application_identifiers()
    for ai, value in ((link.key, link.value), *link.qualifiers, *link.attributes):
        table[ai].check(value)
    _check_attributes(link)
    if strict:
        check_pairs([link.key, *(ai for ai, _ in link.qualifiers), *(ai for ai, _ in link.attributes)])
    return link


def link_of(uri: str, *, tolerant: bool) -> DigitalLink:
    """Take a Digital Link apart by its structure alone; the values are not checked."""
    if not _URI.fullmatch(uri):
        raise IdentifierError("Liên kết có ký tự không được dùng trong địa chỉ web; hãy mã hóa bằng %%XX.")
    main = uri.partition("#")[0]
    address, _, query = main.partition("?")
    parts = _SPLIT.fullmatch(address)
    if parts is None:
        raise IdentifierError("Liên kết phải có dạng https://tên-miền/01/… .")
    if _WRONG_IN_HOST.search(parts["host"]):
        raise IdentifierError("Tên miền của liên kết có ký tự không được dùng.")
    segments = parts["path"].split("/")[1:]
    while tolerant and segments and not segments[-1]:
        segments.pop()
    start = _start_of_key(segments)
    pairs = [_path_pair(segments[i], segments[i + 1], tolerant) for i in range(start, len(segments), 2)]
    (key, value), qualifiers = pairs[0], tuple(pairs[1:])
    if not application_identifiers()[key].allows_order(tuple(ai for ai, _ in qualifiers)):
        raise IdentifierError(
            "Thứ tự mã AI trong đường dẫn không đúng: sau %(key)s không thể là %(order)s.",
            key=key,
            order="/".join(ai for ai, _ in qualifiers),
        )
    attributes, others = _query(query)
    stem = parts["stem"] + "".join(f"/{segment}" for segment in segments[:start])
    return DigitalLink(stem, key, value, qualifiers, attributes, others)


def build(
    key: str,
    value: str,
    qualifiers: Mapping[str, str] | Sequence[Pair] = (),
    attributes: Mapping[str, str] | Sequence[Pair] = (),
    *,
    stem: str = CANONICAL_STEM,
) -> DigitalLink:
    """Make a link of a key and its qualifiers, given in any order; refuse what cannot be one."""
    given = dict(qualifiers)
    known = application_identifiers().get(key)
    if known is None or not known.is_key:
        raise IdentifierError("Mã AI %(ai)s không phải khóa của GS1 Digital Link.", ai=key)
    order = next((o for o in known.qualifiers if set(given) <= set(o)), None)
    if given and order is None:
        raise IdentifierError(
            "Các mã AI %(ais)s không thể đi sau khóa %(key)s.", ais=", ".join(given), key=key
        )
    ordered = tuple((ai, given[ai]) for ai in order or () if ai in given)
    link = DigitalLink(
        stem.rstrip("/"),
        key,
        gtin14(value) if key == GTIN else value,
        ordered,
        tuple(dict(attributes).items()),
    )
    return parse(link.uri, strict=False)


def gtin14(number: str) -> str:
    """Write a GTIN of 8, 12 or 13 digits with 14; anything else stays as it is."""
    return number.zfill(14) if len(number) in _SHORT_GTINS else number


def _start_of_key(segments: list[str]) -> int:
    """Return where the right-most key of the path is; before it is the stem."""
    table = application_identifiers()
    place = len(segments) - 2
    while place >= 0 and segments[place] in table:
        if table[segments[place]].is_key:
            return place
        place -= 2
    if len(segments) == 1 and re.fullmatch(r"[A-Za-z0-9_-]{10,}", segments[0]):
        raise IdentifierError("Liên kết GS1 dạng nén không được nhận ở đây; hãy dùng liên kết đầy đủ /01/… .")
    raise IdentifierError("Đường dẫn không có khóa GS1 nào đọc được (như 01, 00, 414).")


def _path_pair(ai: str, text: str, tolerant: bool) -> Pair:
    value = unquote(text)
    if not value:
        raise IdentifierError("Mã AI %(ai)s trong đường dẫn không có giá trị.", ai=ai)
    return ai, gtin14(value) if tolerant and ai == GTIN else value


def _query(query: str) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """Part the attributes of a query string from what belongs to others."""
    table = application_identifiers()
    attributes: list[Pair] = []
    others: list[str] = []
    for part in filter(None, query.split("&")):
        name, equals, text = part.partition("=")
        if not equals or not re.fullmatch(r"[0-9]+", name):
            others.append(part)
            continue
        if name not in table:
            raise IdentifierError("Tham số %(ai)s không phải mã AI nào của GS1.", ai=name)
        value = unquote_plus(text)
        if not value:
            raise IdentifierError("Mã AI %(ai)s trong phần sau dấu hỏi không có giá trị.", ai=name)
        attributes.append((name, gtin14(value) if name == GTIN else value))
    return tuple(attributes), tuple(others)


def _check_attributes(link: DigitalLink) -> None:
    """Refuse attributes that are named twice, that may not be attributes, or that belong into the path."""
    table = application_identifiers()
    in_path = tuple(ai for ai, _ in link.qualifiers)
    seen = {link.key, *in_path}
    for ai, _ in link.attributes:
        if ai in seen:
            raise IdentifierError("Mã AI %(ai)s xuất hiện hai lần trong liên kết.", ai=ai)
        seen.add(ai)
        if not table[ai].is_attribute:
            raise IdentifierError("Mã AI %(ai)s không được đứng sau dấu hỏi.", ai=ai)
        places = range(len(in_path) + 1)
        if any(table[link.key].allows_order((*in_path[:n], ai, *in_path[n:])) for n in places):
            raise IdentifierError("Mã AI %(ai)s phải đứng trong đường dẫn, không đứng sau dấu hỏi.", ai=ai)
