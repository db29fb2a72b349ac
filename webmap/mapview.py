"""What a map shows, read from a map's address or from what was kept, and written as an address again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from gis.errors import Refusal
from layers import catalogue, statistics
from layers.redistribution import METHODS


class ViewError(Refusal):
    """A map cannot be made of what was asked."""


@dataclass(frozen=True)
class Theme:
    """Units coloured by an indicator; without an edition those in use."""

    indicator: str
    level: str = "communes"
    edition: str = ""
    method: str = ""


@dataclass(frozen=True)
class MapView:
    """What a map shows: layers with their opacity in percent, the place (zoom, lat, lon), a theme, one record."""

    title: str
    layers: Mapping[str, int] = field(default_factory=dict)
    place: tuple[float, float, float] | None = None
    theme: Theme | None = None
    selected: tuple[str, int] | None = None

    def settings(self) -> dict[str, Any]:
        """What is kept of the view besides its title."""
        return {
            "layers": dict(self.layers),
            "place": self.place,
            "theme": asdict(self.theme) if self.theme else None,
            "selected": self.selected,
        }

    def address(self) -> str:
        """The address that opens the map with exactly this."""
        parts = ["map={:g}/{:.6g}/{:.7g}".format(*self.place)] if self.place else []
        layers = (name if percent == 100 else f"{name}:{percent}" for name, percent in self.layers.items())
        parts.append(f"layers={','.join(layers)}")
        if self.theme:
            given = {"choropleth": self.theme.indicator} | asdict(self.theme)
            names = ("choropleth", "level", "edition", "method")
            parts += [f"{name}={quote(given[name], safe='')}" for name in names if given[name]]
        if self.selected:
            parts.append("selected={}/{}".format(*self.selected))
        return f"/map#{'&'.join(parts)}"


def parse_fragment(title: str, fragment: str) -> MapView:
    """Read the part of a map's address after '#'. Raises ViewError when it names nothing that there is."""
    given = dict(parse_qsl(fragment.rpartition("#")[2]))
    layers: dict[str, int] = {}
    for part in filter(None, given.get("layers", "").split(",")):
        name, _colon, percent = part.partition(":")
        if _known(name):
            layers[name] = min(100, int(percent)) if re.fullmatch(r"[0-9]{1,3}", percent) else 100
    theme = _theme(given.get("choropleth", ""), *(given.get(n, "") for n in ("level", "edition", "method")))
    if not layers and theme is None:
        raise ViewError(
            "Địa chỉ bản đồ không có lớp nào; hãy bật ít nhất một lớp trên bản đồ rồi chép địa chỉ."
        )
    layer, _slash, number = given.get("selected", "").partition("/")
    selected = (layer, int(number)) if _known(layer) and re.fullmatch(r"[0-9]{1,12}", number) else None
    return MapView(title, layers, _place(given.get("map", "")), theme, selected)


def from_settings(title: str, settings: Mapping[str, Any]) -> MapView:
    """Read what was kept; what the record no longer knows is left out, so that no kept view ever fails."""
    place, theme, selected = (settings.get(name) for name in ("place", "theme", "selected"))
    names = ("indicator", "level", "edition", "method")
    return MapView(
        title,
        {name: percent for name, percent in settings["layers"].items() if _known(name)},
        tuple(place) if place else None,
        _theme(*(theme.get(name, "") for name in names)) if theme else None,
        (selected[0], selected[1]) if selected and _known(selected[0]) else None,
    )


def _known(name: str) -> bool:
    return any(layer.id == name for layer in catalogue.LAYERS)


def _theme(indicator: str, level: str, edition: str, method: str) -> Theme | None:
    if not any(known.id == indicator for known in statistics.INDICATORS):
        return None
    return Theme(
        indicator,
        level if level in statistics.LEVELS else "communes",
        edition if re.fullmatch(r"[\w.-]{1,40}", edition) else "",
        method if method in METHODS else "",
    )


def _place(text: str) -> tuple[float, float, float] | None:
    parts = text.split("/")
    if len(parts) != 3 or not all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", part) for part in parts):
        return None
    zoom, lat, lon = (float(part) for part in parts)
    return (zoom, lat, lon) if abs(lat) <= 85 and abs(lon) <= 180 and 0 <= zoom <= 22 else None
