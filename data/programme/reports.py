"""Reports: the programme's products counted by a dimension, over the rows that the actor sees in the programme.

Every figure is counted from the same list of facts that its page of rows shows, so that they cannot differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data import codes
from data.accounts import Actor
from data.admin_units import Commune
from data.base import ARCHIVED
from data.products import Product
from data.programme import criteria
from data.programme.rights import seen
from data.programme.tables import Certificate
from gis.errors import Refusal, marked

UNKNOWN = "-"


class ReportError(Refusal):
    """There is no such report."""


@dataclass(frozen=True)
class Fact:
    """One product as reports count it; revenue in million đồng. Every dimension is a text, "-" where unknown."""

    id: int
    name: str
    producer_id: int | None
    producer: str
    commune_name: str
    stars: str
    set: str
    group: str
    commune: str
    district: str
    kind: str
    year: str
    edition: str
    women: str
    holds: str
    certified_on: dt.date | None
    expires_on: dt.date | None
    revenue: float | None


#: The dimensions in the order of the page: name → Vietnamese title.
DIMENSIONS = {
    "stars": marked("Hạng sao"),
    "group": marked("Nhóm sản phẩm"),
    "set": marked("Bộ sản phẩm"),
    "district": marked("Huyện, thành phố"),
    "commune": marked("Xã, phường"),
    "kind": marked("Loại hình chủ thể"),
    "women": marked("Phụ nữ làm chủ"),
    "year": marked("Năm công nhận"),
    "edition": marked("Bộ tiêu chí"),
    "holds": marked("Hiệu lực"),
}
YES_NO = {"yes": "có", "no": "không"}
HOLDING = {"in_force": "còn hiệu lực", "ended": "hết hiệu lực", "none": "chưa công nhận"}


@dataclass(frozen=True)
class Line:
    """The figures of one value of a dimension, or of all."""

    key: str
    label: str
    products: int
    three: int
    four: int
    five: int
    in_force: int
    producers: int
    revenue: float

    def numbers(self) -> tuple[float, ...]:
        """The figures in the order of `MEASURES`."""
        return tuple(getattr(self, name) for name in MEASURES)


MEASURES = tuple(f.name for f in fields(Line) if f.name not in ("key", "label"))


@dataclass(frozen=True)
class Table:
    """A dimension with its lines and their total."""

    dimension: str
    lines: tuple[Line, ...]
    total: Line


def facts(
    session: Session, actor: Actor, today: dt.date, chosen: Mapping[str, str] | None = None
) -> list[Fact]:
    """List the products that the actor sees in the programme and that have the chosen value of each dimension.

    Raises ReportError for an unknown dimension.
    """
    wanted = {name: value for name, value in (chosen or {}).items() if value}
    for name in wanted:
        _known(name)
    query = (
        sa.select(Product)
        .options(joinedload(Product.producer), joinedload(Product.commune).joinedload(Commune.district))
        .where(seen(actor, Product), Product.status != ARCHIVED)
        .order_by(Product.name, Product.id)
    )
    held = _editions(session)
    found = [_fact(row, held, today) for row in session.scalars(query)]
    return [f for f in found if all(getattr(f, name) == value for name, value in wanted.items())]


def table(found: Sequence[Fact], dimension: str) -> Table:
    """Count facts by a dimension; the lines add up to the total, but for producers, who may have several products."""
    _known(dimension)
    groups: dict[str, list[Fact]] = {}
    for fact in found:
        groups.setdefault(getattr(fact, dimension), []).append(fact)
    labels = {key: label(dimension, key, rows[0]) for key, rows in groups.items()}
    order = sorted(groups, key=lambda key: (key == UNKNOWN, _order(dimension, key, labels[key])))
    lines = tuple(_line(key, labels[key], groups[key]) for key in order)
    return Table(dimension, lines, _line("", "Tổng số", found))


def with_measure(found: Sequence[Fact], measure: str) -> list[Fact]:
    """List the facts that a figure counts, such as those of three stars."""
    rules: dict[str, Callable[[Fact], bool]] = {
        "three": lambda f: f.stars == "3",
        "four": lambda f: f.stars == "4",
        "five": lambda f: f.stars == "5",
        "in_force": lambda f: f.holds == "in_force",
    }
    rule = rules.get(measure)
    return [f for f in found if rule is None or rule(f)]


def label(dimension: str, key: str, fact: Fact | None = None, lang: str = "vi") -> str:
    """Return what a value of a dimension is called."""
    if key == UNKNOWN:
        return "chưa rõ" if lang == "vi" else "unknown"
    if dimension == "set":
        return f"{key}. {codes.label('product_set', key, lang)}"
    if dimension in ("stars", "kind"):
        return codes.label({"stars": "stars", "kind": "producer_kind"}[dimension], key, lang)
    if dimension == "women":
        return YES_NO[key]
    if dimension == "holds":
        return HOLDING[key]
    if dimension == "commune" and fact is not None:
        return fact.commune_name
    return key


def summary(found: Sequence[Fact], dimensions: Sequence[str] = tuple(DIMENSIONS)) -> list[Table]:
    """Return the tables of several dimensions."""
    return [table(found, name) for name in dimensions]


# ---- details


def _known(name: str) -> None:
    if name not in DIMENSIONS:
        raise ReportError("Không có báo cáo theo “%(name)s”.", name=name)


def _order(dimension: str, key: str, title: str) -> tuple[float, str]:
    if key == UNKNOWN:
        return 0, title
    if dimension in ("stars", "year"):
        return -float(key), title
    return (float(key), title) if dimension == "set" else (0, title)


def _line(key: str, title: str, rows: Sequence[Fact]) -> Line:
    return Line(
        key=key,
        label=title,
        products=len(rows),
        three=len(with_measure(rows, "three")),
        four=len(with_measure(rows, "four")),
        five=len(with_measure(rows, "five")),
        in_force=len(with_measure(rows, "in_force")),
        producers=len({f.producer_id for f in rows if f.producer_id is not None}),
        revenue=round(sum(f.revenue or 0 for f in rows), 2),
    )


def _editions(session: Session) -> dict[int, str]:
    """The edition of each product's newest certificate."""
    query = sa.select(Certificate.product_id, Certificate.edition).order_by(
        Certificate.issued_on, Certificate.id
    )
    return {product_id: edition for product_id, edition in session.execute(query) if edition}


