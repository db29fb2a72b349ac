"""`GET /trace`: where a lot came from and where it went, with what a recall of it would need.

EPCIS has no such call; the answer is ours: nodes, edges, recall and whether it was cut short. Anybody gets the nodes
of published lots; amounts, buyers and suppliers are given only from events that the caller sees.
"""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from data.accounts import Actor
from data.programme.rights import seen
from data.traceability import graph, lookup
from data.traceability.graph import Node, Trace
from data.traceability.identifiers import IdentifierError
from data.traceability.items import chunks
from data.traceability.joining import Edge
from data.traceability.lookup import Named
from data.traceability.sheet import Sheet, Shipment, Supplier, sheet
from data.traceability.stock import Stock
from data.traceability.tables import TraceEvent
from services import context
from services.errors import BadRequest, Missing
from services.parameters import integer, refuse_unknown

blueprint = Blueprint("trace", __name__)
DEEPEST = 200
DIRECTIONS = ("back", "forward", "both")


@blueprint.get("/trace")
def trace() -> Response:
    """Answer with the trace of `lot`: a name, an address, a path, a lot number or the number of a lot's row."""
    refuse_unknown({"lot", "dir", "depth"})
    text = request.args.get("lot", "").strip()
    if not text:
        raise BadRequest("Hãy cho biết lô bằng tham số lot.", parameter="lot")
    direction = request.args.get("dir", "both")
    if direction not in DIRECTIONS:
        raise BadRequest("Tham số “%(parameter)s” phải là back, forward hoặc both.", parameter="dir")
    depth = integer("depth", DEEPEST, minimum=1, maximum=DEEPEST)
    session, actor = context.session(), context.actor()
    try:
        answer = document(
            session, actor, lookup.named(session, actor, text), direction=direction, depth=depth
        )
    except IdentifierError as error:
        raise BadRequest(error.message, **{**error.facts, "parameter": "lot"}) from error  # type: ignore[arg-type]
    except (lookup.NoSuchLot, graph.Unknown) as error:
        raise Missing(error.message, **error.facts) from error
    response = Response(orjson.dumps(answer), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    return response


def document(
    session: Session, actor: Actor, named: Named, *, direction: str = "both", depth: int = DEEPEST
) -> dict[str, Any]:
    """Return the answer as JSON values: lot, start, nodes, edges, recall, truncated.

    `recall` is null for those who see no event of the chain. A lot without events is a single node. Quantities come
    with UN/ECE unit codes, moments with their zone (UTC), places as [lon, lat]. Raises graph.Unknown.
    """
    if named.item is None:
        return {"lot": named.uri, "start": None, "nodes": [], "edges": [], "recall": None, "truncated": False}
    found = graph.trace(session, actor, named.uri, direction=direction, depth=depth)
    told = seen_events(session, actor, found)
    amounts = {key for e in found.edges if e.event_id in told for key in (e.source, e.target)}
    whole = sheet(session, actor, named.item)
    return {
        "lot": named.uri,
        "start": found.start,
        "nodes": [_node(node, with_amount=node.id in amounts) for node in found.nodes],
        "edges": [_edge(edge, with_amount=edge.event_id in told) for edge in found.edges],
        "recall": _recall(whole) if whole.is_insider else None,
        "truncated": found.truncated or whole.truncated,
    }


def seen_events(session: Session, actor: Actor, found: Trace) -> set[int]:
    """Return which of the events behind the edges of a trace the actor sees."""
    query = sa.select(TraceEvent.id).where(seen(actor, TraceEvent))
    ids = {edge.event_id for edge in found.edges}
    return {key for part in chunks(ids) for key in session.scalars(query.where(TraceEvent.id.in_(part)))}


def _node(node: Node, *, with_amount: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": node.id, "kind": node.kind, "direction": node.direction, "depth": node.depth, "open": node.is_open,
    }  # fmt: skip
    if not node.is_open:
        return told
    place = None if node.lon is None or node.lat is None else [node.lon, node.lat]
    return told | {
        "uri": node.uri,
        "state": node.state,
        "name": node.name,
        "lotId": node.lot_id,
        "lotNumber": node.lot_number,
        "product": _pair(node.product_id, node.product),
        "producer": _pair(node.producer_id, node.producer),
        "growingAreaId": node.area_id,
        "place": place,
        "share": node.share,
        "quantity": node.quantity if with_amount else None,
        "uom": node.uom if with_amount else None,
    }


def _pair(key: int | None, name: str | None) -> dict[str, Any] | None:
    return None if key is None else {"id": key, "name": name}


def _edge(edge: Edge, *, with_amount: bool) -> dict[str, Any]:
    told = {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind,
        "from": edge.starts_at.isoformat(),
        "until": edge.ends_at.isoformat() if edge.ends_at else None,
        "share": edge.share,
        "outOfOrder": edge.out_of_order,
    }
    if with_amount:
        told |= {
            "quantityIn": edge.quantity_in, "uomIn": edge.uom_in,
            "quantityOut": edge.quantity_out, "uomOut": edge.uom_out,
        }  # fmt: skip
    return told


def _recall(found: Sheet) -> dict[str, Any]:
    return {
        "shipped": [_shipment(one) for one in found.shipped],
        "open": [*map(_shipment, found.stoppable), *map(_stock, found.lots)],
        "onHand": [] if found.on_hand is None else [_stock(found.on_hand)],
        "suppliers": [_supplier(one) for one in found.suppliers],
        "hiddenLots": found.hidden,
    }


def _shipment(one: Shipment) -> dict[str, Any]:
    return {
        "kind": "shipment", "item": one.item, "name": one.name, "product": one.product,
        "sentAt": one.sent_at.isoformat(), "customer": one.customer, "phone": one.phone, "address": one.address,
        "vehicle": one.vehicle, "document": one.document, "quantity": one.quantity, "uom": one.uom,
        "where": one.place,
    }  # fmt: skip


def _stock(one: Stock) -> dict[str, Any]:
    return {
        "kind": "stock", "item": one.item, "name": one.name, "quantity": one.left, "uom": one.uom,
        "parts": dict(one.parts),
    }  # fmt: skip


def _supplier(one: Supplier) -> dict[str, Any]:
    return {
        "item": one.item, "material": one.material, "supplier": one.name, "household": one.household,
        "growingAreaId": one.area_id, "receivedOn": one.received_on, "quantity": one.quantity, "uom": one.uom,
        "document": one.document,
    }  # fmt: skip
