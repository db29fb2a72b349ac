"""What commune and province do with a dossier: take it in under a number, send it back, check it, propose it.

Decision 26/2026/QĐ-TTg, articles 5 to 7; numbers follow the pattern of form 01 and are never given twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data import audit
from data.accounts import Actor
from data.admin_units import Commune
from data.base import now
from data.programme import participations
from data.programme.calendar import add_working_days, deadline, is_in_time
from data.programme.dossiers import DossierError
from data.programme.forms import TOURISM_SET, forms
from data.programme.participations import SOURCE, touch
from data.programme.rights import row_acted_on
from data.programme.tables import CommuneCheck, Dossier, NumberSeries, Receipt, ReturnedItem, Round

LEVELS = {"commune": "X", "province": "T"}


def receive(
    session: Session, actor: Actor, dossier_id: int, level: str, today: dt.date, *, samples: int | None = None
) -> Receipt:
    """Take a dossier in under the next number of its series; the number is never given again.

    Raises NotYours, DossierError or TransitionRefused.
    """
    row = _for_officer(session, actor, dossier_id)
    status = row.participation.status
    if (level, status) not in (("commune", "at_commune"), ("province", "proposed")):
        raise DossierError("Hồ sơ không ở bước tiếp nhận của cấp này.")
    if any(r.level == level for r in row.receipts):
        raise DossierError("Cấp này đã tiếp nhận hồ sơ.")
    if level == "province":
        _check_samples(row, samples, today)
        participations.move(session, actor, row.participation_id, "received", by="system")
    province, commune = _codes(session, row)
    series = f"PĐK-{LEVELS[level]}-{province}-{commune}-{today.year}"
    number = next_number(session, series)
    due = add_working_days(today, deadline("commune_check", today).number) if level == "commune" else None
    if due is not None:
        row.participation.due_on = due
    receipt = Receipt(
        dossier_id=row.id,
        level=level,
        number=f"{number:03d}-{LEVELS[level]}/PĐK-{province}-{commune}-{today.year}",
        received_on=today,
        due_on=due,
        samples=samples,
        account_id=actor.account_id,
        actor=actor.name,
    )
    session.add(receipt)
    session.flush()
    audit.write(session, actor, SOURCE, "receipts", receipt.id, "insert", after=audit.snapshot(receipt))
    return receipt


def next_number(session: Session, series: str) -> int:
    """Take the next number of a series; concurrent takers wait for one another."""
    # Two that take the first number at once must not both make the series.
    session.execute(
        sa.text(
            "INSERT INTO number_series (series, last) VALUES (:series, 0) ON CONFLICT (series) DO NOTHING"
        ),
        {"series": series},
    )
    row = session.scalars(
        sa.select(NumberSeries).where(NumberSeries.series == series).with_for_update()
    ).one()
    row.last += 1
    session.flush()
    return row.last


def send_back(
    session: Session,
    actor: Actor,
    dossier_id: int,
    level: str,
    items: Sequence[tuple[str | None, str]],
) -> list[ReturnedItem]:
    """Return a dossier with the list of what is to be completed, (criterion, text). Raises NotYours or DossierError."""
    row = _for_officer(session, actor, dossier_id)
    texts = [(criterion, text.strip()) for criterion, text in items if text.strip()]
    if not texts:
        raise DossierError("Hãy nêu ít nhất một nội dung cần bổ sung.")
    reason = "; ".join(text for _, text in texts)
    participations.move(
        session, actor, row.participation_id, f"returned_by_{level}", reason=reason, by="system"
    )
    added = [
        ReturnedItem(dossier_id=row.id, level=level, criterion=criterion, text=text, actor=actor.name)
        for criterion, text in texts
    ]
    session.add_all(added)
    session.flush()
    for item in added:
        audit.write(session, actor, SOURCE, "returned_items", item.id, "insert", after=audit.snapshot(item))
    return added


def check_contents(
    session: Session,
    actor: Actor,
    dossier_id: int,
    contents: Mapping[str, Mapping[str, Any]],
    *,
    proposal: str | None = None,
    letter_number: str | None = None,
) -> CommuneCheck:
    """Keep the commune's findings on the four contents: {content: {"met": bool, "remark": text}}.

    Raises NotYours or DossierError.
    """
    row = _for_officer(session, actor, dossier_id)
    if row.participation.status != "at_commune":
        raise DossierError("Hồ sơ không ở bước kiểm tra của xã.")
    unknown = set(contents) - set(forms().contents)
    if unknown:
        raise DossierError("Mẫu 03 không có nội dung “%(content)s”.", content=sorted(unknown)[0])
    check = next((c for c in row.checks if c.finished_at is None), None)
    if check is None:
        check = CommuneCheck(dossier_id=row.id, contents={})
        session.add(check)
        session.flush()
    before = audit.snapshot(check)
    check.contents = {**check.contents, **{k: dict(v) for k, v in contents.items()}}
    check.proposal = proposal if proposal is not None else check.proposal
    check.letter_number = letter_number if letter_number is not None else check.letter_number
    check.account_id, check.actor = actor.account_id, actor.name
    touch(session, actor, check, before)
    return check


def propose(session: Session, actor: Actor, dossier_id: int, today: dt.date) -> CommuneCheck:
    """Finish form 03, give the product its number and propose it to the province, in the round that is in time.

    Raises NotYours, DossierError or TransitionRefused.
    """
    row = _for_officer(session, actor, dossier_id)
    check = next((c for c in row.checks if c.finished_at is None), None)
    judged = {} if check is None else check.contents
    open_contents = [t["vi"] for c, t in forms().contents.items() if judged.get(c, {}).get("met") is None]
    if check is None or open_contents:
        raise DossierError("Mẫu 03 còn thiếu nội dung: %(items)s.", items="; ".join(open_contents))
    unmet = [forms().contents[c]["vi"] for c, v in judged.items() if c in forms().contents and not v["met"]]
    if unmet:
        raise DossierError("Chưa đạt: %(items)s; hãy trả hồ sơ để bổ sung.", items="; ".join(unmet))
    before = audit.snapshot(check)
    province, commune = _codes(session, row)
    number = next_number(session, f"SP-{province}-{commune}-{today.year}")
    check.contents = {**judged, "product_number": f"{province}-{commune}-{number:02d}-{today.year}"}
    check.checked_on, check.finished_at = today, now()
    participation = participations.move(session, actor, row.participation_id, "proposed", by="system")
    found = round_for(session, today)
    participation.round = found
    participation.due_on = None if found is None else found.decide_before
    touch(session, actor, check, before)
    return check


def round_for(session: Session, day: dt.date, level: str = "province") -> Round | None:
    """Return the nearest round that a dossier of this day is in time for; a late one goes to the next."""
    query = sa.select(Round).where(Round.level == level, Round.state == "open")
    for found in session.scalars(query.order_by(Round.receive_before)):
        inclusive = found.rules.get("cutoff", deadline("round_cutoff", day).value) == "on"
        if is_in_time(day, found.receive_before, inclusive=inclusive):
            return found
    return None


# ---- details


def _for_officer(session: Session, actor: Actor, dossier_id: int) -> Dossier:
    row = row_acted_on(session, actor, Dossier, dossier_id)
    if not actor.is_staff:
        raise DossierError("Việc này do cán bộ thực hiện.")
    return row


def _codes(session: Session, row: Dossier) -> tuple[str, str]:
    """The codes of province and commune that stand in numbers."""
    commune = session.get(Commune, row.commune_id) if row.commune_id else None
    if commune is None:
        raise DossierError("Hồ sơ chưa có xã; hãy đặt vị trí của sản phẩm trước.")
    province = commune.province or (commune.district.province if commune.district else None)
    return (province.code if province else "00", commune.code)


def _check_samples(row: Dossier, samples: int | None, today: dt.date) -> None:
    needed = deadline("samples", today).number
    if row.set_number != TOURISM_SET and (samples or 0) < needed:
        raise DossierError("Cần %(needed)s mẫu sản phẩm kèm hồ sơ.", needed=needed)
