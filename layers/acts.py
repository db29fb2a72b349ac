"""What acts of the programme make of rows: written through the one edit path in the act's own transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from data.accounts import Actor, Role
from layers import catalogue
from layers.edit import Edits


def show(
    session: Session,
    actor: Actor,
    layer_id: str,
    facts: Mapping[int, Mapping[str, Any]],
    *,
    source: str,
    reason: str | None = None,
) -> None:
    """Write what an act decided on rows of a layer ({row: {column: value}}), in the act's open transaction.

    The act itself says who may take it, so a producer who recalls their own lot changes what the lot shows although
    they may not edit it; the audit rows name them. Raises NotFound where a row is gone.
    """
    if not facts:
        return
    edits = Edits(session, dataclasses.replace(actor, role=Role.ADMINISTRATOR), source, reason)
    for row_id, values in facts.items():
        edits.update(catalogue.layer(layer_id), row_id, {}, decided=values)
    edits.finish()
