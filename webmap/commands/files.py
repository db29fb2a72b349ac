"""Files in: `ocopmap import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from data.accounts import SYSTEM
from data.boundaries import import_boundaries
from gis import crs as reference_systems
from layers import catalogue
from layers.fields import Layer
from services import imports
from services.imports.register import import_register
from webmap.commands.session import FILE, Session, map_option, no_such_layer, pairs, pass_session

SHOWN_PROBLEMS, SHOWN_ROWS = 20, 8
GROUP_HELP = "Bộ sản phẩm (1–26) của một nhóm ghi trong sổ; có thể lặp lại."
SET_HELP = "Một giá trị cho mọi dòng; có thể lặp lại."
TOLD = {"update": "dòng cập nhật", "same": "dòng không đổi", "duplicate": "dòng trùng bị bỏ qua"}


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


@import_.command("register", help="Nhập sổ đăng ký sản phẩm OCOP dạng Excel 22 cột: cả sổ, hoặc không gì cả.")
@click.argument("file", metavar="TỆP", type=FILE)
@click.option("--set", "groups", multiple=True, callback=pairs, metavar="NHÓM=BỘ", help=GROUP_HELP)
@click.option("--dry-run", is_flag=True, help="Chỉ kiểm tra, không thay đổi gì.")
@click.pass_context
def register(ctx: click.Context, file: Path, groups: dict[str, str], dry_run: bool) -> None:
    """Import the legacy register of products."""
    session: Session = ctx.obj
    report = import_register(session.record, file, groups=groups, dry_run=dry_run)
    for line in report.barred:
        click.echo(f"Dòng {line.row} ({line.product or 'không tên'}): {' '.join(line.problems)}", err=True)
    for line in report.doubtful:
        click.echo(f"Lưu ý dòng {line.row} ({line.product}): {' '.join(line.warnings)}", err=True)
    counted = (
        f"{report.count('added')} sản phẩm mới, {report.count('completed')} bổ sung, {report.count('same')} đã có; "
        f"{report.producers_added} chủ thể mới, {report.producers_known} đã có; "
        f"{sum(line.recognitions for line in report.lines)} lần công nhận"
    )
    click.echo(f"Sổ có {len(report.lines)} sản phẩm: {counted}.")
    if report.barred:
        click.echo(f"Lỗi: {len(report.barred)} sản phẩm không nhập được; chưa có gì thay đổi.", err=True)
    elif dry_run:
        click.echo("Chạy thử nên chưa có gì thay đổi.")
    ctx.exit(1 if report.barred else 0)


def _import_command(layer: Layer) -> click.Command:
    @click.command(layer.id, help=f"Nhập một tệp vào lớp “{layer.title.vi}”: mọi dòng, hoặc không dòng nào.")
    @click.argument("file", metavar="TỆP", type=FILE)
    @map_option()
    @click.option("--set", "fixed", multiple=True, callback=pairs, metavar="TRƯỜNG=GIÁ TRỊ", help=SET_HELP)
    @click.option(
        "--guess", is_flag=True, help="Ghép cột theo tiêu đề và theo lần nhập trước, không chỉ theo tên."
    )
    @click.option("--layer", "inner", metavar="LỚP", help="Lớp cần đọc, khi tệp có nhiều lớp.")
    @click.option("--encoding", metavar="BẢNG MÃ", help="Bảng mã chữ của tệp, ví dụ utf-8, tcvn3, vni.")
    @click.option("--crs", metavar="EPSG", help="Hệ tọa độ của tệp, ví dụ EPSG:9207 (VN-2000, 104°30′).")
    @click.option("--swap", is_flag=True, help="Đảo hai cột tọa độ X và Y.")
    @click.option("--outline", is_flag=True, help="Lấy vết GPS khép kín làm đường ranh của một vùng.")
    @click.option("--x", "x", metavar="CỘT", help="Cột hoành độ (đông) hoặc kinh độ của bảng.")
    @click.option("--y", "y", metavar="CỘT", help="Cột tung độ (bắc) hoặc vĩ độ của bảng.")
    @click.option(
        "--match", metavar="TRƯỜNG", help="Cập nhật bản ghi có cùng giá trị của trường này, hoặc id."
    )
    @click.option("--update-only", is_flag=True, help="Với --match: không thêm dòng mới.")
    @click.option("--skip-refused", is_flag=True, help="Bỏ qua những dòng bị từ chối.")
    @click.option("--skip-duplicates", is_flag=True, help="Bỏ qua những dòng trùng.")
    @click.option("--without-place", is_flag=True, help="Nhận cả dòng không có tọa độ.")
    @click.option("--dry-run", is_flag=True, help="Chỉ kiểm tra, không thay đổi gì.")
    @click.pass_context
    def command(ctx: click.Context, /, file: Path, guess: bool, dry_run: bool, **given: Any) -> None:
        session: Session = ctx.obj
        done = imports.import_file(
            session.record, layer, file, _choices(given), guess=guess, actor=SYSTEM, dry_run=dry_run
        )
        _show(done, dry_run=dry_run)
        ctx.exit(0 if done.rows_kept or not _barring(done) else 1)

    return command


def _choices(given: dict[str, Any]) -> imports.Choices:
    mode = ("update" if given["update_only"] else "both") if given["match"] else "add"
    return imports.Choices().with_(
        {
            "layer": given["inner"],
            "encoding": given["encoding"],
            "crs": _crs(given["crs"]),
            "swapped": given["swap"],
            "outlines": given["outline"],
            "columns": _columns(given["x"], given["y"], given["crs"]),
            "fields": given["mapping"],
            "fixed": given["fixed"],
            "mode": mode,
            "match": given["match"],
            "skip_refused": given["skip_refused"],
            "skip_duplicates": given["skip_duplicates"],
            "without_place": given["without_place"],
        }
    )


def _crs(text: str | None) -> str | None:
    return f"EPSG:{text}" if text and text.isdigit() else text


def _columns(x: str | None, y: str | None, crs: str | None) -> dict[str, Any] | None:
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise click.UsageError("--x và --y phải đi cùng nhau.")
    degrees = crs is not None and reference_systems.resolve(_crs(crs) or "").is_geographic
    return {"x": x, "y": y, "kind": "degrees" if degrees else "projected"}


def _barring(done: imports.Imported) -> bool:
    return bool(done.report.barred) and not done.choices.skip_refused


def _show(done: imports.Imported, *, dry_run: bool) -> None:
    _show_reading(done)
    matched = [f"{name} ← {column}" for name, column in done.choices.fields.items()]
    matched += [f"{name} = “{text}”" for name, text in done.choices.fixed.items()]
    click.echo(f"Trường: {', '.join(matched)}")
    if done.unused:
        click.echo(f"Cột không dùng: {', '.join(done.unused)}")
    _show_rows(done)
    counts, rows = done.report.counts, done.report.rows
    barred = len(done.report.barred)
    if _barring(done):
        click.echo(f"Lỗi: {barred} trong {len(rows)} dòng không nhập được; chưa có gì thay đổi.", err=True)
    elif dry_run:
        left = f", {barred} dòng bị bỏ qua" if barred else ""
        click.echo(f"{len(rows) - barred} dòng nhập được{left}; chạy thử nên chưa có gì thay đổi.")
    else:
        click.echo(f"Đã nhập {done.rows_kept} dòng vào lớp {done.layer.id}.")
    told = [f"{counts[state]} {title}" for state, title in TOLD.items() if counts[state]]
    if told:
        click.echo(f"Trong đó: {', '.join(told)}.")


def _show_reading(done: imports.Imported) -> None:
    """Say what was found out about the file, and why."""
    file = done.file
    click.echo(f"Tệp: {file.name} ({file.format}), {file.count} dòng, {file.geometry_type}")
    if file.encoding.chosen:
        click.echo(f"Bảng mã: {file.encoding.chosen}. {file.encoding.why}")
    if done.proposal is not None:
        swapped = ", đảo X và Y" if done.proposal.swapped else ""
        click.echo(f"Hệ tọa độ: {done.proposal.crs} ({done.proposal.title}){swapped}. {done.proposal.why}")
    if file.track_outline and not done.choices.outlines:
        click.echo("Lưu ý: tệp có vết GPS khép kín; thêm --outline để lấy làm đường ranh của vùng.", err=True)
    for warning in (*file.warnings, *file.crs.warnings):
        click.echo(f"Lưu ý: {warning}", err=True)


def _show_rows(done: imports.Imported) -> None:
    by_sentence: dict[str, list[int]] = {}
    for row in done.report.barred:
        by_sentence.setdefault(row.sentence, []).append(row.number)
    for sentence, rows in list(by_sentence.items())[:SHOWN_PROBLEMS]:
        _show_numbers(rows, sentence)
    if len(by_sentence) > SHOWN_PROBLEMS:
        click.echo(f"… và {len(by_sentence) - SHOWN_PROBLEMS} vấn đề khác.", err=True)
    repaired = [row for row in done.report.rows if row.repaired]
    for row in repaired[:SHOWN_ROWS]:
        click.echo(f"Dòng {row.number}: hình được sửa, {row.area_before} → {row.area_after} ha.")
    if repaired:
        click.echo(f"{len(repaired)} hình được sửa cho hợp lệ.")
    again = [r.number for r in done.report.rows if r.same_row is not None or r.same_record is not None]
    if again:
        _show_numbers(again, "trùng với dòng khác hoặc với bản ghi đã có.")
    over = [r.number for r in done.report.rows if r.overlaps]
    if over:
        _show_numbers(over, "chồng lên dòng khác hoặc lên bản ghi đã có.")


def _show_numbers(rows: list[int], sentence: str) -> None:
    named = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    more = f" … ({len(rows)} dòng)" if len(rows) > SHOWN_ROWS else ""
    click.echo(f"Dòng {named}{more}: {sentence}", err=True)
