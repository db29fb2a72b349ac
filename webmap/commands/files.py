"""Files in and out: `ocopmap import` and `ocopmap export`."""

from __future__ import annotations

from pathlib import Path

import click

from data.accounts import PUBLIC, SYSTEM
from data.boundaries import import_boundaries
from layers import catalogue
from layers.fields import Layer
from services import exports, imports
from webmap.commands.session import FILE, Session, layer_named, map_option, no_such_layer, pass_session

SHOWN_PROBLEMS, SHOWN_ROWS = 20, 8


class Imports(click.Group):
    """`import boundaries FILE`, and otherwise `import LAYER FILE` for every layer of the catalogue."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the boundaries and every layer."""
        return [
            *super().list_commands(ctx),
            *(layer.id for layer in catalogue.LAYERS if imports.accepts(layer)),
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a layer."""
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        layer = catalogue.layer_of_table(cmd_name)
        return None if layer is None else _import_command(layer)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which layers there are when an unknown one is named."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(no_such_layer(args[0]))
        return super().resolve_command(ctx, args)


@click.group(
    "import",
    cls=Imports,
    short_help="Nhập một tệp.",
    help="Nhập tệp không gian: `boundaries` cho địa giới, hoặc tên một lớp.",
)
def import_() -> None:
    """Group the import commands."""


@import_.command(
    "boundaries", help="Nhập địa giới hành chính của một phiên bản và gán lại mọi đối tượng theo vị trí."
)
@click.argument("file", metavar="TỆP", type=FILE)
@click.option("--edition", required=True, metavar="PB", help="Phiên bản địa giới, ví dụ 2020 hoặc 2025.")
@map_option()
@click.option("--layer", metavar="LỚP", help="Lớp cần đọc, khi tệp có nhiều lớp.")
@click.option("--crosswalk", type=FILE, metavar="CSV", help="Bảng kế thừa giữa xã cũ và xã mới.")
@click.option("--dry-run", is_flag=True, help="Chỉ báo cáo, không thay đổi gì.")
@pass_session
def boundaries(
    session: Session,
    file: Path,
    edition: str,
    mapping: dict[str, str],
    layer: str | None,
    crosswalk: Path | None,
    dry_run: bool,
) -> None:
    """Replace or add the boundaries of an edition."""
    report = import_boundaries(
        session.record,
        file,
        edition=edition,
        mapping=mapping,
        crosswalk=crosswalk,
        dry_run=dry_run,
        progress=lambda text: click.echo(f"  {text}", err=True),
        layer=layer,
    )
    click.echo(report.as_text(lang="vi"))


def _import_command(layer: Layer) -> click.Command:
    @click.command(layer.id, help=f"Nhập một tệp vào lớp “{layer.title.vi}”: mọi dòng, hoặc không dòng nào.")
    @click.argument("file", metavar="TỆP", type=FILE)
    @map_option()
    @click.option("--encoding", metavar="BẢNG MÃ", help="Bảng mã chữ của tệp, khi tệp không tự nói.")
    @click.option("--dry-run", is_flag=True, help="Chỉ kiểm tra, không thay đổi gì.")
    @click.pass_context
    def command(
        ctx: click.Context, file: Path, mapping: dict[str, str], encoding: str | None, dry_run: bool
    ) -> None:
        session: Session = ctx.obj
        report = imports.import_layer(
            session.record, layer, file, mapping=mapping, encoding=encoding, actor=SYSTEM, dry_run=dry_run
        )
        _show(report, dry_run=dry_run)
        ctx.exit(1 if report.problems else 0)

    return command


def _show(report: imports.ImportReport, *, dry_run: bool) -> None:
    matched = ", ".join(f"{name} ← {column}" for name, column in report.mapping.items())
    click.echo(f"Trường: {matched}")
    if report.unused:
        click.echo(f"Cột không dùng: {', '.join(report.unused)}")
    by_sentence: dict[str, list[int]] = {}
    for problem in report.problems:
        by_sentence.setdefault(problem.sentence, []).append(problem.row)
    for sentence, rows in list(by_sentence.items())[:SHOWN_PROBLEMS]:
        named = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
        more = f" … ({len(rows)} dòng)" if len(rows) > SHOWN_ROWS else ""
        click.echo(f"Dòng {named}{more}: {sentence}", err=True)
    if len(by_sentence) > SHOWN_PROBLEMS:
        click.echo(f"… và {len(by_sentence) - SHOWN_PROBLEMS} vấn đề khác.", err=True)
    if report.repaired:
        click.echo(f"{report.repaired} hình được sửa cho hợp lệ.")
    if report.problems:
        click.echo(
            f"Lỗi: {len(report.problems)} trong {report.rows} dòng không nhập được; chưa có gì thay đổi.",
            err=True,
        )
    elif dry_run:
        click.echo(f"{report.rows} dòng nhập được; chạy thử nên chưa có gì thay đổi.")
    else:
        click.echo(f"Đã nhập {report.rows} dòng vào lớp {report.layer.id}.")


@click.command(
    short_help="Xuất một lớp.", help="Xuất một lớp ra tệp: dòng và trường công khai, hoặc tất cả với --all."
)
@click.argument("layer", metavar="LỚP", callback=layer_named)
@click.option("--format", "form", required=True, type=click.Choice(list(exports.FORMATS)), help="Định dạng.")
@click.option("--out", required=True, metavar="TỆP", type=FILE, help="Tệp xuất ra.")
@click.option("--all", "everything", is_flag=True, help="Cả dòng chưa công bố và trường nội bộ.")
@pass_session
def export(session: Session, layer: Layer, form: str, out: Path, everything: bool) -> None:
    """Write a layer to a file."""
    written = exports.export(session.record, layer, out, form, SYSTEM if everything else PUBLIC)
    click.echo(f"Đã xuất {written.rows} dòng của lớp {layer.id} vào {out}.")
    if written.cut:
        limit, cut = exports.SHAPEFILE_TEXT, ", ".join(written.cut)
        click.echo(
            f"Shapefile chỉ giữ {limit} byte mỗi ô, nên chữ bị cắt ở: {cut}. Dùng gpkg để giữ đủ.", err=True
        )
