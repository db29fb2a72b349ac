"""What every command works with: the settings and the store, opened when first needed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from data import founding
from data.store import Store
from layers import catalogue
from layers.fields import Layer
from services import jobs
from webmap.settings import Settings


class Session:
    """The settings and the store of one run of the program."""

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings of the environment."""
        return Settings.from_environment()

    @functools.cached_property
    def store(self) -> Store:
        """The store, whether or not there is a record in it."""
        store = Store(self.settings.database_url)
        jobs.install(store, self.settings.instance)
        return store

    @property
    def record(self) -> Store:
        """The store with a record of this program's schema; raises StoreError otherwise."""
        founding.require(self.store)
        return self.store

    @property
    def where(self) -> str:
        """Where the record is, without secrets."""
        return (
            str(self.store.path)
            if self.store.embedded
            else self.store.url.render_as_string(hide_password=True)
        )

    def close(self) -> None:
        """Close every connection."""
        if "store" in self.__dict__:
            self.store.dispose()


pass_session = click.make_pass_decorator(Session)

FILE = click.Path(dir_okay=False, path_type=Path)


def pairs(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read repeated `--map field=column` options."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, column = value.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise click.BadParameter(f"“{value}” phải có dạng trường=cột, ví dụ code=MA_XA.")
        found[name.strip()] = column.strip()
    return found


def map_option() -> Callable[[Any], Any]:
    """Return the option that matches fields to columns of a file."""
    return click.option(
        "--map",
        "mapping",
        multiple=True,
        callback=pairs,
        metavar="TRƯỜNG=CỘT",
        help="Cột của tệp cho một trường; có thể lặp lại.",
    )


def layer_named(ctx: click.Context, parameter: click.Parameter, name: str) -> Layer:
    """Find the layer that was named."""
    try:
        return catalogue.layer(name)
    except KeyError:
        raise click.BadParameter(no_such_layer(name)) from None


def no_such_layer(name: str) -> str:
    """Say which layers there are."""
    return f"không có lớp “{name}”; các lớp: {', '.join(layer.id for layer in catalogue.LAYERS)}."
