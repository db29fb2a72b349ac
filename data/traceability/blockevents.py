"""What is entered into a lot's dossier, written as EPCIS 2.0 events."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from data.text import fold
from data.traceability.identifiers import area_uri, lot_uri, producer_uri, sale_point_uri
from data.traceability.lots import Lot

CONTEXT: tuple[dict[str, str], ...] = ({"ocop": "urn:ocop:terms:"},)
ZONE = dt.timezone(dt.timedelta(hours=7))
OFFSET = "+07:00"
STEP_URI = "urn:ocop:step:"
SAMPLE_SERIAL = "MAU-"

Event = dict[str, Any]


@dataclass(frozen=True)
class Writing:
    """What the events of one entry share: the lot, when it happened, and the entry's own number.

    An entry that is sent twice has the same number, and so events with the same ids.
    """

    lot: Lot
    at: dt.datetime
    entry: uuid.UUID
    step: str | None = None
    serial: str | None = None

    @property
    def uri(self) -> str:
        """The canonical name of the lot."""
        return uri_of(self.lot)

    def event(self, number: int, kind: str, block: str, **more: Any) -> Event:
        """Return the event of a number within the entry, with what all events have."""
        made: Event = {
            "type": kind,
            "eventID": event_id(self.entry, number),
            "eventTime": self.at.astimezone(ZONE).isoformat(timespec="milliseconds"),
            "eventTimeZoneOffset": OFFSET,
            **more,
            "ocop:block": block,
            "ocop:entry": str(self.entry),
        }
        if self.lot.producer_id is not None:
            place = {"id": producer_uri(self.lot.producer_id)}
            made |= {"readPoint": place, "bizLocation": place}
        return made

    def quantity(self, values: Mapping[str, Any]) -> list[Event]:
        """Return the quantity list of the lot itself."""
        return [measured(self.uri, values.get("quantity"), values.get("uom"))]


def uri_of(lot: Lot, serial: str | None = None) -> str:
    """Return the canonical name of a lot, or of one sample of it."""
    return lot_uri(lot.product.gtin, lot.product_id, lot.lot_number, serial)


def event_id(entry: uuid.UUID, number: int) -> str:
    """Return the id of an event of an entry."""
    return f"urn:uuid:{uuid.uuid5(entry, str(number))}"


def run_of(lot: Lot) -> str:
    """Return the name of a lot's production run, which joins inputs that are recorded at different hours."""
    return f"urn:ocop:run:{lot.id}"


def material_uri(lot: Lot, entry: uuid.UUID) -> str:
    """Return the name of a delivery of material."""
    return f"urn:ocop:material:{lot.producer_id or 0}:{entry.hex[:12]}"


def party_uri(lot: Lot, *facts: str | None) -> str:
    """Return a name for somebody outside the record: the same facts told by the same producer, the same name."""
    told = "|".join(fold(fact or "") for fact in facts)
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:ocop:party:{lot.producer_id}:{told}')}"


def measured(uri: str, quantity: float | None, uom: str | None) -> Event:
    """Return a quantity element; pieces go without a unit, as the standard has it."""
    made: Event = {"epcClass": uri}
    if quantity is not None:
        made["quantity"] = quantity
        if uom and uom != "EA":
            made["uom"] = uom
    return made


def opened(writing: Writing, facts: Mapping[str, Any], profile: str) -> Event:
    """Return the event that makes the lot: `facts` are the fields of the identity."""
    named = {f"ocop:{name}": value for name, value in facts.items() if name not in ("quantity", "uom")}
    return writing.event(
        0,
        "ObjectEvent",
        "identity",
        action="ADD",
        bizStep="commissioning",
        disposition="active",
        quantityList=writing.quantity(facts),
        ilmd={"ocop:lotNumber": writing.lot.lot_number, "ocop:profile": profile, **named},
    )


def area_inputs(
    writing: Writing, areas: Sequence[tuple[int, str]], received_on: dt.date | None
) -> list[Event]:
    """Return an event for each growing area, given by id and name, that the lot's material came from."""
    return [
        _transformation(
            writing,
            number,
            [measured(area_uri(key), None, None)],
            {"name": name, "role": "main", "area": area_uri(key), **_on(received_on)},
        )
        for number, (key, name) in enumerate(areas, start=1)
    ]


def events_of_entry(writing: Writing, block: str, values: Mapping[str, Any]) -> list[Event]:
    """Return the events of what was entered into a block; KeyError for a block that is not entered like this."""
    return _MAKERS[block](writing, values)


def release_event(writing: Writing, decided_by: str, remark: str) -> Event:
    """Return the event that lets the lot go out."""
    facts = {"decidedBy": decided_by, **({"remark": remark} if remark else {})}
    return writing.event(
        0, "ObjectEvent", "release", action="OBSERVE", bizStep="inspecting",
        disposition="sellable_not_accessible", quantityList=[measured(writing.uri, None, None)],
        **{"ocop:release": facts},
    )  # fmt: skip


def declaration(event: Mapping[str, Any], corrective: Sequence[str], reason: str, at: dt.datetime) -> Event:
    """Return the declaration that an event was wrong: the event once more, with why and what stands instead."""
    said: Event = {
        "declarationTime": at.astimezone(ZONE).isoformat(timespec="milliseconds"),
        "reason": "incorrect_data" if corrective else "did_not_occur",
        "ocop:reason": reason,
    }
    if corrective:
        said["correctiveEventIDs"] = list(corrective)
    return {**event, "errorDeclaration": said}


# ---- one maker for each block


def _on(day: dt.date | None) -> dict[str, str]:
    return {"receivedOn": day.isoformat()} if day else {}


