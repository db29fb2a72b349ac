"""`ocopmap check coverage`: what is wrong with the polygons of a layer or of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from data.store import Session as Reading
from layers import catalogue
from layers.fields import Layer
from layers.quality import places
from layers.quality.check import check_layer
from layers.quality.exceptions import accepted
from layers.quality.report import ERRORS, TITLES, Finding, Report, Rules, rules_of
from services import quality
from webmap.commands.session import FILE, Session, layer_named

SHOWN = 20


def _layer(ctx: click.Context, parameter: click.Parameter, name: str | None) -> Layer | None:
    return None if name is None else layer_named(ctx, parameter, name)


@click.command(
    "coverage",
    short_help="Kiểm tra chất lượng hình của một lớp hoặc một tệp.",
    help="Tìm hình không hợp lệ, trùng, chồng lấn, khoảng hở, mảnh vụn, phần lấn ra ngoài xã và tỉnh của một lớp "
    "hoặc của tệp --file; diện tích đo trên ellipsoid. Mã thoát 1 khi có lỗi.",
)
@click.argument("layer", metavar="LỚP", required=False, callback=_layer)
@click.option(
    "--file", "file", metavar="TỆP", type=FILE, help="Kiểm tra một tệp thay cho một lớp của bản ghi."
)
@click.option("--file-layer", metavar="LỚP", help="Lớp cần đọc, khi tệp có nhiều lớp.")
@click.option("--commune", metavar="MÃ", help="Chỉ những lỗi có hồ sơ thuộc xã này.")
@click.option("--minimum-m2", type=click.FloatRange(0), help="Bỏ qua lỗi nhỏ hơn diện tích này.")
@click.option(
    "--width", "width_m", type=click.FloatRange(0), help="Khe và mảnh hẹp hơn chừng này mét là lỗi."
)
@click.option(
    "--tiling/--no-tiling",
    default=None,
    help="Các hình có phải phủ kín, không để khoảng hở hay không; mặc định theo lớp, với tệp là có.",
)
@click.option("--json", "as_json", metavar="TỆP", type=FILE, help="Ghi báo cáo đầy đủ dạng JSON.")
@click.option("--geojson", "as_geojson", metavar="TỆP", type=FILE, help="Ghi các lỗi thành lớp GeoJSON.")
@click.option(
    "--limit", default=SHOWN, show_default=True, type=click.IntRange(0), help="Số lỗi in ra mỗi loại."
)
@click.pass_context
def check_coverage(
    ctx: click.Context,
    layer: Layer | None,
    file: Path | None,
    file_layer: str | None,
    commune: str | None,
    minimum_m2: float | None,
    width_m: float | None,
    tiling: bool | None,
    as_json: Path | None,
    as_geojson: Path | None,
    limit: int,
) -> None:
    """Print what is wrong, and write it to files."""
    session: Session = ctx.obj
    if layer is None and file is None:
        raise click.UsageError("Hãy nêu tên một lớp, hoặc một tệp bằng --file.")
    rules = _rules(layer, minimum_m2, width_m, tiling)
    if file is not None:
        report = quality.check_file(file, rules, layer=file_layer, store=session.store, progress=_tell)
    else:
        assert layer is not None
        with session.record.reading() as reading:
            report = _of_layer(reading, layer, rules, commune)
    _write(report, as_json, as_geojson)
    _show(report, limit)
    ctx.exit(1 if report.has_errors else 0)


def _rules(
    layer: Layer | None, minimum_m2: float | None, width_m: float | None, tiling: bool | None
) -> Rules:
    usual = rules_of(layer or catalogue.layer("communes"), minimum_m2=minimum_m2, width_m=width_m)
    return usual if tiling is None else Rules(usual.minimum_m2, usual.width_m, tiling)


def _of_layer(reading: Reading, layer: Layer, rules: Rules, commune: str | None) -> Report:
    report = check_layer(reading, layer, rules, progress=_tell)
    known = accepted(reading, layer, report.findings)
    if known:
        click.echo(f"Bỏ qua {len(known)} lỗi đã được chấp nhận.", err=True)
    report.findings = [f for f in report.findings if f.key not in known]
    if commune is not None:
        found = places.within(reading, layer, report.findings, commune)
        if found is None:
            raise click.BadParameter(f"không có xã mang mã “{commune}”.", param_hint="--commune")
        report.findings = found
    return report


def _tell(done: int, total: int, title: str) -> None:
    click.echo(f"  {done}/{total} {title}", err=True)


def _write(report: Report, as_json: Path | None, as_geojson: Path | None) -> None:
    if as_json is not None:
        document = report.as_dict()
        for finding in document["findings"]:
            finding.pop("wkb")
        as_json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    if as_geojson is not None:
        features = [finding.as_feature() for finding in report.findings]
        collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        as_geojson.write_bytes(orjson.dumps(collection))


def _show(report: Report, limit: int) -> None:
    areas = report.areas()
    for kind, count in report.counts().items():
        sign = "LỖI" if kind in ERRORS else "lưu ý"
        click.echo(f"{sign:6} {TITLES[kind].vi:32} {count:>6}  {_number(areas[kind]):>16} m²")
        for finding in [f for f in report.findings if f.kind == kind][:limit]:
            click.echo(f"         {_line(finding)}")
        if count > limit:
            click.echo(f"         … và {count - limit} lỗi khác; ghi đủ bằng --json hoặc --geojson.")
    errors = sum(f.is_error for f in report.findings)
    click.echo(
        f"{report.subject}: {report.rows} hình, {errors} lỗi, {len(report.findings) - errors} lưu ý "
        f"({report.seconds:.1f} giây)."
    )


def _line(finding: Finding) -> str:
    place = "" if finding.lon is None else f"{finding.lon:.6f}, {finding.lat:.6f}"
    shown = finding.ids if len(finding.ids) <= 6 else (*finding.ids[:6], "…")
    size = f"{_number(finding.area_m2)} m²"
    width = f", rộng {_number(finding.width_m, 2)} m" if finding.width_m else ""
    reason = finding.facts.get("reason")
    said = f"; {reason % finding.facts['reason_facts']}" if reason else ""
    return f"[{', '.join(map(str, shown))}] {place}: {size}{width}{said}"


def _number(value: float, digits: int = 1) -> str:
    """Write a number the Vietnamese way: 1.234,5."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))
