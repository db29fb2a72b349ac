"""Boundary changes on the command line: `ocopmap boundaries list` and `ocopmap boundaries apply`."""

from __future__ import annotations

import datetime as dt

import click

from data.boundaries import changes
from data.boundary_changes import ChangeState
from services import boundaries as waiting
from webmap.commands.session import Session, pass_session

STATES = {
    ChangeState.DRAFT: "bản nháp",
    ChangeState.PREVIEWED: "đã xem trước",
    ChangeState.SCHEDULED: "chờ đến ngày",
    ChangeState.APPLIED: "đã áp dụng",
    ChangeState.UNDONE: "đã hoàn tác",
}


@click.group(
    "boundaries",
    short_help="Thay đổi địa giới.",
    help="Thay đổi địa giới: `list` liệt kê, `apply` áp dụng những thay đổi đã lên lịch và đến ngày.",
)
def boundaries() -> None:
    """Group the commands."""


@boundaries.command("list", help="Liệt kê các thay đổi địa giới và tình trạng.")
@pass_session
def listing(session: Session) -> None:
    """Print every change in one line."""
    with session.record.reading() as reading:
        for change in changes.all_changes(reading):
            before = ", ".join(unit["full_name"] for unit in change.units_before)
            after = ", ".join(unit["name"] or "?" for unit in change.units_after)
            day = f"{change.effective_on:%d/%m/%Y}" if change.effective_on else "–"
            state = STATES[ChangeState(change.state)]
            click.echo(f"{change.id:>4}  {day:10}  {state:13}  {change.decree or '–'}: {before} → {after}")


@boundaries.command("apply", help="Áp dụng những thay đổi đã lên lịch mà ngày hiệu lực đã đến.")
@click.option(
    "--date",
    "day",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="NGÀY",
    help="Áp dụng đến hết ngày này (NĂM-THÁNG-NGÀY); mặc định là hôm nay.",
)
@click.pass_context
def apply(ctx: click.Context, day: dt.datetime | None) -> None:
    """Apply what is due; exit code 1 when a change could not be applied."""
    session: Session = ctx.obj
    store = session.record
    applied = waiting.apply_due(store, day.date() if day else None)
    for change_id in applied:
        click.echo(f"Đã áp dụng thay đổi địa giới số {change_id}.")
    with store.reading() as reading:
        stuck = [c for c in changes.all_changes(reading) if c.state == ChangeState.SCHEDULED and c.failure]
        for change in stuck:
            click.echo(f"Chưa áp dụng được thay đổi số {change.id}: {change.failure}", err=True)
    if not applied and not stuck:
        click.echo("Không có thay đổi địa giới nào đến ngày.")
    ctx.exit(1 if stuck else 0)
