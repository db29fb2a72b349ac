"""Signed heads: the state of the chain of a day, which can be kept where the operator cannot rewrite it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.base import now
from data.record_facts import all_facts
from data.store import Store
from data.tables import RecordFact
from data.traceability import evidence, merkle, signing
from data.traceability.signing import PublicKey, SigningError, SigningKey
from data.traceability.tables import EvidenceHead, TraceEvent
from gis.errors import Refusal

TIME_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEY_FACT = "evidence_key:"
FINGERPRINT_GROUPS = 5


class HeadError(Refusal):
    """A head or a file of heads cannot be read."""


@dataclass(frozen=True)
class Head:
    """What a signed head says: the rows after `after` up to `sequence`, their tree, and the last row's hash."""

    day: dt.date
    after: int
    sequence: int
    events: int
    row_hash: str
    tree_hash: str
    made_at: dt.datetime
    key_id: str
    signed: str

    @property
    def fingerprint(self) -> str:
        """A short form for paper, with the day."""
        return f"{self.day:%d/%m/%Y} · {fingerprint(self.row_hash)}"

    @classmethod
    def read(cls, signed: str, keys: dict[str, PublicKey]) -> Self:
        """Open a signed head; raises BadSignature, or HeadError when the key or the text is unknown."""
        key = keys.get(key_id_of(signed))
        if key is None:
            raise HeadError("Không có khóa công khai nào để kiểm chữ ký của đầu chuỗi.")
        return cls.from_payload(key.opened(signed), key.id, signed)

    @classmethod
    def from_payload(cls, payload: dict[str, Any], key_id: str, signed: str) -> Self:
        """Read what was signed; raises HeadError when it is no head."""
        try:
            return cls(
                day=dt.date.fromisoformat(payload["day"]),
                after=int(payload["after"]),
                sequence=int(payload["sequence"]),
                events=int(payload["events"]),
                row_hash=str(payload["rowHash"]),
                tree_hash=str(payload["treeHash"]),
                made_at=dt.datetime.fromisoformat(payload["madeAt"]),
                key_id=key_id,
                signed=signed,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise HeadError("Nội dung đã ký không phải là đầu chuỗi.") from error

    @property
    def payload(self) -> dict[str, Any]:
        """What is signed."""
        return {
            "day": self.day.isoformat(),
            "after": self.after,
            "sequence": self.sequence,
            "events": self.events,
            "rowHash": self.row_hash,
            "treeHash": self.tree_hash,
            "madeAt": evidence.moment_text(self.made_at),
        }


def fingerprint(row_hash: str) -> str:
    """Return the first 80 bits of a hash in groups that can be read aloud."""
    return " ".join(row_hash[4 * k : 4 * k + 4] for k in range(FINGERPRINT_GROUPS))


def key_id_of(signed: str) -> str:
    """Return the id of the key that a signed text names."""
    try:
        return str(json.loads(signing.decoded(signed.partition(".")[0]))["kid"])
    except (ValueError, KeyError, TypeError):
        return ""


# ---- making


def sign_due(store: Store, key_path: Path, at: dt.datetime | None = None) -> Head | None:
    """Sign the head of today unless there is one or nothing was added; the key is made when first needed."""
    moment = evidence.whole_milliseconds(at or now())
    with store.reading() as session:
        if not _is_due(session, moment):
            return None
    key = signing.kept_key(key_path)
    with store.writing() as session:
        return _sign(session, key, moment) if _is_due(session, moment) else None


def _is_due(session: Session, moment: dt.datetime) -> bool:
    last = session.execute(
        sa.select(EvidenceHead.day, EvidenceHead.sequence).order_by(EvidenceHead.day.desc())
    )
    found = last.first()
    newest = session.scalar(sa.select(sa.func.max(TraceEvent.id))) or 0
    if found is None:
        return newest > 0
    return found.day < moment.astimezone(TIME_ZONE).date() and newest > found.sequence


def _sign(session: Session, key: SigningKey, moment: dt.datetime) -> Head:
    after, before = session.execute(
        sa.select(EvidenceHead.sequence, EvidenceHead.events).order_by(EvidenceHead.day.desc()).limit(1)
    ).one_or_none() or (0, 0)
    tree, sequence, row_hash = merkle.Tree(), after, ""
    for sequence, row_hash in rows_between(session, after, None):  # noqa: B007  the last of them is used
        tree.add(bytes.fromhex(row_hash))
    day = moment.astimezone(TIME_ZONE).date()
    events = before + tree.size
    head = Head(day, after, sequence, events, row_hash, tree.root.hex(), moment, key.public.id, "")
    signed = key.signed(head.payload)
    session.add(
        EvidenceHead(
            day=day,
            sequence=sequence,
            events=events,
            row_hash=row_hash,
            key_id=head.key_id,
            signature=signed,
            made_at=moment,
        )
    )
    _publish(session, key.public)
    return Head.from_payload(head.payload, head.key_id, signed)


def rows_between(session: Session, after: int, last: int | None) -> Iterator[tuple[int, str]]:
    """Give id and hash of the rows after one, up to and including another, in their order."""
    query = sa.select(TraceEvent.id, TraceEvent.row_hash).where(TraceEvent.id > after).order_by(TraceEvent.id)
    if last is not None:
        query = query.where(TraceEvent.id <= last)
    for row in session.execute(query, execution_options={"yield_per": 5000}):
        yield row.id, row.row_hash


def _publish(session: Session, key: PublicKey) -> None:
    """Keep the public key in the record, so that older heads can be checked after the key was changed."""
    name = KEY_FACT + key.id
    if session.scalar(sa.select(RecordFact.id).where(RecordFact.key == name)) is None:
        session.add(RecordFact(key=name, value=json.dumps(key.jwk, sort_keys=True)))


# ---- reading


def known_keys(session: Session) -> dict[str, PublicKey]:
    """Return the public keys that the record knows, by id."""
    found = {}
    for name, value in all_facts(session).items():
        if name.startswith(KEY_FACT) and value:
            key = PublicKey.from_jwk(json.loads(value))
            found[key.id] = key
    return found


def heads(session: Session) -> list[Head]:
    """List the heads as the record holds them, oldest first, without looking at signatures."""
    found = []
    for row in session.scalars(sa.select(EvidenceHead).order_by(EvidenceHead.day)):
        payload = signing.peek(row.signature)
        if payload is not None:
            found.append(Head.from_payload(payload, row.key_id, row.signature))
    return found


def latest(session: Session) -> Head | None:
    """Return the newest head."""
    row = session.scalar(sa.select(EvidenceHead).order_by(EvidenceHead.day.desc()).limit(1))
    payload = None if row is None else signing.peek(row.signature)
    return None if row is None or payload is None else Head.from_payload(payload, row.key_id, row.signature)


def covering(session: Session, row_id: int) -> Head | None:
    """Return the first head that covers a row."""
    query = sa.select(EvidenceHead).where(EvidenceHead.sequence >= row_id).order_by(EvidenceHead.day).limit(1)
    row = session.scalar(query)
    payload = None if row is None else signing.peek(row.signature)
    return None if row is None or payload is None else Head.from_payload(payload, row.key_id, row.signature)


def short_head(session: Session) -> str | None:
    """Return the fingerprint of the newest head, to be printed on papers; None before the first head."""
    head = latest(session)
    return None if head is None else head.fingerprint


# ---- outside the record


def export_lines(session: Session) -> Iterator[str]:
    """Give the lines of an export: the public keys, then every head."""
    keys = sorted(known_keys(session).values(), key=lambda key: key.id)
    yield json.dumps({"keys": [key.jwk for key in keys]}, sort_keys=True)
    for head in heads(session):
        yield json.dumps({**head.payload, "keyId": head.key_id, "jws": head.signed}, sort_keys=True)


def read_export(lines: Iterable[str]) -> tuple[dict[str, PublicKey], list[Head]]:
    """Read an export back; raises HeadError when it is none, BadSignature when a line is not what was signed."""
    keys: dict[str, PublicKey] = {}
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            if "keys" in value:
                read = [PublicKey.from_jwk(jwk) for jwk in value["keys"]]
                keys |= {key.id: key for key in read}
                continue
            head = Head.read(str(value["jws"]), keys)
        except (ValueError, KeyError, TypeError, SigningError) as error:
            raise HeadError("Dòng %(number)s của tệp không phải là đầu chuỗi.", number=number) from error
        if any(value.get(name) != stated for name, stated in head.payload.items()):
            raise HeadError("Dòng %(number)s của tệp khác với nội dung đã ký.", number=number)
        found.append(head)
    return keys, found
