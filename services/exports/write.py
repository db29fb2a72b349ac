"""An export as a file: whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyogrio

from data.accounts import PUBLIC, Actor
from data.store import Store
from layers import read
from layers.fields import Layer
from services.errors import ExportError
from services.exports.formats import FORMATS
from services.exports.wish import Wish, parse
from services.formats import Context, Features, features_of

SCRATCH = ".export-"
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Exported:
    """What was written: the number of rows, and the fields whose texts the format had to cut."""

    rows: int
    cut: tuple[str, ...] = ()


def export(store: Store, layer: Layer, path: Path, form: str, actor: Actor = PUBLIC) -> Exported:
    """Write all rows of a layer that the actor sees to a file of a format. Raises ExportError."""
    return export_wish(store, parse(layer, form, {}, actor), path, actor)


def export_wish(
    store: Store, wish: Wish, path: Path, actor: Actor = PUBLIC, *, progress: Progress | None = None
) -> Exported:
    """Write what is wished to a file; `progress` is told the number of rows so far and may raise to stop.

    The file appears whole or not at all and replaces one of the same name. A shapefile comes with its side files,
    or as an archive when the name ends in `.zip`. Raises ExportError, FilterError and ReadError.
    """
    is_shapefile = wish.form.name == "shp"
    if is_shapefile and path.suffix not in (".shp", ".zip"):
        raise ExportError("Tên tệp shapefile phải kết thúc bằng .shp hoặc .zip.")
    if not path.parent.is_dir():
        raise ExportError("Không có thư mục “%(folder)s”.", folder=path.parent)
    if path.is_dir():
        raise ExportError("“%(path)s” là thư mục; hãy chỉ ra tên tệp.", path=path)
    try:
        with scratch(path.parent) as folder:
            return _write(store, wish, path, actor, folder, progress)
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise ExportError("Không ghi được “%(path)s”: %(reason)s.", path=path, reason=error) from error


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Lend a folder for files in the making, beside where they will be; what a killed process left goes first."""
    for left in parent.glob(f"{SCRATCH}*"):
        owner = left.name.removeprefix(SCRATCH).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=parent) as folder:
        yield Path(folder)


def body(features: Features, wish: Wish, context: Context) -> Iterator[bytes]:
    """The bytes of an export."""
    return FORMATS[wish.form.name].encode(features, context)


def _write(
    store: Store, wish: Wish, path: Path, actor: Actor, folder: Path, progress: Progress | None
) -> Exported:
    features = features_of(store, wish.query(actor))
    counted = _Counted(features.pages, progress)
    context = replace(wish.context(), scratch=folder)
    made = folder / "file"
    with made.open("wb") as file:
        file.writelines(body(replace(features, pages=counted), wish, context))
        file.flush()
        os.fsync(file.fileno())
    if path.suffix == ".shp":
        _unpack(made, path, wish.layer.id, folder)
    else:
        os.replace(made, path)
    return Exported(counted.rows, tuple(f.name for f in features.fields if f.name in context.cut))


def _unpack(archive: Path, path: Path, stem: str, folder: Path) -> None:
    """Lay the files of a shapefile beside each other, named like the path; the .shp itself comes last."""
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        packed.extractall(folder)
    for name in sorted(names, key=lambda name: name.endswith(".shp")):
        rest = name.removeprefix(stem) if name.startswith(stem) else f"_{name}"
        os.replace(folder / name, path.with_name(path.stem + rest))


class _Counted:
    """Pages on their way into a file, counted."""

    def __init__(self, pages: Iterable[read.Rows], progress: Progress | None) -> None:
        self.pages, self.progress = pages, progress
        self.rows = 0

    def __iter__(self) -> Iterator[read.Rows]:
        for page in self.pages:
            self.rows += len(page)
            if self.progress is not None:
                self.progress(self.rows)
            yield page


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
