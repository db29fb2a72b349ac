"""The criteria on the command line: score ballots, and check the editions."""

from __future__ import annotations

import json
from pathlib import Path

import click

from data.programme import criteria, scoresheet, scoring
from webmap.commands.session import FILE


@click.command(
    short_help="Chấm các phiếu.",
    help="Chấm các phiếu của một sản phẩm theo một ấn bản tiêu chí và in kết quả dạng JSON. TỆP là danh sách JSON "
    "các phiếu, mỗi phiếu là {mã tiêu chí: thứ tự mức đã chọn, đếm từ 0}.",
)
@click.option("--edition", required=True, metavar="NĂM", help="Ấn bản tiêu chí, ví dụ 2019 hoặc 2026.")
@click.option("--set", "number", required=True, metavar="BỘ", help="Số hoặc tên của bộ sản phẩm.")
@click.argument("file", metavar="TỆP", type=FILE)
def score(edition: str, number: str, file: Path) -> None:
    """Print what the ballots of a file come to."""
    chosen = criteria.edition(edition)
    product_set = chosen.set(number)
    ballots = [scoresheet.read_ballot(document) for document in _read(file)]
    result = scoring.count(chosen, product_set, ballots)
    click.echo(json.dumps(scoresheet.sheet(result), ensure_ascii=False, indent=1))


def _read(file: Path) -> list[object]:
    try:
        documents = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, UnicodeDecodeError) as error:
        raise scoring.BallotError("Tệp %(file)s không phải JSON đọc được.", file=file.name) from error
    if not isinstance(documents, list):
        raise scoring.BallotError("Tệp %(file)s phải là một danh sách JSON các phiếu.", file=file.name)
    return documents


@click.command(
    "criteria",
    short_help="Liệt kê ấn bản tiêu chí.",
    help="Liệt kê các ấn bản tiêu chí, các bộ sản phẩm, và những chỗ sai hoặc còn ngờ trong nguồn.",
)
@click.argument("edition", metavar="[ẤN BẢN]", required=False)
def criteria_(edition: str | None) -> None:
    """Print the editions, or the sets and defects of one."""
    if edition is None:
        for name in criteria.editions():
            one = criteria.edition(name)
            until = one.valid_to.strftime("%d/%m/%Y") if one.valid_to else "nay"
            click.echo(f"{name}  {one.name}: từ {one.valid_from:%d/%m/%Y} đến {until}, {len(one.sets)} bộ")
        return
    one = criteria.edition(edition)
    for product_set in one.sets:
        parts = " · ".join(f"{p.code} {p.max}" for p in product_set.parts)
        click.echo(f"{product_set.number:3} {product_set.name}  ({parts or 'không có nội dung'})")
    for correction in one.corrections:
        click.echo(f"Đã đính chính, bộ {correction.set}: {correction}")
    for defect in criteria.defects(one):
        click.echo(f"{'Sai' if defect.grave else 'Ngờ'}, bộ {defect.set or 'mọi'}: {defect}")
