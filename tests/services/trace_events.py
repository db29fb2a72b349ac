"""Events of EPCIS as other systems send them, for tests of capture and tracing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from data.accounts import Account, Actor, Role
from data.admin_units import Commune
from data.producers import Producer
from data.products import Product
from data.store import Store
from data.traceability.lots import Lot
from data.traceability.tables import TraceEdge, TraceEvent, TraceItem

Event = dict[str, Any]
ZONE = dt.timezone(dt.timedelta(hours=7))
START = dt.datetime(2026, 4, 1, 8, tzinfo=ZONE)
CONTEXT = [{"ocop": "urn:ocop:terms:"}]


def lot(number: str, gtin: str = "08938505974194") -> str:
    """Return the canonical name of a lot."""
    return f"https://id.gs1.org/01/{gtin}/10/{number}"


def amount(uri: str, quantity: float | None = None, uom: str | None = "KGM") -> Event:
    """Return a quantity element."""
    made: Event = {"epcClass": uri}
    if quantity is not None:
        made |= {"quantity": quantity} | ({"uom": uom} if uom else {})
    return made


def event(kind: str, day: float, number: int | None = None, **more: Any) -> Event:
    """Return an event `day` days after the start, with an id made of a number or with none."""
    at = START + dt.timedelta(days=day)
    made: Event = {
        "type": kind,
        "eventTime": at.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+07:00",
        **more,
    }
    if number is not None:
        made["eventID"] = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    return made


def made(day: float, inputs: list[Any], outputs: list[Any], number: int | None = None, **more: Any) -> Event:
    """Return a transformation of names or quantity elements."""
    lists = {"inputQuantityList": inputs, "outputQuantityList": outputs}
    given = {k: [amount(v) if isinstance(v, str) else v for v in each] for k, each in lists.items() if each}
    return event("TransformationEvent", day, number, bizStep="commissioning", **given, **more)


def packed(
    day: float, parent: str, children: list[str], action: str = "ADD", number: int | None = None, **more: Any
) -> Event:
    """Return an aggregation of single things."""
    return event("AggregationEvent", day, number, action=action, bizStep="packing", parentID=parent,
                 childEPCs=children, **more)  # fmt: skip


def observed(day: float, uri: str, step: str, number: int | None = None, **more: Any) -> Event:
    """Return an observation of a lot."""
    return event(
        "ObjectEvent",
        day,
        number,
        **{"action": "OBSERVE", "bizStep": step, "quantityList": [amount(uri)]} | more,
    )


def declared_wrong(original: Event, reason: str = "did_not_occur", *corrective: str) -> Event:
    """Return the declaration that an event was wrong."""
    said: Event = {"declarationTime": "2026-05-01T00:00:00+07:00", "reason": reason}
    if corrective:
        said["correctiveEventIDs"] = list(corrective)
    return {**original, "errorDeclaration": said}


class People:
    """Two producers in two communes, each with a product, two lots and somebody who works there."""

    def __init__(self, store: Store) -> None:
        with store.writing() as session:
            communes = [Commune(code=f"3100{i}", name=f"Xã {i}", kind="xã", edition="2020") for i in (1, 2)]
            session.add_all(communes)
            session.flush()
            makers = [Producer(name=f"Cơ sở {c.name}", kind="household", commune_id=c.id) for c in communes]
            session.add_all(makers)
            session.flush()
            gtins = ["8938505974194", None]
            products = [
                Product(
                    name=f"Sản phẩm {i}",
                    product_set=1,
                    producer_id=maker.id,
                    commune_id=maker.commune_id,
                    gtin=gtin,
                )
                for i, (maker, gtin) in enumerate(zip(makers, gtins, strict=True))
            ]
            session.add_all(products)
            session.flush()
            lots = [
                Lot(product_id=p.id, producer_id=p.producer_id, commune_id=p.commune_id, lot_number=number)
                for p in products for number in ("L01", "L02")
            ]  # fmt: skip
            accounts = [
                Account(
                    username=f"nguoi-{i}", display_name=f"Người {i}", role="producer", producer_id=maker.id
                )
                for i, maker in enumerate(makers)
            ]
            session.add_all([*lots, *accounts])
            session.flush()
            self.communes = [c.id for c in communes]
            self.producers = [m.id for m in makers]
            self.products = [p.id for p in products]
            self.lots = [one.id for one in lots]
            self.makers = [a.actor() for a in accounts]
        self.officers = [
            Actor(role=Role.COMMUNE_OFFICER, name=f"cán bộ {i}", commune_id=c)
            for i, c in enumerate(self.communes)
        ]
        self.inspector = Actor(role=Role.INSPECTOR, name="cán bộ kiểm tra")

    @property
    def names(self) -> list[str]:
        """The canonical names of the four lots, the first producer's first."""
        own = self.products[1]
        return [lot("L01"), lot("L02"), f"urn:ocop:lot:{own}:L01", f"urn:ocop:lot:{own}:L02"]


def counts(store: Store) -> tuple[int, int, int]:
    """Return how many events, items and edges there are."""
    with store.reading() as session:
        tables = (TraceEvent, TraceItem, TraceEdge)
        found = [session.scalar(sa.select(sa.func.count()).select_from(t)) for t in tables]
        return found[0], found[1], found[2]
