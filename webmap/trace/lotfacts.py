"""What the public page of a lot shows, gathered from the record as anybody may see it, whoever is asking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from data.accounts import PUBLIC
from data.programme import standards
from data.programme.tables import ProductStandard
from data.store import Session
from data.traceability import journey, scans
from data.traceability.identifiers import IdentifierError, lot_uri
from data.traceability.journey import Journey, PublicEvent
from data.traceability.lots import Lot
from data.traceability.profiles import NoLots, Profile, blocks, profile_for
from data.traceability.tables import HELD, RECALLED, RecallAct, TraceItem
from layers import catalogue, read
from layers.filters import Ids
from layers.related import AroundProduct, Relations
from services import context
from webmap.public.lists import english_names
from webmap.trace import journeymap

MOST_SHOPS = 6
SAMPLE = "MAU-"
#: Which kind of event shows that a block of the dossier was filled in.
_SHOWN_BY: Mapping[str, str] = {"test": "tested", "sample": "sampled", "packing": "packed"}


@dataclass(frozen=True)
class Gap:
    """Something that the dossier of such goods should hold, and does not."""

    title: Mapping[str, str]
    is_step: bool


@dataclass(frozen=True)
class Serial:
    """How the number of a single jar stands."""

    number: str
    uri: str
    state: str
    counts: scans.Counts


@dataclass(frozen=True)
class LotFacts:
    """Everything that the page shows of a lot."""

    lot: Lot
    uri: str | None
    around: AroundProduct
    way: Journey
    profile: Profile | None
    gaps: list[Gap]
    act: RecallAct | None
    areas: list[dict[str, Any]]
    shops: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    standards: list[ProductStandard]
    drawing: journeymap.JourneyMap | None
    counts: scans.Counts

    @property
    def is_stopped(self) -> bool:
        """Tell whether the lot must not be sold."""
        return self.lot.lot_status in (HELD, RECALLED)

    def is_expired(self, today: dt.date) -> bool:
        """Tell whether the lot is past its date."""
        return self.lot.expires_on is not None and self.lot.expires_on < today

    def step_title(self, event: PublicEvent, lang: str) -> str:
        """Name the processing step of an event."""
        known = {s.code: s.title for s in self.profile.steps} if self.profile else {}
        title = known.get(event.step or "")
        return title[lang] if title else (event.step or "").replace("_", " ")

    def analyte(self, code: str, lang: str) -> str:
        """Name what was tested."""
        known = {t.code: t.title for t in self.profile.tests} if self.profile else {}
        return known[code][lang] if code in known else code.replace("_", " ")


def gather(session: Session, lot: Lot) -> LotFacts | None:
    """Gather the facts of a lot; None where its product is not to be seen."""
    around = Relations(session, context.actor()).of_product(lot.product_id)
    if around is None:
        return None
    way = journey.of_lot(session, lot)
    profile = _profile(lot)
    areas = _rows(session, "growing_areas", list(way.areas), ("name", "crop", "code_summary", "commune_name"))
    shop_ids = [row["id"] for row in around.sale_points.rows][:MOST_SHOPS]
    shops = _rows(session, "sale_points", shop_ids, ("name", "address", "opening_hours", "shop_phone"))
    return LotFacts(
        lot=lot,
        uri=uri_of(lot),
        around=around,
        way=way,
        profile=profile,
        gaps=_gaps(profile, way),
        act=journey.open_act(session, lot.id),
        areas=areas,
        shops=shops,
        sources=_sources(session, way),
        standards=standards.in_use(session, lot.product_id),
        drawing=journeymap.draw(
            session,
            {row["name"]: row["shape"] for row in areas},
            _workshop(lot),
            [(row["name"], row["shape"]) for row in shops],
        ),
        counts=scans.of_lot(session, lot.id),
    )


def uri_of(lot: Lot, serial: str | None = None) -> str | None:
    """Return the canonical name of a lot or of one jar, or None where the number can be no name."""
    try:
        return lot_uri(lot.product.gtin, lot.product_id, lot.lot_number, serial)
    except IdentifierError:
        return None


def serial_of(session: Session, lot: Lot, number: str) -> Serial | None:
    """Say how the number of a jar stands: known, unknown, copied (by its scans), a sample; None for no number."""
    uri = uri_of(lot, number) if 0 < len(number) <= 20 else None
    if uri is None:
        return None
    items = {row.uri: row.kind for row in session.query(TraceItem).where(TraceItem.lot_id == lot.id)}
    numbered = [name for name, kind in items.items() if kind == "instance" and SAMPLE not in name]
    counts = scans.of_code(session, uri)
    if number.startswith(SAMPLE):
        state = "sample"
    elif numbered and uri not in items:
        state = "unknown"
    elif scans.is_suspicious(session, uri, counts):
        state = "copied"
    else:
        state = "known" if uri in items else "plain"
    return Serial(number, uri, state, counts)


def _profile(lot: Lot) -> Profile | None:
    product = lot.product
    try:
        return profile_for(product.product_set, product.name, lot.produced_on or dt.date.today())
    except NoLots:
        return None


def _gaps(profile: Profile | None, way: Journey) -> list[Gap]:
    """List what the profile asks for before a lot is released, and no event tells of, in the profile's order."""
    if profile is None:
        return []
    have = {event.kind for event in way.events}
    steps = {event.step for event in way.events if event.step}
    found = []
    if profile.blocks.get("input") and "received" not in have and not way.areas and not way.sources:
        found.append(Gap(blocks()["input"].title, False))
    for step in profile.steps:
        packed = step.code == "packing_step" and "packed" in have
        if step.required and step.code not in steps and not packed:
            found.append(Gap(step.title, True))
    for block, kind in _SHOWN_BY.items():
        if profile.blocks.get(block) in ("open", "release") and kind not in have:
            found.append(Gap(blocks()[block].title, False))
    return found


def _rows(session: Session, layer_id: str, ids: list[int], fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """Read rows of a layer as the public sees them, with their shapes."""
    if not ids:
        return []
    found = read.rows(
        session, read.Query(catalogue.layer(layer_id), PUBLIC, where=Ids(tuple(ids)), fields=fields)
    )
    shapes = [None if wkb is None else shapely.from_wkb(wkb) for wkb in found.wkb]
    return [{**row, "shape": shape} for row, shape in zip(found.records(), shapes, strict=True)]


def _sources(session: Session, way: Journey) -> list[dict[str, Any]]:
    rows = _rows(session, "lots", list(way.sources), ("lot_number", "product_name", "producer_name"))
    english_names(rows)
    return rows


def _workshop(lot: Lot) -> tuple[str, Any] | None:
    """Where the lot was made, as far as the record knows."""
    producer = lot.producer
    place = lot.geom or (producer.geom if producer else None) or lot.product.geom
    return (producer.name if producer else lot.product.name, place) if place is not None else None
