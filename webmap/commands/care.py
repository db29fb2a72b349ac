"""Looking after a record: `ocopmap check`, `backup` and `restore`."""

from __future__ import annotations

from pathlib import Path

import click

from data import backup as backups
from data import integrity
from webmap.commands.coverage import check_coverage
from webmap.commands.session import FILE, Session, pass_session

SIGNS = {
    integrity.Verdict.GOOD: "tốt",
    integrity.Verdict.NOTICE: "lưu ý",
    integrity.Verdict.ERROR: "LỖI",
}


@click.group(
    invoke_without_command=True,
    short_help="Kiểm tra bản ghi.",
    help="Kiểm tra bản ghi: tệp, chỉ mục, số đếm, hình học, địa bàn, diện tích. Mã thoát 1 khi có lỗi. "
    "`coverage` kiểm tra chất lượng hình của một lớp hoặc một tệp.",
)
@click.option("--problems", is_flag=True, help="Chỉ in những dòng có vấn đề.")
@click.pass_context
def check(ctx: click.Context, problems: bool) -> None:
    """Print a table of findings."""
    if ctx.invoked_subcommand is not None:
        return
    session: Session = ctx.obj
    store = session.store
    if not store.exists():
        store = session.record
    findings = []
    for finding in integrity.look_over(store):
        findings.append(finding)
        if not problems or finding.verdict != integrity.Verdict.GOOD:
            line = f"{SIGNS[finding.verdict]:6} {finding.subject:22} {finding.check:32} {finding.detail}"
            click.echo(line.rstrip())
    count = {verdict: sum(f.verdict == verdict for f in findings) for verdict in integrity.Verdict}
    errors, notices = count[integrity.Verdict.ERROR], count[integrity.Verdict.NOTICE]
    click.echo(f"{len(findings)} mục kiểm tra: {errors} lỗi, {notices} lưu ý.")
    ctx.exit(1 if integrity.has_errors(findings) else 0)


check.add_command(check_coverage)


@click.command(
    "backup",
    short_help="Sao lưu bản ghi và ảnh.",
    help="Sao lưu bản ghi trong khi máy chủ vẫn chạy; ảnh được chép sang TỆP.media.tar.",
)
@click.argument("file", metavar="TỆP", type=FILE)
@pass_session
def back_up(session: Session, file: Path) -> None:
    """Copy the record and its photos."""
    store = session.store
    if not store.exists():
        store = session.record
    made = backups.backup(store, file, media=session.settings.media)
    click.echo(f"Đã sao lưu {session.where} vào {made.path} ({made.size:,} byte).".replace(",", "."))
    if made.media:
        click.echo(f"Ảnh ở {made.media}.")


@click.command(
    short_help="Khôi phục từ bản sao lưu.",
    help="Khôi phục bản ghi từ bản sao lưu trong khi máy chủ vẫn chạy; bản hiện tại được giữ lại. "
    "Ảnh lấy từ TỆP.media.tar nếu có.",
)
@click.argument("file", metavar="TỆP", type=FILE)
@pass_session
def restore(session: Session, file: Path) -> None:
    """Bring a backup back."""
    settings = session.settings
    done = backups.restore(session.store, file, keep_in=settings.instance, media=settings.media)
    click.echo(f"Đã khôi phục {session.where} từ {file}.")
    if done.kept:
        click.echo(f"Bản trước đó được giữ ở {done.kept}.")
    if done.schema != done.upgraded_to:
        click.echo(f"Lược đồ của bản sao lưu được nâng từ {done.schema} lên {done.upgraded_to}.")
    if done.media_files:
        click.echo(f"Đã thêm {done.media_files} tệp ảnh.")
    if done.replaced_file:
        click.echo("Tệp cũ không đọc được nên đã được thay; hãy khởi động lại máy chủ.")
