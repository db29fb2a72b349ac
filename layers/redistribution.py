"""Figures of one division of the territory on another: by lists of rows, or by shares of area."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from data.admin_units import Commune, CommuneSuccession, Edition, edition_in_use
from data.spatial import communes_of
from gis.errors import Refusal
from layers import read
from layers.fields import Label

Values = dict[str, Any]
Shares = Mapping[Any, Iterable[tuple[Any, float]]]

LIST, AREA = "list", "area"
METHODS = (LIST, AREA)
METHOD_TITLES: Mapping[str, Label] = {
    LIST: Label("Theo danh sách", "List-based"),
    AREA: Label("Theo tỷ lệ diện tích", "Area-weighted"),
}


def method_label(method: str, edition: str, in_use: str) -> Label:
    """Name the method by which figures of the edition in use are shown on an edition, in both languages."""
    if edition == in_use:
        return Label(
            "Đếm theo xã ghi trong hồ sơ (theo danh sách), cộng lên huyện.",
            "Counted by the commune on record (list-based), summed to districts.",
        )
    if method == AREA:
        return Label(
            f"Theo tỷ lệ diện tích: số liệu của từng xã (địa giới {in_use}) được chia cho các xã của địa giới "
            f"{edition} theo phần diện tích mà mỗi xã giao cho xã kia.",
            f"Area-weighted: the figure of each commune ({in_use} boundaries) is divided among the communes of "
            f"the {edition} boundaries by the share of ground that went to each.",
        )
    return Label(
        f"Theo danh sách: từng hồ sơ được gán vào xã của địa giới {edition} theo vị trí của nó; hồ sơ chưa có vị "
        "trí theo xã nhận phần lớn nhất.",
        f"List-based: each record is assigned to a commune of the {edition} boundaries by its position; one "
        "without a position goes with the largest share of its commune.",
    )


def editions(session: Session) -> list[dict[str, Any]]:
    """The editions that have communes, oldest first: code, title and whether it is the one in use."""
    query = sa.select(Edition.code, Edition.title).where(sa.exists().where(Commune.edition == Edition.code))
    used = edition_in_use(session)
    found = session.execute(query.order_by(Edition.valid_from))
    return [{"code": code, "title": title, "in_use": code == used} for code, title in found]


def known_edition(session: Session, edition: str | None) -> str:
    """The edition asked for, by default the one in use. Raises Refusal where it has no communes."""
    if edition is None:
        return edition_in_use(session)
    if not session.scalar(sa.select(Commune.id).where(Commune.edition == edition).limit(1)):
        raise Refusal("Không có địa giới cấp xã của phiên bản “%(edition)s”.", edition=edition)
    return edition


def distribute(values: Mapping[Any, Values], shares: Shares) -> dict[Any, Values]:
    """Divide the values of each old unit among new ones by share; what has no successor stays under None.

    The shares of a unit are made to add up to one, so the sums of all values stay what they were.
    """
    found: dict[Any, Values] = {}
    for old, measured in values.items():
        parts = list(shares.get(old, ()))
        whole = sum(share for _, share in parts)
        for new, share in [(new, share / whole) for new, share in parts] if whole > 0 else [(None, 1.0)]:
            _add(found, new, measured, share)
    return found


def on_edition(
    session: Session, query: read.Query, measures: Mapping[str, Any], edition: str, method: str
) -> dict[Any, Values]:
    """Sum a query's measures by the communes of an edition: {commune id: {measure: value}}.

    Rows that belong to none of them are summed under None. Measures must be sums or counts.
    """
    if edition == edition_in_use(session):
        return read.group_by(session, query, "commune_id", measures)
    shares = succession(session, edition_in_use(session), edition)
    if method == AREA:
        return distribute(read.group_by(session, query, "commune_id", measures), shares)
    by_row = read.group_by(session, query, "id", measures)
    homes = _homes(session, query, edition, shares)
    found: dict[Any, Values] = {}
    for row_id, measured in by_row.items():
        _add(found, homes.get(row_id), measured, 1)
    return found


def succession(session: Session, source: str, target: str) -> dict[int, list[tuple[int, float]]]:
    """Which part of each commune of one edition went to, or came from, which of another: {id: [(id, share)]}.

    Editions between the two are gone through in the order of their dates. Raises Refusal where a link is missing.
    """
    order = list(
        session.scalars(
            sa.select(Edition.code)
            .where(sa.exists().where(Commune.edition == Edition.code))
            .order_by(Edition.valid_from)
        )
    )
    start, end = order.index(source), order.index(target)
    path = order[start : end + 1] if start <= end else order[end : start + 1][::-1]
    chain: dict[int, dict[int, float]] | None = None
    for before, after in itertools.pairwise(path):
        link = _link(session, before, after)
        if not link:
            raise Refusal(
                "Chưa có bảng kế thừa giữa địa giới %(before)s và %(after)s; hãy nhập địa giới kèm --crosswalk.",
                before=before,
                after=after,
            )
        chain = link if chain is None else {unit: _follow(parts, link) for unit, parts in chain.items()}
    return {unit: list(parts.items()) for unit, parts in (chain or {}).items()}


def _link(session: Session, source: str, target: str) -> dict[int, dict[int, float]]:
    """The shares of each commune of an edition in those of a neighbouring one, whichever is older."""
    old, new = aliased(Commune), aliased(Commune)
    query = (
        sa.select(old.id, new.id, old.edition, CommuneSuccession.share_of_old, CommuneSuccession.share_of_new)
        .join_from(CommuneSuccession, old, CommuneSuccession.old_id == old.id)
        .join(new, CommuneSuccession.new_id == new.id)
        .where(
            sa.or_(
                sa.and_(old.edition == source, new.edition == target),
                sa.and_(old.edition == target, new.edition == source),
            )
        )
    )
    found: dict[int, dict[int, float]] = {}
    for old_id, new_id, of, share_of_old, share_of_new in session.execute(query):
        unit, other, share = (
            (old_id, new_id, share_of_old) if of == source else (new_id, old_id, share_of_new)
        )
        parts = found.setdefault(unit, {})
        parts[other] = parts.get(other, 0.0) + share
    return found


def _follow(parts: Mapping[int, float], link: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    found: dict[int, float] = {}
    for unit, share in parts.items():
        onward = link.get(unit, {})
        whole = sum(onward.values())
        for other, part in onward.items():
            found[other] = found.get(other, 0.0) + share * part / whole
    return found


def _homes(session: Session, query: read.Query, edition: str, shares: Shares) -> dict[int, int | None]:
    """The commune of an edition for each row of a query: by position, else by the largest share."""
    largest = {unit: max(parts, key=lambda part: part[1])[0] for unit, parts in shares.items()}
    model = query.layer.model
    stated = {
        row_id: commune_id for row_id, commune_id in session.execute(sa.select(model.id, model.commune_id))
    }
    found = read.rows(session, read.Query(query.layer, query.actor, where=query.where, fields=()))
    geometries = shapely.from_wkb(found.wkb)
    placed = np.flatnonzero(~shapely.is_missing(geometries) & ~shapely.is_empty(geometries))
    homes: dict[int, int | None] = {int(i): largest.get(stated.get(int(i))) for i in found.ids}
    assigned = communes_of(session, geometries[placed], edition=edition)
    for i, commune_id in zip(found.ids[placed].tolist(), assigned, strict=True):
        if commune_id is not None:
            homes[i] = commune_id
    return homes


def _add(found: dict[Any, Values], key: Any, values: Values, share: float) -> None:
    total = found.setdefault(key, dict.fromkeys(values, 0))
    for name, value in values.items():
        total[name] += (value or 0) * share
