"""Settings: few, typed, read in one place from `OCOPMAP_…`, each with where its value comes from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from data.store import StoreError, read_address
from gis.errors import Refusal

PREFIX = "OCOPMAP_"
RECORD_NAME = "province.gpkg"
SHORTEST_SECRET = 16

FROM_ENVIRONMENT = "biến môi trường"
FROM_DEFAULT = "mặc định"


class SettingError(Refusal):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True)
class Basemap:
    """A background map of tiles, and whom to thank for it."""

    url: str
    attribution: str = ""

    @property
    def host(self) -> str:
        """The origin that pages must be allowed to load pictures from; empty when it is our own."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def as_dict(self) -> dict[str, object]:
        """Return {"tiles": [url], "attribution": …} as the map's style wants it."""
        return {"tiles": [self.url], "attribution": self.attribution}


@dataclass(frozen=True)
class Settings:
    """What the operator of an installation decides."""

    instance: Path
    database_url: str = field(repr=False)
    base_url: str | None = None
    basemap: Basemap | None = None
    given_secret: str | None = field(default=None, repr=False)
    private_webhooks: bool = False
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raises SettingError for a value that cannot be used."""
        given = {
            name.removeprefix(PREFIX): value.strip()
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(PREFIX) and value.strip()
        }
        instance = _instance(given.get("INSTANCE", "instance"))
        return cls(
            instance=instance,
            database_url=_database_url(given.get("DATABASE_URL") or f"gpkg:///{instance / RECORD_NAME}"),
            base_url=_base_url(given["BASE_URL"]) if "BASE_URL" in given else None,
            basemap=_basemap(given["BASEMAP"]) if "BASEMAP" in given else None,
            given_secret=_secret(given["SECRET_KEY"]) if "SECRET_KEY" in given else None,
            private_webhooks=_yes("PRIVATE_WEBHOOKS", given.get("PRIVATE_WEBHOOKS", "no")),
            origins={name: FROM_ENVIRONMENT if name in given else FROM_DEFAULT for name in NAMES},
        )

    @property
    def media(self) -> Path:
        """The folder of photos."""
        return self.instance.resolve() / "media"

    @property
    def secret_file(self) -> Path:
        """The file that keeps the key which signs sessions, where the operator gives none."""
        return self.instance / "secret_key"

    @property
    def secret_key(self) -> str:
        """The key that signs sessions: the operator's, or one made once and kept in the instance folder."""
        return self.given_secret or _kept_secret(self.secret_file)

    def shown(self) -> list[tuple[str, str, str]]:
        """List name, value and origin of every setting, with secrets masked."""
        basemap = self.basemap
        values = {
            "DATABASE_URL": read_address(self.database_url).render_as_string(hide_password=True),
            "INSTANCE": str(self.instance),
            "SECRET_KEY": "***",
            "BASE_URL": self.base_url or "",
            "BASEMAP": ""
            if basemap is None
            else "|".join(p for p in (basemap.url, basemap.attribution) if p),
            "PRIVATE_WEBHOOKS": "yes" if self.private_webhooks else "no",
        }
        origins = dict(self.origins)
        if self.given_secret is None:
            made = f"tệp {self.secret_file}"
            origins["SECRET_KEY"] = made if self.secret_file.exists() else f"{made}, sẽ được tạo"
        return [(PREFIX + name, values[name], origins.get(name, FROM_DEFAULT)) for name in NAMES]


#: Every setting, with what it is for.
NAMES: Mapping[str, str] = {
    "DATABASE_URL": "Cơ sở dữ liệu: gpkg:///đường/dẫn.gpkg hoặc postgresql+psycopg://người@máy/tên",
    "INSTANCE": "Thư mục của bản ghi, ảnh và khóa",
    "SECRET_KEY": f"Khóa ký phiên đăng nhập, ít nhất {SHORTEST_SECRET} ký tự",
    "BASE_URL": "Địa chỉ công khai của trang, ví dụ https://ocop.example.vn",
    "BASEMAP": "Bản đồ nền: địa chỉ ô ảnh có {z}, {x}, {y}, sau dấu | là ghi công; để trống là không có",
    "PRIVATE_WEBHOOKS": "yes: được gửi sự kiện đăng ký đến địa chỉ trong mạng nội bộ; mặc định no",
}


def _instance(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise SettingError("OCOPMAP_INSTANCE phải là một thư mục, nhưng “%(path)s” là tệp.", path=path)
    return path


def _database_url(text: str) -> str:
    try:
        url = read_address(text)
    except StoreError as error:
        raise SettingError("OCOPMAP_DATABASE_URL không phải là địa chỉ cơ sở dữ liệu đọc được.") from error
    kind = url.get_backend_name()
    if kind == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    elif kind != "gpkg":
        raise SettingError(
            "OCOPMAP_DATABASE_URL phải bắt đầu bằng gpkg:/// hoặc postgresql+psycopg://, "
            "không phải “%(kind)s”.",
            kind=url.drivername,
        )
    if not url.database:
        raise SettingError("OCOPMAP_DATABASE_URL thiếu tên tệp hoặc tên cơ sở dữ liệu.")
    return url.render_as_string(hide_password=False)


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  reading it checks it
    except ValueError as error:
        raise SettingError("OCOPMAP_BASE_URL “%(value)s” không phải là địa chỉ web.", value=text) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError(
            "OCOPMAP_BASE_URL “%(value)s” phải có dạng https://máy.chủ, không có ? và #.", value=text
        )
    return text.rstrip("/")


def _basemap(text: str) -> Basemap:
    url, _, attribution = (part.strip() for part in text.partition("|"))
    if not all(place in url for place in ("{z}", "{x}", "{y}")):
        raise SettingError("OCOPMAP_BASEMAP phải là địa chỉ ô ảnh có {z}, {x} và {y}.")
    if not url.startswith(("https://", "http://", "/")) or any(c in url for c in " ;,'\""):
        raise SettingError(
            "OCOPMAP_BASEMAP phải bắt đầu bằng https://, http:// hoặc /, và không có dấu cách."
        )
    return Basemap(url, attribution)


def _yes(name: str, text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise SettingError("OCOPMAP_%(name)s nhận yes hoặc no.", name=name)
    return text.lower() == "yes"


def _secret(text: str) -> str:
    if len(text) < SHORTEST_SECRET:
        raise SettingError("OCOPMAP_SECRET_KEY cần ít nhất %(count)s ký tự.", count=SHORTEST_SECRET)
    return text


def _kept_secret(path: Path) -> str:
    """Read the kept key, or make one; of two programs that make it at once, both end with the same."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_secret(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingError(
            "Không đọc hoặc ghi được tệp khóa “%(path)s”: %(reason)s.", path=path, reason=error.strerror
        ) from error


def _make_secret(path: Path) -> None:
    whole = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(whole, path)
        except FileExistsError:
            return
    finally:
        whole.unlink()
