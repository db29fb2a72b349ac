"""The command `ocopmap`: found, serve, fill and look after a record."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import click

from data import backup, founding, migrate
from data.schema import newest_schema
from gis.errors import Refusal
from webmap.commands.batch import batch
from webmap.commands.boundaries import boundaries
from webmap.commands.care import back_up, check, restore
from webmap.commands.epcis import epcis
from webmap.commands.evidence import evidence
from webmap.commands.exchange import exchange
from webmap.commands.exporting import export
from webmap.commands.files import import_
from webmap.commands.maps import map_
from webmap.commands.people import key, user
from webmap.commands.score import criteria_, score
from webmap.commands.session import Session, pass_session
from webmap.commands.trace import trace
from webmap.commands.work import work
from webmap.settings import NAMES

HELP = """Nền tảng không gian OCOP của một tỉnh.

Cài đặt đọc từ biến môi trường OCOPMAP_…; xem bằng lệnh `ocopmap config`.
"""


class Refused(click.ClickException):
    """One sentence on standard error instead of a traceback."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"Lỗi: {self.message}", file=file, err=True)


class Program(click.Group):
    """The program: what a command refuses is told in one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn refusals into sentences."""
        try:
            with founding.explained():
                return super().invoke(ctx)
        except Refusal as error:
            raise Refused(str(error)) from error
        except OSError as error:
            place = f" “{error.filename}”" if error.filename else ""
            raise Refused(f"Hệ điều hành báo{place}: {error.strerror or error}.") from error


@click.group(
    cls=Program, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="ocopmap", prog_name="ocopmap")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run a command."""
    ctx.obj = Session()
    ctx.call_on_close(ctx.obj.close)


@main.command(help="Tạo bản ghi; với --demo thì kèm tỉnh minh họa.")
@click.option("--demo", is_flag=True, help="Đổ vào tỉnh minh họa.")
@click.option("--if-missing", is_flag=True, help="Không làm gì khi đã có bản ghi.")
@pass_session
def init(session: Session, demo: bool, if_missing: bool) -> None:
    """Create the record, whole or not at all."""
    settings, store = session.settings, session.store
    if if_missing and store.exists():
        click.echo(f"Đã có bản ghi {session.where}.")
        return
    settings.instance.mkdir(parents=True, exist_ok=True)
    counts = founding.found(
        store, demo=demo, media=settings.media, progress=lambda text: click.echo(f"  {text}", err=True)
    )
    _ = settings.secret_key
    for name, count in counts.items():
        click.echo(f"{name:28} {count:>8}")
    click.echo(f"Đã tạo bản ghi {session.where}.")
    click.echo("Tiếp theo: ocopmap user add TÊN --role administrator, rồi ocopmap serve.")


@main.command(
    short_help="Nâng cấp bản ghi.",
    help="Nâng cấp bản ghi lên phiên bản của chương trình; bản trước đó được giữ lại.",
)
@pass_session
def upgrade(session: Session) -> None:
    """Migrate the record to the newest schema, keeping a copy of what it was."""
    store = session.store
    if not store.exists():
        founding.require(store)
    before = migrate.current(store)
    backup.check_schema(str(before))
    if before == newest_schema():
        click.echo(f"Bản ghi đã ở lược đồ {before}, không cần nâng cấp.")
        return
    kept = backup.keep_before(store, "upgrade", session.settings.instance)
    _, after = migrate.upgrade(store)
    click.echo(f"Đã nâng cấp từ lược đồ {before} lên {after}; bản trước khi nâng cấp ở {kept}.")


@main.command(help="Phục vụ trang web và các dịch vụ.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Địa chỉ lắng nghe.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Cổng.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Số tiến trình.")
@pass_session
def serve(session: Session, host: str, port: int, workers: int) -> None:
    """Become gunicorn, after making sure that there is something to serve."""
    founding.require(session.store)
    _ = session.settings.secret_key
    _refuse_taken(host, port)
    session.close()
    click.echo(f"Phục vụ tại http://{host}:{port} từ {session.where}; dừng bằng Ctrl+C.", err=True)
    sys.stderr.flush()
    arguments = ["-m", "gunicorn", "--config", "python:webmap.gunicorn_conf"]
    arguments += [
        "--bind",
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "--workers",
        str(workers),
    ]
    os.execv(sys.executable, [sys.executable, *arguments, "webmap.wsgi:app"])


def _refuse_taken(host: str, port: int) -> None:
    """Say at once what gunicorn would only say after five tries."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(f"Không mở được cổng {port} ở {host}: {error.strerror}.") from error


@main.command(help="In các cài đặt, giá trị và nơi chúng đến từ.")
@pass_session
def config(session: Session) -> None:
    """Print every setting with its value and origin."""
    for name, value, origin in session.settings.shown():
        click.echo(f"{name}={value}")
        click.echo(f"    {origin} · {NAMES[name.removeprefix('OCOPMAP_')]}")


for command in (
    boundaries,
    import_,
    exchange,
    epcis,
    export,
    map_,
    user,
    key,
    check,
    back_up,
    restore,
    score,
    criteria_,
    work,
    evidence,
    trace,
    batch,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
