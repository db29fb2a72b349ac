"""Links of what a scanned code stands for, and the list of them (RFC 9264, GS1-Conformant Resolver 1.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask_babel import force_locale
from flask_babel import gettext as _

from data.products import Product
from data.traceability.digitallinks import link_of
from data.traceability.identifiers import CANONICAL_STEM, own_parts, public_path
from data.traceability.lots import Lot
from data.traceability.resolving import Target

VOCABULARY = "https://ref.gs1.org/voc/"
DEFAULT = "defaultLink"
HTML, EPCIS_JSON = "text/html", "application/json"
LANGUAGES = ("vi", "en")

#: The link types that this resolver offers where there is something behind them.
OFFERED = (
    DEFAULT,
    "pip",
    "traceability",
    "recallStatus",
    "epcis",
    "certificationInfo",
    "hasRetailers",
    "locationInfo",
)


@dataclass(frozen=True)
class Link:
    """One link of a thing: its type in the GS1 vocabulary, address, title, and where they are said language and form.

    `forwards` says whether the query of a scanned address goes on with it.
    """

    type: str
    href: str
    title: str
    languages: tuple[str, ...] = ()
    media: str | None = None
    forwards: bool = True

    def document(self) -> dict[str, Any]:
        """Return the link as a target object of RFC 9264."""
        more: dict[str, Any] = {"type": self.media} if self.media else {}
        if self.languages:
            more["hreflang"] = list(self.languages)
        if not self.forwards:
            more["fwqs"] = False
        return {"href": self.href, "title": self.title, **more}


@dataclass(frozen=True)
class Level:
    """The links of one level: a jar, its lot, its product."""

    anchor: str
    description: str
    links: tuple[Link, ...]


def levels_of(target: Target, root: str) -> list[Level]:
    """Return the links of every level of what a code stands for, the finest first.

    `root` is the address of this site without a slash at the end.
    """
    if target.packed or (target.product is None and target.producer is not None):
        return [_level_of_carton_or_place(target, root)]
    found: list[Level] = []
    if target.lot is not None:
        paths = _paths(target)
        for path in paths[:-1]:
            found.append(_level_of_lot(target, target.lot, root, path))
    if target.product is not None:
        found.append(_level_of_product(target, target.product, root))
    return found


def _paths(target: Target) -> list[str]:
    """The public paths of a name and of the coarser names above it; for our own lots the product's page is last."""
    own = own_parts(target.uri)
    if own:
        whole = public_path(target.uri)
        lot = [whole.rpartition("/")[0]] if target.serial else []
        return [whole, *lot, f"/products/{own[1]}"]
    return [level.path for level in link_of(target.uri, tolerant=True).levels]


def _level_of_lot(target: Target, lot: Lot, root: str, path: str) -> Level:
    page = f"{root}/lots/{lot.id}"
    is_jar = bool(target.serial) and path == _paths(target)[0]
    if is_jar:
        page += f"?serial={quote(target.serial or '', safe='')}"
    name = lot.product.name
    description = f"{name}, {lot.lot_number}" + (f", {target.serial}" if is_jar else "")
    uri = target.uri if is_jar else _name_of(path)
    asked = urlencode({"MATCH_anyEPC" if is_jar else "MATCH_anyEPCClass": uri})
    links = [
        Link(DEFAULT, page, _("Hồ sơ lô %(lot)s", lot=lot.lot_number)),
        *_in_each_language("traceability", page, lambda: _("Truy xuất lô %(lot)s", lot=lot.lot_number)),
        *_in_each_language("pip", page, lambda: _("Thông tin sản phẩm: %(name)s", name=name)),
        *_in_each_language("recallStatus", page, lambda: _("Tình trạng thu hồi của lô %(lot)s", lot=lot.lot_number)),
        Link("epcis", f"{root}/epcis/events?{asked}", _("Sự kiện EPCIS"), media=EPCIS_JSON, forwards=False),
    ]  # fmt: skip
    return Level(root + path, description, tuple(links))


