"""Acts on lots that change their row as well as their dossier, both in one transaction: open, correct, release.

What a lot is called and how much of it there is follows from these acts; after the release only a correction with a
reason changes it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.accounts import Actor, Role, visible
from data.base import DRAFT, PUBLISHED, now
from data.growing_areas import GrowingArea
from data.products import Product
from data.programme.rights import NotYours, row_acted_on, seen
from data.traceability import blockevents, capture, checklist, lotnumbers, recording, schemas
from data.traceability.blockevents import CONTEXT, Writing
from data.traceability.dossier import OPEN, Dossier, DossierError, dossier_of, lot_seen
from data.traceability.lots import Lot, LotGrowingArea
from data.traceability.measures import uom_of
from data.traceability.profiles import blocks, profile_for
from data.traceability.tables import TraceEvent, TraceEventItem, TraceItem
from layers import acts, catalogue
from layers.edit import Edits

SOURCE = "dossier"


@dataclass(frozen=True)
class NewLot:
    """What somebody says of a lot when it is begun."""

    product_id: int
    lot_number: str
    produced_on: dt.date
    expires_on: dt.date | None
    quantity: float
    unit: str
    area_ids: tuple[int, ...] = ()
    shift: str = ""
    packaging: str = ""
    facility: str = ""


@dataclass(frozen=True)
class Opened:
    """A lot that was begun; `same_number` are other lots of the producer and year with its number."""

    lot_id: int
    same_number: tuple[Lot, ...] = ()
    known: bool = False


def open_lot(
    session: Session, actor: Actor, facts: NewLot, *, today: dt.date, entry: uuid.UUID | None = None
) -> Opened:
    """Begin a lot: its row, the event that makes it and its growing areas. `entry` numbers the form that was sent.

    Raises NotYours, NoLots, LotNumberError, Faulty or DossierError.
    """
    number = entry or uuid.uuid4()
    before = _lot_of_entry(session, actor, number)
    if before is not None:
        return Opened(before, known=True)
    product = row_acted_on(session, actor, Product, facts.product_id)
    profile = profile_for(product.product_set, product.name, facts.produced_on)
    told = _identity(facts)
    schemas.check(profile, "identity", told)
    _check(facts, today)
    lot = _insert(session, actor, product, facts)
    areas = _areas(session, actor, facts.area_ids)
    share = round(1 / len(areas), 3) if areas else None
    session.add_all(LotGrowingArea(lot_id=lot.id, growing_area_id=key, share=share) for key, _ in areas)
    session.flush()
    writing = Writing(lot, _moment(facts.produced_on, today), number)
    events = [
        blockevents.opened(writing, {**told, "uom": uom_of(facts.unit)}, profile.id),
        *blockevents.area_inputs(writing, areas, facts.produced_on),
    ]
    capture.append(session, actor, events, source=SOURCE, context=CONTEXT)
    return Opened(lot.id, tuple(lotnumbers.used_by_producer(session, lot)))


def release_lot(
    session: Session,
    actor: Actor,
    lot_id: int,
    *,
    remark: str = "",
    today: dt.date,
    entry: uuid.UUID | None = None,
) -> None:
    """Let a lot go out: what its profile requires is there and no test failed. Raises NotYours or NotReady."""
    lot = _own(session, actor, lot_id)
    dossier = dossier_of(session, actor, lot)
    checklist.must_be_ready(dossier, today)
    event = blockevents.release_event(Writing(lot, now(), entry or uuid.uuid4()), actor.name, remark.strip())
    capture.append(session, actor, [event], source=SOURCE, context=CONTEXT)
    _show(session, actor, lot, {"lot_status": "released", "status": PUBLISHED}, reason=remark)


def withdraw_release(session: Session, actor: Actor, lot_id: int, *, reason: str) -> None:
    """Take a release back that should not have been: the lot is open again, unless some of it went out."""
    lot = _own(session, actor, lot_id)
    dossier = dossier_of(session, actor, lot)
    found = dossier.last("release")
    if found is None:
        raise DossierError("Lô chưa được xuất xưởng.")
    if dossier.of("dispatch"):
        raise DossierError("Lô đã giao cho khách nên không rút lại được; hãy tạm giữ hoặc thu hồi lô.")
    if dossier.is_stopped:
        raise DossierError("Lô đang bị tạm giữ hoặc thu hồi; hãy giải quyết việc đó trước.")
    recording.replace(session, actor, found, [], reason)
    _show(session, actor, lot, {"lot_status": OPEN, "status": DRAFT}, reason=reason)


def correct_identity(
    session: Session,
    actor: Actor,
    lot_id: int,
    changed: Mapping[str, Any],
    *,
    reason: str,
    today: dt.date,
    entry: uuid.UUID | None = None,
) -> None:
    """Change what a lot says of itself: the old event is declared wrong, a new one stands instead.

    `changed` holds fields of the identity by name; the lot number is the lot's name and stays.
    """
    lot = _own(session, actor, lot_id)
    dossier = dossier_of(session, actor, lot)
    found = dossier.identity
    if found is None:
        raise DossierError("Lô có trước khi dùng hồ sơ sự kiện; không có sự kiện nào để đính chính.")
    names = {ask.name for ask in schemas.asked_of(blocks()["identity"], dossier.profile, None).values()}
    told = {name: value for name, value in found.values.items() if name in names}
    told = {name: value for name, value in {**told, **changed}.items() if value not in (None, "")}
    schemas.check(dossier.profile, "identity", told)
    facts = NewLot(
        lot.product_id, lot.lot_number, dt.date.fromisoformat(told["productionDate"]),
        _day(told.get("expirationDate")), told["quantity"], told["unit"],
    )  # fmt: skip
    _check(facts, today)
    writing = Writing(lot, found.at, entry or uuid.uuid4())
    event = blockevents.opened(writing, {**told, "uom": uom_of(facts.unit)}, dossier.profile.id)
    recording.replace(session, actor, found, [event], reason)
    _show(
        session, actor, lot,
        {"produced_on": facts.produced_on, "expires_on": facts.expires_on, "quantity": facts.quantity,
         "unit": facts.unit},
        reason=reason,
    )  # fmt: skip


def like_last(session: Session, actor: Actor, product_id: int) -> tuple[Lot | None, Dossier | None]:
    """Return the latest lot of a product that the actor sees, with its dossier, to begin another like it."""
    query = sa.select(Lot).where(Lot.product_id == product_id, seen(actor, Lot))
    lot = session.scalars(query.order_by(Lot.produced_on.desc(), Lot.id.desc()).limit(1)).first()
    return (None, None) if lot is None else (lot, dossier_of(session, actor, lot))


# ---- details


def _own(session: Session, actor: Actor, lot_id: int) -> Lot:
    lot = lot_seen(session, actor, lot_id)
    if not recording.may_write(session, actor, lot):
        raise NotYours("Bạn không giữ hồ sơ của lô này.")
    return lot


def _identity(facts: NewLot) -> dict[str, Any]:
    told = {
        "quantity": facts.quantity,
        "unit": facts.unit,
        "productionDate": facts.produced_on.isoformat(),
        "expirationDate": facts.expires_on.isoformat() if facts.expires_on else None,
        "shift": facts.shift,
        "packaging": facts.packaging,
        "facility": facts.facility,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def _check(facts: NewLot, today: dt.date) -> None:
    if facts.produced_on > today:
        raise DossierError("Ngày sản xuất không thể sau hôm nay.")
    if facts.expires_on is not None and facts.expires_on < facts.produced_on:
        raise DossierError("Hạn sử dụng phải sau ngày sản xuất.")
    if facts.quantity <= 0:
        raise DossierError("Số lượng của lô phải lớn hơn 0.")


def _insert(session: Session, actor: Actor, product: Product, facts: NewLot) -> Lot:
    # Producers may not edit the layer, but they begin lots of their own products: that right was checked.
    edits = Edits(session, dataclasses.replace(actor, role=Role.ADMINISTRATOR), SOURCE)
    row_id = edits.insert(
        catalogue.layer("lots"),
        {
            "lot_number": lotnumbers.free_number(session, product.id, facts.lot_number),
            "product_id": product.id,
            "produced_on": facts.produced_on,
            "expires_on": facts.expires_on,
            "quantity": facts.quantity,
            "unit": facts.unit,
        },
        product.geom,
        decided={
            "producer_id": product.producer_id,
            "commune_id": product.commune_id,
            "lot_status": OPEN,
            "status": DRAFT,
        },
    )
    edits.finish()
    return session.get_one(Lot, row_id)


def _show(session: Session, actor: Actor, lot: Lot, facts: Mapping[str, Any], *, reason: str) -> None:
    acts.show(session, actor, "lots", {lot.id: facts}, source=SOURCE, reason=reason or None)


def _areas(session: Session, actor: Actor, ids: Sequence[int]) -> list[tuple[int, str]]:
    query = sa.select(GrowingArea.id, GrowingArea.name).where(
        GrowingArea.id.in_(list(ids)), visible(actor, GrowingArea)
    )
    found = {key: name for key, name in session.execute(query)}
    if len(found) != len(set(ids)):
        raise DossierError("Không có vùng trồng này; hãy chọn trong danh sách.")
    return [(key, found[key]) for key in dict.fromkeys(ids)]


def _lot_of_entry(session: Session, actor: Actor, entry: uuid.UUID) -> int | None:
    """Return the lot that the same form has begun already."""
    query = (
        sa.select(TraceItem.lot_id)
        .join(TraceEventItem, TraceEventItem.item_id == TraceItem.id)
        .join(TraceEvent, TraceEvent.id == TraceEventItem.event_id)
        .where(TraceEvent.event_id == blockevents.event_id(entry, 0), seen(actor, TraceEvent))
    )
    return session.scalars(query.limit(1)).first()


def _moment(day: dt.date, today: dt.date) -> dt.datetime:
    """A lot that is begun today is begun now; one from before, in the morning of its day."""
    if day >= today:
        return now()
    return dt.datetime.combine(day, dt.time(7), blockevents.ZONE)


def _day(text: Any) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
