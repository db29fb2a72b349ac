"""The trace on the command line: where a lot came from and where it went."""

from __future__ import annotations

import json
from typing import Any

import click

from data import codes
from data.accounts import SYSTEM
from data.traceability import graph, lookup, tree
from data.traceability.described import Described, describe
from data.traceability.measures import name_of
from data.traceability.sheet import Sheet, sheet
from services.trace import DEEPEST, DIRECTIONS, document
from webmap.commands.session import Session, pass_session


@click.command(
    "trace",
    short_help="Truy vết một lô.",
    help="Truy vết một lô: từ đâu tới, đã đi đâu, nếu thu hồi thì báo cho ai. LÔ là số lô, mã truy xuất, đường dẫn "
    "trên nhãn, hoặc số của bản ghi lô.",
)
@click.argument("lot", metavar="LÔ")
@click.option(
    "--dir", "direction", type=click.Choice(DIRECTIONS), default="both", show_default=True, help="Chiều truy."
)
@click.option("--depth", default=DEEPEST, show_default=True, type=click.IntRange(1, DEEPEST), help="Số bước.")
@click.option("--json", "as_json", is_flag=True, help="In JSON như địa chỉ /trace.")
@pass_session
def trace(session: Session, lot: str, direction: str, depth: int, as_json: bool) -> None:
    """Print a trace as an indented list, or as JSON."""
    with session.record.reading() as opened:
        named = lookup.named(opened, SYSTEM, lot)
        if as_json:
            answer = document(opened, SYSTEM, named, direction=direction, depth=depth)
            click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
            return
        click.echo(named.uri)
        if named.item is None:
            click.echo("Lô này chưa có sự kiện nào.")
            return
        found = graph.trace(opened, SYSTEM, named.uri, direction=direction, depth=depth)
        things = describe(opened, SYSTEM, [node.id for node in found.nodes])
        for side, title in (("back", "Từ đâu tới"), ("forward", "Đi đâu")):
            _print_side(title, tree.rows(found, side), things)
        _print_recall(sheet(opened, SYSTEM, named.item))
        if found.truncated:
            click.echo("Chuỗi còn dài hơn; hãy tăng --depth.")


def _print_side(title: str, rows: list[tree.Row], things: dict[int, Described]) -> None:
    if not rows:
        return
    click.echo(f"{title}:")
    for row in rows:
        thing = things[row.node.id]
        told = [thing.name, thing.product or "", thing.producer or ""]
        if row.edge is not None and row.edge.share is not None:
            told.append(f"{row.edge.share:.0%}")
        if thing.state != "free":
            told.append(codes.label("trace_state", thing.state).upper())
        again = " (đã nêu)" if row.again else ""
        click.echo("  " * (row.level + 1) + " · ".join(filter(None, told)) + again)


def _print_recall(found: Sheet) -> None:
    click.echo(f"Đã gửi tới ({len(found.shipped)}):")
    for one in found.shipped:
        parts: list[Any] = [one.customer or "?", one.phone, f"{one.sent_at:%d/%m/%Y}", one.name]
        if one.quantity is not None:
            parts.append(f"{one.quantity:g} {name_of(one.uom, one.unit)}")
        click.echo("  " + " · ".join(filter(None, parts)))
    click.echo(f"Còn chặn được: {len(found.stoppable) + len(found.lots)}")
    if found.on_hand is not None and found.on_hand.left is not None:
        click.echo(f"Còn tại cơ sở: {found.on_hand.left:g} {name_of(found.on_hand.uom, found.on_hand.unit)}")
    click.echo(
        f"Nguồn ({len(found.suppliers)}): " + ", ".join(dict.fromkeys(one.who for one in found.suppliers))
    )
