"""What every table of the record shares: naming, column types, publication status and version."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from data.columns import Document, Moment

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

DRAFT, PUBLISHED, ARCHIVED = "draft", "published", "archived"


def now() -> dt.datetime:
    """Return the present moment in UTC."""
    return dt.datetime.now(dt.UTC)


class Base(DeclarativeBase):
    """The declarative base: text is TEXT and numbers are DOUBLE, since other types vanish in GeoPackage readers."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: sa.Text(),
        float: sa.Double(),
        bytes: sa.LargeBinary(),
        dt.datetime: Moment(),
        dt.date: sa.Date(),
        dict[str, Any]: Document(),
        list[Any]: Document(),
    }

    @declared_attr.directive
    def __tablename__(cls) -> str:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if words.endswith("y") and not words.endswith("key"):
            return words[:-1] + "ies"
        return words + ("es" if words.endswith("ch") else "s")

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-10)


class Tracked:
    """A row that several people may edit: its version rises with each change, so that no edit is lost silently."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=90)
    created_at: Mapped[dt.datetime | None] = mapped_column(default=now, sort_order=91)
    updated_at: Mapped[dt.datetime | None] = mapped_column(default=now, onupdate=now, sort_order=92)
    search: Mapped[str | None] = mapped_column(sort_order=93)
    source: Mapped[str | None] = mapped_column(sort_order=94)


class Published(Tracked):
    """A tracked row that the public sees only once it is published."""

    status: Mapped[str] = mapped_column(default=PUBLISHED, server_default=PUBLISHED, sort_order=80)
