"""Which products should be inspected first: a score made of named reasons whose weights are reference data."""

from __future__ import annotations

import csv
import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from data.accounts import Actor
from data.base import ARCHIVED
from data.products import Product
from data.programme.calendar import FOLDER
from data.programme.rights import seen
from data.programme.tables import Dossier, Evidence, Finding, Inspection, ProductStandard

LEAST_STARS = 3
FULL = 100


@dataclass(frozen=True)
class Weight:
    """What a reason counts: points for each time it applies, at most so many times; `bound` is in days."""

    key: str
    points: int
    most: int
    bound: int | None
    vi: str
    en: str
    basis: str

    def title(self, lang: str) -> str:
        """Return the reason in a language."""
        return self.en if lang == "en" else self.vi


@dataclass(frozen=True)
class Reason:
    """A reason that applies to a product: how often, and the points it brings."""

    weight: Weight
    count: int

    @property
    def points(self) -> int:
        """The points it brings."""
        return self.weight.points * min(self.count, self.weight.most)

    def plain(self) -> dict[str, Any]:
        """Return the reason as it is kept with an inspection."""
        return {"key": self.weight.key, "count": self.count, "points": self.points}


@dataclass(frozen=True)
class Risk:
    """A product with what speaks for a visit, the weightiest reason first."""

    product: Product
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """The score, at most 100."""
        return min(FULL, sum(r.points for r in self.reasons))


@functools.cache
def weights() -> dict[str, Weight]:
    """Read the weights once, by key."""
    with (FOLDER / "risk.csv").open(encoding="utf-8", newline="") as file:
        return {
            r["key"]: Weight(
                r["key"], int(r["weight"]), int(r["most"]), int(r["bound"]) if r["bound"] else None,
                r["vi"], r["en"], r["basis"],
            )
            for r in csv.DictReader(file)
        }  # fmt: skip


def products_seen(session: Session, actor: Actor) -> list[Product]:
    """List the recognised products that the actor sees in the programme, by name."""
    query = (
        sa.select(Product)
        .options(joinedload(Product.producer), joinedload(Product.commune))
        .where(seen(actor, Product), Product.status != ARCHIVED, Product.stars >= LEAST_STARS)
    )
    return list(session.scalars(query.order_by(Product.name, Product.id)))


def ranking(session: Session, actor: Actor, today: dt.date) -> list[Risk]:
    """List the recognised products that the actor sees in the programme, those at most risk first."""
    found = risks_of(session, products_seen(session, actor), today)
    return sorted(found, key=lambda r: (-r.points, r.product.name, r.product.id))


def risks_of(session: Session, products: list[Product], today: dt.date) -> list[Risk]:
    """Work out the score of some products."""
    known = _Known(session, today)
    return [Risk(product, _reasons(known, product, today)) for product in products]


def _reasons(known: _Known, product: Product, today: dt.date) -> tuple[Reason, ...]:
    last = known.visits.get(product.id)
    ends = product.expires_on
    left = (ends - today).days if ends is not None else None
    counts = {
        "report": known.reports.get(product.id, 0),
        "finding_overdue": known.overdue.get(product.id, 0),
        "finding_open": known.open.get(product.id, 0),
        "never_visited": int(last is None),
        "visited_long_ago": int(last is not None and (today - last).days > _bound("visited_long_ago")),
        "evidence_expired": known.expired.get(product.id, 0),
        "evidence_expiring": known.expiring.get(product.id, 0),
        "certificate_ended": int(left is not None and left < 0),
        "certificate_near_end": int(left is not None and 0 <= left <= _bound("certificate_near_end")),
        "stars_5": int(product.stars == 5),
        "stars_4": int(product.stars == 4),
    }
    found = [Reason(weights()[key], count) for key, count in counts.items() if count]
    return tuple(sorted(found, key=lambda r: -r.points))


class _Known:
    """What the record says of all products, read in one query for each subject."""

    def __init__(self, session: Session, today: dt.date) -> None:
        def pairs(query: sa.Select[*tuple[Any, ...]]) -> dict[Any, Any]:
            return {key: value for key, value in session.execute(query) if key is not None}

        product = Inspection.product_id
        self.visits: dict[int, dt.date] = pairs(
            sa.select(product, sa.func.max(Inspection.visited_on))
            .where(Inspection.visited_on.is_not(None), Inspection.state != "cancelled")
            .group_by(product)
        )
        self.reports: dict[int, int] = pairs(
            sa.select(product, sa.func.count()).where(Inspection.state == "reported").group_by(product)
        )
        unsettled = (
            sa.select(product, sa.func.count())
            .join(Finding, Finding.inspection_id == Inspection.id)
            .where(Finding.verified_on.is_(None), Inspection.state != "cancelled")
            .group_by(product)
        )
        self.overdue: dict[int, int] = pairs(unsettled.where(Finding.due_on < today))
        self.open: dict[int, int] = pairs(
            unsettled.where(sa.or_(Finding.due_on.is_(None), Finding.due_on >= today))
        )
        soon = today + dt.timedelta(days=_bound("evidence_expiring"))
        self.expired: dict[int, int] = {}
        self.expiring: dict[int, int] = {}
        for product_id, ends in self._papers(session):
            if ends <= soon:
                tally = self.expired if ends < today else self.expiring
                tally[product_id] = tally.get(product_id, 0) + 1

    def _papers(self, session: Session) -> Iterable[Any]:
        """The ends of papers in the newest dossier of each product, and of standards in force."""
        newest = sa.select(sa.func.max(Dossier.id)).group_by(Dossier.product_id)
        yield from session.execute(
            sa.select(Dossier.product_id, Evidence.expires_on)
            .join(Evidence, Evidence.dossier_id == Dossier.id)
            .where(Dossier.id.in_(newest), Evidence.withdrawn_at.is_(None), Evidence.expires_on.is_not(None))
        )
        yield from session.execute(
            sa.select(ProductStandard.product_id, ProductStandard.expires_on).where(
                ProductStandard.replaced_on.is_(None), ProductStandard.expires_on.is_not(None)
            )
        )


def _bound(key: str) -> int:
    return weights()[key].bound or 0
