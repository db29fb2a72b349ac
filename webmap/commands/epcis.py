"""EPCIS documents on the command line: `ocopmap epcis check`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from data.traceability import documents
from webmap.commands.session import FILE


@click.group(help="Tài liệu EPCIS 2.0.")
def epcis() -> None:
    """Group the EPCIS commands."""


@epcis.command(
    short_help="Kiểm tra một tài liệu.",
    help="Kiểm tra một tài liệu EPCIS 2.0 (JSON) và in từng lỗi với vị trí của nó; kết thúc với mã 1 khi có lỗi. "
    "Với --repair thì sửa những gì sửa được trước, in từng chỗ sửa, rồi in các lỗi còn lại.",
)
@click.argument("file", metavar="TỆP", type=FILE)
@click.option("--repair", is_flag=True, help="Đọc rộng rãi: sửa những gì sửa được.")
@click.option("--output", metavar="TỆP", type=FILE, help="Ghi tài liệu đã sửa ra tệp (cùng với --repair).")
@click.pass_context
def check(ctx: click.Context, file: Path, repair: bool, output: Path | None) -> None:
    """Print the faults of a document, and with repair what was put right."""
    document = documents.parsed(file.read_bytes())
    if repair:
        document, repairs = documents.repaired(document)
        for change in repairs:
            click.echo(f"Sửa  {change}")
        if output is not None:
            output.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    found = documents.faults(document)
    for fault in found:
        click.echo(f"Lỗi  {fault}")
    if found:
        click.echo(f"{file.name}: {len(found)} lỗi.")
        ctx.exit(1)
    click.echo(f"{file.name}: hợp lệ, {len(documents.events_of(document)[0])} sự kiện.")
