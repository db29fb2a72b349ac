"""A map as one file: `ocopmap map`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from data.accounts import PUBLIC, SYSTEM
from data.record_facts import all_facts
from data.views import SavedView, view_by_key
from webmap.commands.session import FILE, Session, pass_session
from webmap.folium_maps import standalone
from webmap.mapview import MapView, ViewError, from_settings, parse_fragment


@click.command(
    "map", short_help="Ghi bản đồ thành một tệp.", help="Ghi bản đồ thành một tệp HTML mở không cần mạng."
)
@click.option("--view", "key", metavar="SỐ", help="Số của một bản đồ đã lưu.")
@click.option("--layers", "names", metavar="LỚP", help="Các lớp, cách nhau bằng dấu phẩy.")
@click.option("--title", default="Bản đồ OCOP", show_default=True, help="Tên bản đồ, khi chỉ ra các lớp.")
@click.option("--out", required=True, metavar="TỆP", type=FILE, help="Tệp HTML ghi ra.")
@click.option("--all", "everything", is_flag=True, help="Cả dòng chưa công bố.")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="Ngôn ngữ.")
@pass_session
def map_(
    session: Session,
    /,
    key: str | None,
    names: str | None,
    title: str,
    out: Path,
    everything: bool,
    lang: str,
) -> None:
    """Write a map to a file, whole or not at all."""
    if (key is None) == (names is None):
        raise click.UsageError("Hãy nêu --view hoặc --layers, một trong hai.")
    with session.record.reading() as reading:
        view = (
            parse_fragment(title, f"#layers={names}")
            if key is None
            else _kept(view_by_key(reading, key), key)
        )
        facts = all_facts(reading)
    body = standalone(
        session.record,
        view,
        SYSTEM if everything else PUBLIC,
        lang,
        province=facts.get("province_name") or "",
        demo=facts.get("demo") == "1",
    )
    if not out.parent.is_dir():
        raise ViewError("Không có thư mục “%(folder)s”.", folder=out.parent)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out.parent) as folder:
        made = Path(folder) / "map.html"
        made.write_text(body, encoding="utf-8")
        os.replace(made, out)
    click.echo(f"Đã ghi bản đồ “{view.title}” vào {out}.")


def _kept(kept: SavedView | None, key: str) -> MapView:
    if kept is None:
        raise ViewError("Không có bản đồ đã lưu số “%(key)s”.", key=key)
    return from_settings(kept.title, kept.settings)
