"""Batches of edits: `ocopmap batch list` and `ocopmap batch undo`."""

from __future__ import annotations

import click

from data.accounts import SYSTEM
from layers import batches
from webmap.commands.session import Session, pass_session

SHOWN = 20


@click.group(help="Các đợt sửa: nhập tệp, sửa hàng loạt, hoàn tác.")
def batch() -> None:
    """Group the batch commands."""


@batch.command("list", help="Liệt kê các đợt sửa, mới nhất trước.")
@pass_session
def list_(session: Session) -> None:
    """List the latest batches."""
    with session.record.reading() as reading:
        for found in batches.listed(reading, SYSTEM):
            undone = f"đã hoàn tác bởi đợt {found.undone_by}" if found.undone_at else ""
            when = f"{found.created_at:%Y-%m-%d %H:%M}"
            parts = [
                f"{found.id:>6}  {when}  {found.kind:10} {found.rows:>7}",
                found.actor or "",
                found.title,
            ]
            click.echo("  ".join(part for part in (*parts, undone) if part))


@batch.command(help="Hoàn tác cả đợt SỐ, khi chưa có gì sửa sau đó; nếu không thì nói rõ vướng ở đâu.")
@click.argument("number", metavar="SỐ", type=int)
@pass_session
def undo(session: Session, number: int) -> None:
    """Undo a batch as a whole."""
    try:
        undoing = batches.undo(session.record, SYSTEM, number)
    except batches.NotUndone as error:
        for later in error.later[:SHOWN]:
            when = f"{later.at:%Y-%m-%d %H:%M}" if later.at else ""
            click.echo(
                f"{later.table} {later.row_id} {later.name}  {later.actor or ''}  {when}".rstrip(), err=True
            )
        if len(error.later) > SHOWN:
            click.echo(f"… và {len(error.later) - SHOWN} bản ghi khác.", err=True)
        raise
    click.echo(f"Đã hoàn tác đợt {number} bằng đợt {undoing}.")