def _transformation(
    writing: Writing, number: int, inputs: list[Event], facts: Mapping[str, Any] | None
) -> Event:
    extension = {"ocop:input": dict(facts)} if facts else {}
    return writing.event(
        number, "TransformationEvent", "input", bizStep="creating_class_instance",
        transformationID=run_of(writing.lot), inputQuantityList=inputs,
        outputQuantityList=[measured(writing.uri, None, None)], **extension,
    )  # fmt: skip


def _input(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    """A lot of this record goes in as itself; anything else is received as a delivery, from its area if it has one."""
    facts = {k: v for k, v in values.items() if k not in ("quantity", "uom", "sourceLot")}
    quantity, uom = values.get("quantity"), values.get("uom")
    source = values.get("sourceLot")
    if source:
        return [_transformation(writing, 0, [measured(source, quantity, uom)], facts)]
    material = material_uri(writing.lot, writing.entry)
    received = writing.event(
        0, "ObjectEvent", "input", action="ADD", bizStep="receiving", disposition="in_progress",
        quantityList=[measured(material, quantity, uom)], **{"ocop:input": facts},
    )  # fmt: skip
    if values.get("supplier") or values.get("household"):
        giver = party_uri(writing.lot, values.get("supplier"), values.get("household"))
        received["sourceList"] = [{"type": "possessing_party", "source": giver}]
    made = [received]
    if values.get("area"):
        made.append(
            writing.event(
                1, "TransformationEvent", "input", bizStep="creating_class_instance",
                inputQuantityList=[measured(values["area"], None, None)],
                outputQuantityList=[measured(material, quantity, uom)],
            )
        )  # fmt: skip
    return [*made, _transformation(writing, 2, [measured(material, quantity, uom)], None)]


def _step(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {"code": writing.step, **values}
    return [
        writing.event(
            0, "ObjectEvent", "step", action="OBSERVE", bizStep=f"{STEP_URI}{writing.step}",
            disposition="in_progress", quantityList=[measured(writing.uri, None, None)], **{"ocop:step": facts},
        )
    ]  # fmt: skip


def _test(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    verdict = (
        "conformant" if all(r["verdict"] == "conformant" for r in values["results"]) else "non_conformant"
    )
    facts = {**{k: v for k, v in values.items() if k != "file"}, "verdict": verdict}
    if values.get("file"):
        facts |= {"reportSha256": values["file"]["sha256"], "media": values["file"]}
    report = {"type": "testres", "bizTransaction": f"urn:ocop:testres:{quote(values['report'], safe='')}"}
    return [
        writing.event(
            0, "ObjectEvent", "test", action="OBSERVE", bizStep="inspecting", disposition=verdict,
            quantityList=[measured(writing.uri, None, None)], bizTransactionList=[report], **{"ocop:test": facts},
        )
    ]  # fmt: skip


def _sample(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    assert writing.serial is not None
    return [
        writing.event(
            0, "ObjectEvent", "sample", action="OBSERVE", bizStep="sampling",
            epcList=[uri_of(writing.lot, writing.serial)], quantityList=writing.quantity(values),
            **{"ocop:sample": dict(values)},
        )
    ]  # fmt: skip


def _disposal(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {k: v for k, v in values.items() if k != "sample"}
    return [
        writing.event(
            0, "ObjectEvent", "sample_disposal", action="DELETE", bizStep="destroying", disposition="destroyed",
            epcList=[values["sample"]], **{"ocop:sample": facts},
        )
    ]  # fmt: skip


def _packing(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {("label" if k == "file" else k): v for k, v in values.items()}
    return [
        writing.event(
            0, "ObjectEvent", "packing", action="OBSERVE", bizStep="packing",
            quantityList=[measured(writing.uri, None, None)], **{"ocop:packing": facts},
        )
    ]  # fmt: skip


def _dispatch(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {k: v for k, v in values.items() if k not in ("quantity", "uom", "salePoint")}
    shop = values.get("salePoint")
    buyer = (
        sale_point_uri(int(shop)) if shop else party_uri(writing.lot, values["customer"], values.get("phone"))
    )
    return [
        writing.event(
            0, "ObjectEvent", "dispatch", action="OBSERVE", bizStep="shipping", disposition="in_transit",
            quantityList=writing.quantity(values),
            destinationList=[{"type": "possessing_party", "destination": buyer}], **{"ocop:dispatch": facts},
        )
    ]  # fmt: skip


def _return(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {k: v for k, v in values.items() if k not in ("quantity", "uom")}
    return [
        writing.event(
            0, "ObjectEvent", "return", action="OBSERVE", bizStep="receiving", disposition="returned",
            quantityList=writing.quantity(values), **{"ocop:return": facts},
        )
    ]  # fmt: skip


def _waste(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    facts = {k: v for k, v in values.items() if k not in ("quantity", "uom")}
    return [
        writing.event(
            0, "ObjectEvent", "waste", action="DELETE", bizStep="destroying", disposition="destroyed",
            quantityList=writing.quantity(values), **{"ocop:waste": facts},
        )
    ]  # fmt: skip


def _complaint(writing: Writing, values: Mapping[str, Any]) -> list[Event]:
    return [
        writing.event(
            0, "ObjectEvent", "complaint", action="OBSERVE", bizStep="other",
            quantityList=[measured(writing.uri, None, None)], **{"ocop:complaint": dict(values)},
        )
    ]  # fmt: skip


_MAKERS = {
    "input": _input,
    "step": _step,
    "test": _test,
    "sample": _sample,
    "sample_disposal": _disposal,
    "packing": _packing,
    "dispatch": _dispatch,
    "return": _return,
    "waste": _waste,
    "complaint": _complaint,
}
