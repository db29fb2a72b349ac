"""The programme's targets and funding of 2020, 2025 and 2030, planned against actual."""

from __future__ import annotations

import csv
import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import EDITORS_OF_ALL, Actor
from data.base import ARCHIVED
from data.producers import Producer
from data.products import Product
from data.programme.calendar import FOLDER
from data.programme.participations import SOURCE
from data.programme.rights import NotYours
from data.programme.tables import Certificate, Participation, ProductStandard
from data.tables import RecordFact
from gis.errors import Refusal

FUNDING = "funding"
HOUSEHOLD = "household"


class TargetError(Refusal):
    """A figure cannot be recorded like this."""


@dataclass(frozen=True)
class Target:
    """What is to be reached in a period; `entered` targets have figures that people enter, others are counted."""

    key: str
    period: str
    first_year: int
    last_year: int
    planned: float
    unit: str
    vi: str
    en: str
    basis: str

    @property
    def entered(self) -> bool:
        """Tell whether the actual figure is entered by hand."""
        return self.unit in ("percent", "billion")

    def title(self, lang: str) -> str:
        """Return the title in a language."""
        return self.en if lang == "en" else self.vi


@dataclass(frozen=True)
class Progress:
    """A target with what was reached, None where nobody has entered it, and the rows that it counts."""

    target: Target
    actual: float | None
    product_ids: tuple[int, ...] = ()

    @property
    def percent(self) -> float | None:
        """What was reached in percent of what was planned."""
        return None if self.actual is None else round(100 * self.actual / self.target.planned, 1)


@functools.cache
def targets() -> tuple[Target, ...]:
    """Read targets and funding once, in the order of the files."""
    found = []
    for row in _rows("targets.csv"):
        found.append(_target(row, row["key"], float(row["planned"]), row["unit"], row["vi"], row["en"]))
    for row in _rows("funding.csv"):
        planned = float(row["planned_billion"])
        found.append(_target(row, FUNDING, planned, "billion", "Kinh phí thực hiện", "Funding"))
    return tuple(found)


def progress(session: Session) -> list[Progress]:
    """Compare every target with the record."""
    query = sa.select(RecordFact.key, RecordFact.value).where(RecordFact.key.startswith("actual:"))
    kept = {key: value for key, value in session.execute(query)}
    found = []
    for target in targets():
        if target.entered:
            text = kept.get(_fact_key(target.key, target.period))
            found.append(Progress(target, float(text) if text else None))
            continue
        ids = _counted(session, target)
        found.append(Progress(target, len(ids), ids if target.unit == "products" else ()))
    return found


def enter(session: Session, actor: Actor, key: str, period: str, value: float | None) -> None:
    """Enter what was reached where the record cannot count it. Raises NotYours or TargetError."""
    if actor.role not in EDITORS_OF_ALL:
        raise NotYours("Số liệu thực hiện do cán bộ tỉnh ghi.")
    target = next((t for t in targets() if (t.key, t.period) == (key, period)), None)
    if target is None or not target.entered:
        raise TargetError("Không có chỉ tiêu này để nhập.")
    if value is not None and (value < 0 or (target.unit == "percent" and value > 100)):
        raise TargetError("Số liệu phải từ 0, và tỷ lệ không quá 100.")
    name = _fact_key(key, period)
    row = session.scalar(sa.select(RecordFact).where(RecordFact.key == name).with_for_update())
    if row is None:
        row = RecordFact(key=name)
        session.add(row)
    before = row.value
    row.value = None if value is None else str(value)
    session.flush()
    audit.write(
        session,
        actor,
        SOURCE,
        "record_facts",
        row.id,
        "update",
        before={name: before},
        after={name: row.value},
    )


# ---- details


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _target(row: dict[str, str], key: str, planned: float, unit: str, vi: str, en: str) -> Target:
    return Target(
        key, row["period"], int(row["first_year"]), int(row["last_year"]), planned, unit, vi, en, row["basis"]
    )


def _fact_key(key: str, period: str) -> str:
    return f"actual:{key}:{period}"


def _counted(session: Session, target: Target) -> tuple[int, ...]:
    """The products or producers that count towards a target, each once and in the period it first did."""
    first, last = dt.date(target.first_year, 1, 1), dt.date(target.last_year, 12, 31)
    if target.key == "standardised":
        days = _firsts(session, sa.select(ProductStandard.product_id, ProductStandard.issued_on))
    elif target.key in ("five_star", "three_four_star"):
        days = _recognised(session, (5,) if target.key == "five_star" else (3, 4))
    else:
        days = _taking_part(session, households=target.key == "households")
    return tuple(sorted(key for key, day in days.items() if first <= day <= last))


def _recognised(session: Session, stars: tuple[int, ...]) -> dict[int, dt.date]:
    """The day on which each product was first recognised so, by its certificates or by what it shows."""
    certificates = sa.select(Certificate.product_id, Certificate.issued_on).where(
        Certificate.stars.in_(stars)
    )
    shown = sa.select(Product.id, Product.certified_on).where(
        Product.stars.in_(stars), Product.status != ARCHIVED
    )
    return _firsts(session, certificates, shown)


def _taking_part(session: Session, *, households: bool) -> dict[int, dt.date]:
    """The day from which each producer takes part: a recognised product, or a place in a year's cycle."""
    rule = Producer.kind == HOUSEHOLD if households else Producer.kind != HOUSEHOLD
    recognised = (
        sa.select(Producer.id, Product.certified_on)
        .join(Product, Product.producer_id == Producer.id)
        .where(rule, Product.status != ARCHIVED)
    )
    days = _firsts(session, recognised)
    cycle = (
        sa.select(Producer.id, sa.func.min(Participation.year))
        .join(Participation, Participation.producer_id == Producer.id)
        .where(rule)
        .group_by(Producer.id)
    )
    for key, year in session.execute(cycle):
        day = dt.date(year, 12, 31)
        days[key] = min(days.get(key, day), day)
    return days


def _firsts(session: Session, *queries: sa.Select[*tuple[Any, ...]]) -> dict[int, dt.date]:
    found: dict[int, dt.date] = {}
    for query in queries:
        for key, day in session.execute(query):
            if day is not None:
                found[key] = min(found.get(key, day), day)
    return found
