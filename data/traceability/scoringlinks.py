"""What traceability offers to scoring: public pages of lots and the product's story, as evidence of criteria.

Which criterion asks for an electronic trace code or a story is reference data by edition and set.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import PUBLIC, visible
from data.codes import REFERENCE
from data.products import Product
from data.programme.tables import Dossier
from data.traceability.lots import Lot
from data.traceability.tables import FREE, TraceEventItem, TraceItem

MOST_LOTS = 3
LOT, STORY = "lot", "story"


@dataclass(frozen=True)
class Link:
    """That a criterion of an edition, in some sets, is shown by a lot's page or a story."""

    edition: str
    sets: frozenset[int]
    criterion: str
    offers: Literal["lot", "story"]
    evidence: str
    least_points: int | None
    text: str


@dataclass(frozen=True)
class Offer:
    """Something that is there already and can be added as evidence: for which criterion, from which row."""

    link: Link
    table: str
    row_id: int
    title: str


@functools.cache
def links() -> tuple[Link, ...]:
    """Read which criteria are shown by what."""
    with (REFERENCE / "traceability" / "scoring_links.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Link(
                row["edition"],
                _numbers(row["sets"]),
                row["criterion"],
                row["offers"],  # type: ignore[arg-type]
                row["evidence"],
                int(row["least_points"]) if row["least_points"] else None,
                row["text"],
            )
            for row in csv.DictReader(file)
        )


def links_of(edition: str, set_number: int) -> list[Link]:
    """List the criteria of a set that a lot's page or a story shows."""
    return [link for link in links() if link.edition == edition and set_number in link.sets]


def lots_with_page(session: Session, product_id: int) -> list[Lot]:
    """List the newest lots of a product that anybody sees and may be sold, those with recorded events first."""
    told = (
        sa.select(TraceItem.lot_id)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .where(TraceItem.lot_id.is_not(None), TraceItem.state == FREE)
    )
    query = sa.select(Lot).where(
        Lot.product_id == product_id, Lot.lot_status == "released", visible(PUBLIC, Lot)
    )
    order = (Lot.id.in_(told).desc(), sa.nulls_last(Lot.produced_on.desc()), Lot.id.desc())
    return list(session.scalars(query.order_by(*order).limit(MOST_LOTS)))


def has_story(product: Product) -> bool:
    """Tell whether the product's page shows a story."""
    return bool((product.story or "").strip()) and product.status == "published"


def offers(session: Session, dossier: Dossier) -> list[Offer]:
    """List what the record can show for the dossier's criteria and the dossier does not hold yet."""
    held = {
        (e.table_name, e.row_id, e.criterion)
        for e in dossier.evidence
        if e.withdrawn_at is None and e.table_name
    }
    product = dossier.product
    lots = lots_with_page(session, product.id)
    found = []
    for link in links_of(dossier.edition, dossier.set_number):
        if link.offers == STORY:
            rows = [("products", product.id, f"Câu chuyện: {product.name}")] if has_story(product) else []
        else:
            rows = [("lots", lot.id, f"Trang truy xuất lô {lot.lot_number}") for lot in lots]
        found += [Offer(link, *row) for row in rows if (row[0], row[1], link.criterion) not in held]
    return found


def _numbers(text: str) -> frozenset[int]:
    """Read sets such as `1-7 9 11-26`."""
    found: set[int] = set()
    for part in text.split():
        first, _dash, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)
