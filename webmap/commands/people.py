"""Accounts and keys: `ocopmap user` and `ocopmap key`."""

from __future__ import annotations

import sys

import click

from data import keys, people
from data.accounts import Role
from webmap.commands.session import Session, pass_session

ROLES = [role.value for role in Role if role != Role.PUBLIC]


@click.group(help="Tài khoản của những người đăng nhập.")
def user() -> None:
    """Group the account commands."""


@user.command("add", help="Thêm một tài khoản; mật khẩu được hỏi, hoặc đọc từ đầu vào chuẩn.")
@click.argument("name", metavar="TÊN")
@click.option("--role", required=True, type=click.Choice(ROLES), help="Vai trò.")
@click.option("--territory", metavar="MÃ", help="Mã xã hoặc huyện mà cán bộ phụ trách.")
@click.option("--producer", type=int, metavar="SỐ", help="Số của chủ thể mà người này đại diện.")
@click.option("--name", "display_name", default="", metavar="HỌ TÊN", help="Tên hiển thị.")
@click.option("--password-stdin", is_flag=True, help="Đọc mật khẩu từ dòng đầu của đầu vào chuẩn.")
@pass_session
def add(
    session: Session,
    name: str,
    role: str,
    territory: str | None,
    producer: int | None,
    display_name: str,
    password_stdin: bool,
) -> None:
    """Add an account with a password."""
    store = session.record
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Mật khẩu", hide_input=True, confirmation_prompt="Nhập lại mật khẩu")
    people.add_person(
        store,
        name,
        role,
        password=password or " ",
        display_name=display_name,
        territory=territory,
        producer_id=producer,
    )
    click.echo(f"Đã thêm tài khoản {name.strip().lower()} ({role}).")


@user.command("list", help="Liệt kê tài khoản.")
@pass_session
def list_(session: Session) -> None:
    """List the accounts with role, territory, keys and state."""
    with session.record.reading() as reading:
        for account, keys in people.everyone(reading):
            place = account.commune or account.district
            parts = [
                f"{account.username:20}",
                f"{account.role:18}",
                f"{place.code} {place.full_name}" if place else "",
                account.display_name if account.display_name != account.username else "",
                f"{keys} khóa" if keys else "",
                "" if account.active else "đã ngừng",
            ]
            click.echo("  ".join(part for part in parts if part))


@click.group(help="Khóa cho chương trình bản đồ và máy khác.")
def key() -> None:
    """Group the key commands."""


@key.command("add", help="Tạo một khóa; nó chỉ được in ra một lần này.")
@click.argument("name", metavar="TÊN")
@click.option("--role", type=click.Choice(ROLES), help="Tạo luôn tài khoản không mật khẩu với vai trò này.")
@click.option("--territory", metavar="MÃ", help="Mã xã hoặc huyện của tài khoản được tạo.")
@click.option("--producer", type=int, metavar="SỐ", help="Số của chủ thể mà khóa đại diện.")
@pass_session
def add_key(
    session: Session, name: str, role: str | None, territory: str | None, producer: int | None
) -> None:
    """Make a key for an account and print it."""
    made = people.add_key(session.record, name, role=role, territory=territory, producer_id=producer)
    click.echo(made)


@key.command("list", help="Liệt kê các khóa; --all kể cả khóa đã thu hồi.")
@click.option("--all", "with_revoked", is_flag=True, help="Kể cả khóa đã thu hồi.")
@pass_session
def list_keys(session: Session, with_revoked: bool) -> None:
    """List the keys with their accounts, without what makes them work."""
    with session.record.reading() as reading:
        for one in keys.everybodys(reading, working=not with_revoked):
            account = one.account
            place = account.commune or account.district
            parts = [
                f"ocop_{one.prefix}…",
                f"{account.username:20}",
                f"{account.role:18}",
                f"{place.code} {place.full_name}" if place else "",
                f"chủ thể {account.producer_id}" if account.producer_id else "",
                one.name if one.name != account.username else "",
                f"{one.created_at:%Y-%m-%d}",
                "đã thu hồi" if one.revoked_at else "",
            ]
            click.echo("  ".join(part for part in parts if part))


@key.command("revoke", help="Thu hồi một khóa, chỉ ra bằng phần đầu của nó (ocop_1a2b3c4d).")
@click.argument("prefix", metavar="KHÓA")
@pass_session
def revoke_key(session: Session, prefix: str) -> None:
    """Make a key worthless."""
    username = keys.revoke_named(session.record, prefix)
    click.echo(f"Đã thu hồi khóa của {username}.")
