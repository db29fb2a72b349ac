"""The whole record checked against its own chains: what was changed, taken out, put in or moved, and where first.

Rows are read once in their order; memory does not grow with their number. A check that was interrupted goes on from
a `Checkpoint`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.traceability import evidence, heads, merkle, redaction
from data.traceability.eventhash import event_hash
from data.traceability.heads import Head, HeadError
from data.traceability.matching import Fault, mismatches
from data.traceability.signing import BadSignature, PublicKey
from data.traceability.tables import ChainHead, EvidenceHead, LotLink, TraceEvent, TraceEventItem, TraceItem
from gis.errors import Refusal

CHUNK = 1_000
MOST_FAULTS = 20


class VerificationError(Refusal):
    """A check cannot be made."""


@dataclass
class Checkpoint:
    """How far a check has come, and what it carries to the next row."""

    row_id: int = 0
    row_hash: str = evidence.FIRST
    events: int = 0
    tree_size: int = 0
    tree_roots: list[str] = field(default_factory=list)


Progress = Callable[[Checkpoint], None]


def verify(
    session: Session,
    *,
    trusted: Mapping[str, PublicKey] | None = None,
    outside: Sequence[Head] = (),
    start: Checkpoint | None = None,
    progress: Progress | None = None,
) -> Iterator[Fault]:
    """Give every fault of the record in the order of its rows, then those of links and heads.

    `trusted` are public keys from elsewhere, `outside` heads that were kept outside the record. `progress` hears
    after each part how far the check has come. Raises VerificationError when there is nothing to check with.
    """
    key = _salt_key(session)
    at = start or Checkpoint()
    signed, faults = _signed_heads(session, trusted, outside)
    yield from _rows(session, key, at, signed, progress)
    yield from faults
    yield from _beyond(session, at, signed)
    yield from _links(session)


def verify_thing(session: Session, item_id: int) -> Iterator[Fault]:
    """Give the faults of the chain of one thing and of its events."""
    key = _salt_key(session)
    query = (
        sa.select(TraceEvent)
        .join(LotLink, LotLink.event_id == TraceEvent.id)
        .where(LotLink.item_id == item_id)
        .order_by(LotLink.position)
    )
    rows = list(session.scalars(query))
    for row in rows:
        yield from _contents(session, row, key)
    yield from mismatches(session, rows)
    yield from _links(session, item_id)


def _salt_key(session: Session) -> bytes:
    key = redaction.known_salt_key(session)
    if key is not None:
        return key
    if session.scalar(sa.select(sa.func.count()).select_from(TraceEvent)):
        raise VerificationError("Bản ghi có sự kiện nhưng mất khóa muối, nên không kiểm được mã dòng nào.")
    return b""


# ---- rows


def _rows(
    session: Session, key: bytes, at: Checkpoint, signed: Sequence[Head], progress: Progress | None
) -> Iterator[Fault]:
    """Check the chain of all events, and each event against its columns."""
    waiting = {head.sequence: head for head in signed if head.sequence > at.row_id}
    tree = merkle.Tree(at.tree_size, [bytes.fromhex(root) for root in at.tree_roots])
    while rows := _next_rows(session, at):
        for row in rows:
            misplaced = _place(session, row, at)
            if misplaced is not None:
                yield misplaced
            yield from _contents(session, row, key)
            tree.add(_bytes(row.row_hash))
            at.row_id, at.events = row.id, at.events + 1
            # The chain goes on from the row before one that was put in.
            if misplaced is None or (misplaced.kind, misplaced.row_id) != ("inserted", row.id):
                at.row_hash = row.row_hash
            head = waiting.pop(row.id, None)
            if head is not None:
                yield from _reached(head, at, tree)
                tree = merkle.Tree()
        yield from mismatches(session, rows)
        at.tree_size, at.tree_roots = tree.size, [root.hex() for root in tree.roots]
        session.expunge_all()
        if progress is not None:
            progress(at)


def _next_rows(session: Session, at: Checkpoint) -> Sequence[TraceEvent]:
    query = sa.select(TraceEvent).order_by(TraceEvent.id).limit(CHUNK)
    return session.scalars(query.where(TraceEvent.id > at.row_id) if at.events else query).all()


def _place(session: Session, row: TraceEvent, at: Checkpoint) -> Fault | None:
    """See whether the row follows the one before it, and tell what happened if it does not."""
    if row.previous_hash == at.row_hash:
        return None
    other = 0
    if row.previous_hash != evidence.FIRST:
        named = sa.select(TraceEvent.id).where(TraceEvent.row_hash == row.previous_hash).limit(1)
        found = session.scalar(named)
        if found is None:
            between = f"giữa dòng {at.row_id} và dòng {row.id}" if at.events else f"trước dòng {row.id}"
            sentence = f"Chuỗi bị hụt {between}: có dòng đã bị xóa, hoặc mã của dòng trước đã bị đổi."
            return Fault(row.id, "missing", sentence)
        other = found
    if other > row.id:
        return Fault(row.id, "reordered", _sentence(row.id, f"bị đổi chỗ: nó nối sau dòng {other}"))
    if not _goes_on(session, row):
        return Fault(row.id, "inserted", _sentence(row.id, "được chen vào chuỗi"))
    after = TraceEvent.id > other if other else TraceEvent.id < row.id
    first = session.scalar(sa.select(sa.func.min(TraceEvent.id)).where(after))
    return Fault(first, "inserted", _sentence(first, "được chen vào chuỗi"))


def _goes_on(session: Session, row: TraceEvent) -> bool:
    """Tell whether the chain goes on from a row: another follows it, or it is the end."""
    follows = sa.select(TraceEvent.id).where(TraceEvent.previous_hash == row.row_hash, TraceEvent.id > row.id)
    if session.scalar(follows.limit(1)) is not None:
        return True
    return session.scalar(sa.select(ChainHead.hash).limit(1)) == row.row_hash


def _contents(session: Session, row: TraceEvent, key: bytes) -> Iterator[Fault]:
    """Compare an event with its two hashes."""
    try:
        own = row.document.get("@context") or []
        true_hash = event_hash(
            row.document, [*(row.context or ()), *(own if isinstance(own, list) else [own])]
        )
        true_row = evidence.row_hash(
            row.previous_hash, row.hash, row.record_time, row.captured_by, row.document, row.context, key
        )
    except (Refusal, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, AssertionError):
        yield Fault(row.id, "document", _sentence(row.id, "có nội dung sự kiện không còn đọc được"))
        return
    if true_hash != row.hash:
        yield Fault(row.id, "document", _sentence(row.id, "có nội dung sự kiện hoặc mã CBV đã bị sửa"))
    elif row.record_time != evidence.whole_milliseconds(row.record_time):
        yield Fault(row.id, "record_time", _sentence(row.id, "có thời điểm ghi đã bị sửa"))
    elif true_row != row.row_hash:
        yield Fault(
            row.id,
            "row_hash",
            _sentence(row.id, "có thời điểm ghi, người ghi, nội dung hoặc mã dòng đã bị sửa"),
        )


def _sentence(row_id: int | None, what: str) -> str:
    return f"Dòng {row_id} {what}."


def _bytes(row_hash: str) -> bytes:
    """The hash as bytes; a spoilt one still takes its place in the tree."""
    try:
        return bytes.fromhex(row_hash)
    except ValueError:
        return row_hash.encode()


# ---- heads


def _signed_heads(
    session: Session, trusted: Mapping[str, PublicKey] | None, outside: Sequence[Head]
) -> tuple[list[Head], list[Fault]]:
    """Return the heads whose signatures are good, and faults of the others and of heads that were replaced."""
    keys = {**heads.known_keys(session), **(trusted or {})}
    kept = {head.day: head for head in outside}
    good, faults = {head.day: head for head in outside}, []
    for row in session.scalars(sa.select(EvidenceHead).order_by(EvidenceHead.day)):
        try:
            head = Head.read(row.signature, keys)
        except (BadSignature, HeadError) as error:
            faults.append(Fault(None, "signature", f"Đầu chuỗi ngày {row.day:%d/%m/%Y}: {error}"))
            continue
        stated = (row.day, row.sequence, row.events, row.row_hash, row.key_id)
        if stated != (head.day, head.sequence, head.events, head.row_hash, head.key_id):
            faults.append(Fault(None, "head", f"Đầu chuỗi ngày {row.day:%d/%m/%Y} khác với nội dung đã ký."))
        elif trusted is not None and head.key_id not in trusted:
            faults.append(
                Fault(
                    None, "signature", f"Đầu chuỗi ngày {row.day:%d/%m/%Y} ký bằng khóa không có trong tệp."
                )
            )
        elif head.day in kept and kept[head.day].row_hash != head.row_hash:
            faults.append(
                Fault(None, "head", f"Đầu chuỗi ngày {row.day:%d/%m/%Y} khác với bản đã giữ ngoài bản ghi.")
            )
        good.setdefault(head.day, head)
    present = set(session.scalars(sa.select(EvidenceHead.day)))
    faults += [
        Fault(None, "head", f"Bản ghi không còn đầu chuỗi ngày {day:%d/%m/%Y}.")
        for day in kept
        if day not in present
    ]
    return [good[day] for day in sorted(good)], faults


def _reached(head: Head, at: Checkpoint, tree: merkle.Tree) -> Iterator[Fault]:
    day = f"{head.day:%d/%m/%Y}"
    if at.row_hash != head.row_hash:
        yield Fault(at.row_id, "head", f"Dòng {at.row_id} không còn là dòng đã ký ngày {day}.")
    elif at.events != head.events:
        sentence = f"Đến dòng {at.row_id} có {at.events} sự kiện, nhưng ngày {day} đã ký {head.events}."
        yield Fault(at.row_id, "head", sentence)
    elif tree.root.hex() != head.tree_hash:
        yield Fault(at.row_id, "head", f"Các dòng đến dòng {at.row_id} khác với cây băm đã ký ngày {day}.")


def _beyond(session: Session, at: Checkpoint, signed: Sequence[Head]) -> Iterator[Fault]:
    """See whether heads name rows that are not there, and whether the end of the chain is where it is said to be."""
    present = set(
        session.scalars(sa.select(TraceEvent.id).where(TraceEvent.id.in_([h.sequence for h in signed])))
    )
    for head in signed:
        if head.sequence not in present:
            sentence = f"Bản ghi không còn dòng {head.sequence} mà đầu chuỗi ngày {head.day:%d/%m/%Y} đã ký."
            yield Fault(head.sequence, "head", sentence)
    end = session.scalar(sa.select(ChainHead.hash).order_by(ChainHead.id).limit(1))
    if (end or evidence.FIRST) != at.row_hash:
        yield Fault(
            at.row_id or None,
            "end",
            f"Chuỗi kết thúc ở dòng {at.row_id}, nhưng bản ghi ghi nhận một điểm cuối khác.",
        )


# ---- links


def _links(session: Session, item_id: int | None = None) -> Iterator[Fault]:
    """Check the chains of things: each link over the one before, every event of a thing in its chain."""
    columns = (LotLink.item_id, LotLink.position, LotLink.event_id, LotLink.previous_hash, LotLink.hash)
    query = (
        sa.select(*columns, TraceEvent.row_hash)
        .outerjoin(TraceEvent, TraceEvent.id == LotLink.event_id)
        .order_by(LotLink.item_id, LotLink.position)
    )
    if item_id is not None:
        query = query.where(LotLink.item_id == item_id)
    current, previous, expected, last_event = None, evidence.FIRST, 1, 0
    for link in session.execute(query, execution_options={"yield_per": CHUNK}):
        if link.item_id != current:
            current, previous, expected, last_event = link.item_id, evidence.FIRST, 1, 0
        what = _fault_of_link(link, previous, expected, last_event)
        if what is not None:
            yield Fault(
                link.event_id, "link", f"Mắt xích {link.position} của {_name(session, link.item_id)} {what}."
            )
        previous, expected, last_event = link.hash, link.position + 1, link.event_id
    yield from _unlinked(session, item_id)


def _fault_of_link(link: Any, previous: str, expected: int, last_event: int) -> str | None:
    if link.row_hash is None:
        return f"trỏ đến dòng {link.event_id} không còn trong bản ghi"
    if link.position != expected:
        return f"đứng sai chỗ: thiếu mắt xích {expected}"
    if link.event_id <= last_event:
        return "không theo thứ tự ghi"
    if link.previous_hash != previous or link.hash != evidence.link_hash(previous, link.row_hash):
        return f"không khớp với dòng {link.event_id}"
    return None


def _unlinked(session: Session, item_id: int | None) -> Iterator[Fault]:
    """Find events that name a thing but are not in its chain."""
    linked = sa.exists().where(
        LotLink.event_id == TraceEventItem.event_id, LotLink.item_id == TraceEventItem.item_id
    )
    query = sa.select(TraceEventItem.event_id, TraceEventItem.item_id).where(~linked).distinct()
    if item_id is not None:
        query = query.where(TraceEventItem.item_id == item_id)
    for event_id, thing in session.execute(query.order_by(TraceEventItem.event_id).limit(MOST_FAULTS)):
        yield Fault(event_id, "link", f"Chuỗi của {_name(session, thing)} thiếu dòng {event_id}.")


def _name(session: Session, item_id: int) -> str:
    return session.scalar(sa.select(TraceItem.uri).where(TraceItem.id == item_id)) or f"vật số {item_id}"


# ---- a checkpoint on disk


def as_json(at: Checkpoint) -> dict[str, Any]:
    """Write a checkpoint as JSON values."""
    return {**vars(at), "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}


def from_json(value: Any) -> Checkpoint:
    """Read a checkpoint back; raises VerificationError for anything else."""
    try:
        return Checkpoint(
            row_id=int(value["row_id"]),
            row_hash=str(value["row_hash"]),
            events=int(value["events"]),
            tree_size=int(value["tree_size"]),
            tree_roots=[bytes.fromhex(root).hex() for root in value["tree_roots"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError("Tệp ghi chỗ đang kiểm không đọc được; hãy xóa nó để kiểm từ đầu.") from error
