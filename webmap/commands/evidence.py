"""Tamper evidence: `ocopmap evidence key`, `head`, `export` and `verify`."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from data.accounts import SYSTEM
from data.readonly import reading_copy
from data.store import Session as Reading
from data.traceability import heads, lookup, signing, verification
from data.traceability.heads import Head, HeadError
from data.traceability.matching import Fault
from data.traceability.signing import PublicKey
from data.traceability.verification import MOST_FAULTS, Checkpoint
from gis.errors import Refusal
from webmap.commands.session import FILE, Session, pass_session

TELL_EVERY = 10_000


@click.group(help="Chứng cứ chống sửa hồ sơ truy xuất: khóa, đầu chuỗi đã ký, xuất ra và kiểm tra.")
def evidence() -> None:
    """Group the evidence commands."""


@evidence.command(help="In khóa công khai; tạo khóa ký trong thư mục của bản ghi nếu chưa có.")
@pass_session
def key(session: Session) -> None:
    """Print the public key, made first where there is none."""
    path = signing.key_file(session.settings.instance)
    made = not path.exists()
    public = signing.kept_key(path).public
    click.echo(json.dumps(public.jwk, sort_keys=True))
    click.echo(
        f"{'Đã tạo khóa' if made else 'Khóa'} ở {path}; hãy sao lưu tệp này riêng với bản ghi.", err=True
    )


@evidence.command(help="Ký đầu chuỗi của hôm nay, nếu có sự kiện mới; máy chủ tự làm việc này mỗi ngày.")
@pass_session
def head(session: Session) -> None:
    """Sign the head of today."""
    made = heads.sign_due(session.record, signing.key_file(session.settings.instance))
    with session.record.reading() as reading:
        latest = heads.latest(reading)
    if made is not None:
        click.echo(f"Đã ký đầu chuỗi: {made.fingerprint} · {made.events} sự kiện.")
    elif latest is None:
        click.echo("Chưa có sự kiện nào để ký.")
    else:
        click.echo(f"Không có gì mới để ký hôm nay; đầu chuỗi mới nhất: {latest.fingerprint}.")


@evidence.command(
    help="Ghi mọi đầu chuỗi đã ký và khóa công khai vào TỆP (JSON theo dòng), để giữ ở nơi khác."
)
@click.argument("file", metavar="TỆP", type=FILE)
@pass_session
def export(session: Session, file: Path) -> None:
    """Write the heads to a file."""
    with session.record.reading() as reading:
        lines = list(heads.export_lines(reading))
    _replace(file, "".join(f"{line}\n" for line in lines))
    click.echo(f"Đã ghi {len(lines) - 1} đầu chuỗi vào {file}.")


@evidence.command(
    short_help="Kiểm tra chuỗi chứng cứ.",
    help="Tính lại mã của mọi sự kiện và so với chuỗi, với các đầu chuỗi đã ký. Mã thoát 1 khi có gì không khớp; "
    "dòng sai đầu tiên được nêu trước.",
)
@click.option("--against", type=FILE, metavar="TỆP", help="Đầu chuỗi và khóa đã giữ ngoài bản ghi.")
@click.option("--lot", metavar="LÔ", help="Chỉ kiểm chuỗi của một lô.")
@click.option("--copy", type=FILE, metavar="TỆP", help="Kiểm một bản sao GeoPackage, mở chỉ để đọc.")
@click.option("--resume", type=FILE, metavar="TỆP", help="Ghi chỗ đã kiểm vào tệp; lần sau kiểm tiếp từ đó.")
@click.pass_context
def verify(
    ctx: click.Context, against: Path | None, lot: str | None, copy: Path | None, resume: Path | None
) -> None:
    """Check the record and print what is wrong."""
    session: Session = ctx.obj
    trusted, outside = _kept_heads(against) if against else (None, [])
    with _reading(session, copy) as reading:
        if lot is not None:
            ctx.exit(_tell(_faults_of_lot(reading, lot)))
        start, told = _checkpoint(resume) or Checkpoint(), Teller(resume)
        faults = verification.verify(
            reading, trusted=trusted, outside=outside, start=start, progress=told.hear
        )
        code = _tell(faults)
        if against is None:
            _tell_keys(session, reading)
        ctx.exit(code)


def _tell_keys(session: Session, reading: Reading) -> None:
    """Say by which keys the heads are signed: what only the record vouches for is no proof against its operator."""
    path = signing.key_file(session.settings.instance)
    own = signing.read_key(path).public.id if path.exists() else None
    for name in sorted({found.key_id for found in heads.heads(reading)}):
        where = "khóa của máy này" if name == own else "chỉ có trong bản ghi"
        click.echo(f"Đầu chuỗi ký bằng khóa {name} ({where}).", err=True)
    click.echo("Muốn chắc hơn, hãy kiểm với tệp đã giữ ở nơi khác: --against TỆP.", err=True)


@contextmanager
def _reading(session: Session, copy: Path | None) -> Iterator[Reading]:
    with reading_copy(copy) if copy is not None else session.record.reading() as reading:
        yield reading


def _kept_heads(file: Path) -> tuple[dict[str, PublicKey], list[Head]]:
    with file.open(encoding="utf-8") as lines:
        try:
            return heads.read_export(lines)
        except UnicodeDecodeError as error:
            raise HeadError("Tệp “%(path)s” không phải là tệp đầu chuỗi.", path=file) from error


def _faults_of_lot(reading: Reading, lot: str) -> Iterable[Fault]:
    found = lookup.named(reading, SYSTEM, lot)
    if found.item is None:
        raise Refusal("Lô “%(lot)s” chưa có sự kiện nào.", lot=lot)
    return verification.verify_thing(reading, found.item.id)


def _tell(faults: Iterable[Fault]) -> int:
    """Print faults as they are found; return the exit code."""
    found = 0
    for fault in itertools.islice(faults, MOST_FAULTS + 1):
        found += 1
        if found > MOST_FAULTS:
            click.echo(f"… còn nữa; chỉ in {MOST_FAULTS} chỗ đầu.")
            break
        click.echo(f"SAI   {fault.sentence}")
    if not found:
        click.echo("Khớp: mọi sự kiện, mắt xích và đầu chuỗi đã ký đều như lúc ghi.")
    return 1 if found else 0


class Teller:
    """Tells how far a check has come, and keeps it in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.told = 0

    def hear(self, at: Checkpoint) -> None:
        """Hear of a part that was checked."""
        if self.file is not None:
            _replace(self.file, json.dumps(verification.as_json(at)))
        if at.events - self.told >= TELL_EVERY:
            self.told = at.events
            click.echo(f"  đã kiểm {at.events} sự kiện, đến dòng {at.row_id}", err=True)


def _checkpoint(file: Path | None) -> Checkpoint | None:
    if file is None or not file.exists():
        return None
    try:
        return verification.from_json(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise verification.VerificationError(
            "Tệp ghi chỗ đang kiểm không đọc được; hãy xóa nó để kiểm từ đầu."
        ) from error


def _replace(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
