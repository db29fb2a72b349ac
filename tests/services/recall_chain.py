"""A chain over two producers for tests of recall: pond → material → lot → carton and another maker's lot → buyers."""

from __future__ import annotations

import sqlalchemy as sa

from data.accounts import SYSTEM, Actor
from data.growing_areas import GrowingArea
from data.products import SalePoint
from data.store import Store
from data.traceability import capture
from data.traceability.identifiers import area_uri, producer_uri, sale_point_uri
from data.traceability.tables import TraceEvent, TraceItem
from tests.services.trace_events import CONTEXT, Event, People, amount, event, made, observed

CARTON = "https://id.gs1.org/00/095201234567891235"
MATERIAL = "urn:ocop:material:1:abc"


def sent(day: float, uri: str, customer: str, phone: str, quantity: float | None, **more: object) -> Event:
    """Return a dispatch to a buyer."""
    single = uri.startswith("https://id.gs1.org/00/")
    things = {"epcList": [uri]} if single else {"quantityList": [amount(uri, quantity)]}
    said = {"customer": customer, "phone": phone, "document": f"PX-{customer[-1]}"}
    facts = {"action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit", **things, **more}
    return event("ObjectEvent", day, **facts, **{"ocop:dispatch": said})


class Chain(People):
    """The first producer's L01 becomes a carton and the second producer's L01; all of them are sent to buyers."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.store = store
        with store.writing() as session:
            area = GrowingArea(name="Vuông tôm số 7", commune_id=self.communes[0], crop="shrimp_tiger")
            shop = SalePoint(name="Cửa hàng OCOP 1", kind="shop", shop_phone="0290 111 222")
            session.add_all([area, shop])
            session.flush()
            self.area, self.shop = area.id, shop.id
        self.mine, self.spare, self.theirs, _last = self.names
        self.put(
            event("ObjectEvent", 0, action="ADD", bizStep="receiving", quantityList=[amount(MATERIAL, 300)],
                  **{"ocop:input": {"name": "Tôm tươi", "supplier": "Vựa Ví Dụ", "household": "Hộ ông Bảy",
                                    "area": area_uri(self.area), "receivedOn": "2026-04-01", "document": "HD-1"}}),
            made(0.1, [area_uri(self.area)], [amount(MATERIAL, 300)]),
            event("ObjectEvent", 1, action="ADD", bizStep="commissioning", quantityList=[amount(self.mine, 100)]),
            made(1.1, [amount(MATERIAL, 300)], [self.mine]),
            event("AggregationEvent", 2, action="ADD", bizStep="packing", parentID=CARTON,
                  childQuantityList=[amount(self.mine, 10)]),
            sent(3, self.mine, "Chợ A", "0901 000 001", 20),
            sent(4, self.mine, "Cửa hàng OCOP 1", "", 15,
                 destinationList=[{"type": "possessing_party", "destination": sale_point_uri(self.shop)}]),
            sent(5, CARTON, "Đại lý B", "0901 000 002", None, readPoint={"id": producer_uri(self.producers[0])}),
        )  # fmt: skip
        self.put(
            event("ObjectEvent", 6, action="ADD", bizStep="commissioning", quantityList=[amount(self.theirs, 50)]),
            made(6.1, [amount(self.mine, 30)], [self.theirs]),
            sent(7, self.theirs, "Siêu thị C", "0901 000 003", 40),
        )  # fmt: skip

    def put(self, *events: Event, actor: Actor = SYSTEM) -> None:
        """Record events."""
        with self.store.writing() as session:
            capture.append(session, actor, events, source="test", context=CONTEXT)

    def spare_lot(self) -> str:
        """Another lot of the first producer, of which one event speaks."""
        self.put(observed(1, self.spare, "storing"))
        return self.spare

    def item(self, uri: str) -> int:
        """The row of a thing."""
        with self.store.reading() as session:
            return session.scalars(sa.select(TraceItem.id).where(TraceItem.uri == uri)).one()

    def state(self, uri: str) -> str:
        """What a thing is now: free, held or recalled."""
        with self.store.reading() as session:
            return session.scalars(sa.select(TraceItem.state).where(TraceItem.uri == uri)).one()

    def events(self) -> int:
        """How many events there are."""
        with self.store.reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(TraceEvent)) or 0
