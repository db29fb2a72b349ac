"""Long work: `ocopmap work`, and the jobs that wait for it."""

from __future__ import annotations

import logging

import click

from data import founding
from services import jobworker
from webmap import lifeline
from webmap.app import create_app
from webmap.commands.session import Session, pass_session


@click.command(
    short_help="Làm các công việc dài.",
    help="Làm các công việc dài (nhập, xuất, kiểm tra) đang chờ. `ocopmap serve` tự chạy lệnh này; "
    "chỉ cần gọi riêng khi muốn thêm tiến trình hoặc khi máy chủ web do chương trình khác chạy.",
)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 16), help="Số việc cùng lúc.")
@click.option("--parent", type=int, hidden=True)
@pass_session
def work(session: Session, threads: int, parent: int | None) -> None:
    """Do jobs until told to end."""
    if parent is not None:
        lifeline.die_with(parent)
    founding.require(session.store)
    app = create_app(session.settings)
    logging.getLogger("huey").setLevel(logging.WARNING)
    if parent is None:
        click.echo(f"Làm các công việc của {session.where}; dừng bằng Ctrl+C.", err=True)
    jobworker.work(app.extensions["ocop_store"], app.app_context, threads=threads)
