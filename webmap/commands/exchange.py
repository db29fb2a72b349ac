"""The ministry's exchange tables: `ocopmap exchange`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from data.accounts import SYSTEM
from services import exchange as tables
from webmap.commands.session import FILE, Session, pass_session
from webmap.pages import TIME_ZONE


@click.command(
    short_help="Xuất bảng trao đổi với Bộ.",
    help="Xuất bảng PTNT_OCOP và các danh mục của một năm theo QĐ 5277/QĐ-BNNMT: tệp .zip (CSV) hoặc .xlsx.",
)
@click.option("--year", required=True, type=click.IntRange(2019, 2100), metavar="NĂM", help="Năm.")
@click.option("--out", required=True, metavar="TỆP", type=FILE, help="Tệp xuất ra, .zip hoặc .xlsx.")
@pass_session
def exchange(session: Session, year: int, out: Path) -> None:
    """Write the tables of a year."""
    today = dt.datetime.now(TIME_ZONE).date()
    with session.record.reading() as reading:
        count = tables.write(reading, SYSTEM, year, today, out)
    click.echo(f"Đã xuất {count} sản phẩm của năm {year} vào {out}.")