def _name_of(path: str) -> str:
    own = path.removeprefix("/lo/")
    return f"urn:ocop:lot:{own.replace('/', ':')}" if own != path else CANONICAL_STEM + path


def _level_of_product(target: Target, product: Product, root: str) -> Level:
    page = f"{root}/products/{product.id}"
    path = _paths(target)[-1]
    missing = target.lot_number if target.lot is None else None
    warned = f"{page}?{urlencode({'unknown_lot': missing})}" if missing else page
    links = [
        Link(DEFAULT, warned, _("Trang sản phẩm %(name)s", name=product.name)),
        *_in_each_language("pip", warned, lambda: _("Thông tin sản phẩm: %(name)s", name=product.name)),
    ]
    if product.certificate_number:
        links += _in_each_language("certificationInfo", page, lambda: _("Công nhận OCOP và giấy chứng nhận"))
    if product.sale_points:
        links += _in_each_language("hasRetailers", page, lambda: _("Nơi bán"))
    if target.producer is not None:
        home = f"{root}/producers/{target.producer.id}"
        links += _in_each_language("locationInfo", home, lambda: _("Nơi sản xuất"))
    return Level(root + path, product.name, tuple(links))


def _level_of_carton_or_place(target: Target, root: str) -> Level:
    anchor = root + public_path(target.uri)
    links: list[Link] = []
    for lot in target.packed:
        page = f"{root}/lots/{lot.id}"
        title = _("Hồ sơ lô %(lot)s", lot=lot.lot_number)
        if not links:
            links.append(Link(DEFAULT, page, title))
        links.append(Link("traceability", page, title, ("vi",), HTML))
    if target.producer is not None:
        home = f"{root}/producers/{target.producer.id}"
        if not links:
            links.append(Link(DEFAULT, home, target.producer.name))
        links += _in_each_language("locationInfo", home, lambda: _("Cơ sở %(name)s", name=_name(target)))
    asked = urlencode({"MATCH_anyEPC": target.uri})
    if target.packed:
        links.append(
            Link(
                "epcis", f"{root}/epcis/events?{asked}", _("Sự kiện EPCIS"), media=EPCIS_JSON, forwards=False
            )
        )
    description = target.producer.name if target.producer else anchor.rpartition("/")[2]
    return Level(anchor, description, tuple(links))


def _name(target: Target) -> str:
    return target.producer.name if target.producer else ""


def _in_each_language(kind: str, page: str, title: Any) -> Iterator[Link]:
    """One link for each language of a page, with a title in that language."""
    mark = "&" if "?" in page else "?"
    for lang in LANGUAGES:
        with force_locale(lang):
            yield Link(kind, f"{page}{mark}lang={lang}", title(), (lang,), HTML)


def document(levels: Sequence[Level]) -> dict[str, Any]:
    """Return the linkset of RFC 9264: one context for each level, links by their type."""
    contexts = []
    for level in levels:
        context: dict[str, Any] = {"anchor": level.anchor, "itemDescription": level.description}
        for link in level.links:
            context.setdefault(VOCABULARY + link.type, []).append(link.document())
        contexts.append(context)
    return {"linkset": contexts}


def context_document() -> dict[str, Any]:
    """Return the JSON-LD context that reads a linkset as linked data."""
    return {
        "@context": {
            "@vocab": "http://www.iana.org/assignments/relation/",
            "anchor": "@id",
            "href": "@id",
            "linkset": "@graph",
            "title": "http://purl.org/dc/terms/title",
            "type": "http://purl.org/dc/terms/format",
            "hreflang": {"@id": "http://purl.org/dc/terms/language", "@container": "@set"},
            "itemDescription": "http://www.w3.org/2000/01/rdf-schema#comment",
            "fwqs": None,
            "gs1": VOCABULARY,
        }
    }
