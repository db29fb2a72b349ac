"""Files out: `ocopmap export`."""

from __future__ import annotations

from pathlib import Path

import click

from data.accounts import PUBLIC, SYSTEM
from layers.fields import Layer
from services import exports
from services.formats.shapefile import ENCODINGS
from webmap.commands.session import FILE, Session, layer_named, pairs, pass_session


@click.command(
    short_help="Xuất một lớp.", help="Xuất một lớp ra tệp: dòng và trường công khai, hoặc tất cả với --all."
)
@click.argument("layer", metavar="LỚP", callback=layer_named)
@click.option("--format", "form", required=True, type=click.Choice(list(exports.FORMATS)), help="Định dạng.")
@click.option("--out", required=True, metavar="TỆP", type=FILE, help="Tệp xuất ra.")
@click.option("--all", "everything", is_flag=True, help="Cả dòng chưa công bố và trường nội bộ.")
@click.option("--crs", metavar="HỆ", help="Hệ tọa độ: WGS84, EPSG:9207, EPSG:5897, EPSG:3405, EPSG:32648 …")
@click.option("--filter", "cql2", metavar="CQL2", help='Chỉ những dòng khớp bộ lọc, ví dụ "stars >= 4".')
@click.option(
    "--where",
    multiple=True,
    callback=pairs,
    metavar="TRƯỜNG=GIÁ TRỊ",
    help="Giá trị của một trường; lặp được.",
)
@click.option("--commune", metavar="MÃ", help="Mã xã; nhiều mã cách nhau bằng dấu phẩy.")
@click.option("--district", metavar="MÃ", help="Mã huyện; nhiều mã cách nhau bằng dấu phẩy.")
@click.option("--bbox", metavar="T,N,Đ,B", help="Khung tây,nam,đông,bắc theo độ.")
@click.option("--ids", metavar="SỐ", help="Số của các bản ghi, cách nhau bằng dấu phẩy.")
@click.option("--fields", metavar="TRƯỜNG", help="Các cột, cách nhau bằng dấu phẩy.")
@click.option(
    "--encoding", type=click.Choice(ENCODINGS, case_sensitive=False), help="Bảng mã chữ của shapefile."
)
@click.option("--as-of", "asof", metavar="NGÀY", help="Lớp như vào một ngày, ví dụ 2026-06-30.")
@click.option("--lang", type=click.Choice(["vi", "en"]), help="Ngôn ngữ của tiêu đề.")
@pass_session
def export(
    session: Session,
    /,
    layer: Layer,
    form: str,
    out: Path,
    everything: bool,
    where: dict[str, str],
    cql2: str | None,
    **chosen: str | None,
) -> None:
    """Write a layer or a part of it to a file."""
    actor = SYSTEM if everything else PUBLIC
    asked = {**where, "filter": cql2, **chosen}
    wish = exports.parse(layer, form, {name: text for name, text in asked.items() if text}, actor)
    written = exports.export_wish(session.record, wish, out, actor)
    click.echo(f"Đã xuất {written.rows} dòng của lớp {layer.id} vào {out}.")
    if not written.cut:
        return
    fields = ", ".join(written.cut)
    if wish.form.name == "shp":
        click.echo(
            f"Shapefile chỉ giữ {exports.SHAPEFILE_TEXT} byte mỗi ô, nên chữ bị cắt hoặc đổi ở: {fields}. "
            "Dùng gpkg để giữ đủ.",
            err=True,
        )
    else:
        click.echo(f"Chữ dài quá một ô của bảng tính nên bị cắt ở: {fields}.", err=True)