def _fact(row: Product, editions: Mapping[int, str], today: dt.date) -> Fact:
    producer, commune = row.producer, row.commune
    district = commune.district if commune is not None else None
    women = producer.women_led if producer is not None else None
    edition = editions.get(row.id) or (_edition_at(row.certified_on) if row.certified_on else UNKNOWN)
    return Fact(
        id=row.id,
        name=row.name,
        producer_id=row.producer_id,
        producer=producer.name if producer is not None else "",
        commune_name=commune.full_name if commune is not None else "",
        stars=str(row.stars or 0),
        set=str(row.product_set),
        group=_group(row.product_set),
        commune=commune.code if commune is not None else UNKNOWN,
        district=district.name if district is not None else UNKNOWN,
        kind=producer.kind if producer is not None else UNKNOWN,
        year=str(row.certified_on.year) if row.certified_on else UNKNOWN,
        edition=edition,
        women=UNKNOWN if women is None else "yes" if women else "no",
        holds=_holds(row, today),
        certified_on=row.certified_on,
        expires_on=row.expires_on,
        revenue=row.annual_revenue_million,
    )


def _holds(row: Product, today: dt.date) -> str:
    if not row.stars or row.certified_on is None:
        return "none"
    return "ended" if row.expires_on is not None and row.expires_on < today else "in_force"


def _edition_at(day: dt.date) -> str:
    try:
        return criteria.edition_at(day).edition
    except criteria.CriteriaError:
        return UNKNOWN


def _group(product_set: int) -> str:
    """The group that the law puts a set into."""
    try:
        text = criteria.edition("2026").set(product_set).classification
    except criteria.CriteriaError:
        return UNKNOWN
    for mark in ("Nhóm: ", "Sản phẩm: "):
        if mark in text:
            return text.split(mark, 1)[1].strip()
    return text or UNKNOWN
