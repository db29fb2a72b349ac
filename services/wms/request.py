"""Reading a request to the map service: names in any case, versions negotiated, values checked.

Unknown parameters are ignored, as WMS 1.3.0 §6.8.1 wants. Source: OGC 06-042, OGC 01-068r3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gis import crs as reference_systems
from layers import catalogue
from layers.fields import Layer
from services.wms.faults import ServiceException

VERSIONS = ("1.3.0", "1.1.1")
CRS_NAMES = {c.code.replace("OGC:CRS84", "CRS:84"): c.code for c in reference_systems.PROVINCE_CRS}
WHOLE_MAP = "map"
DEFAULT_STYLE = "default"

LARGEST_SIDE = 4096
MOST_LAYERS = 20
MOST_FEATURES = 100

PNG, PNG8, PNG24, JPEG = "image/png", "image/png; mode=8bit", "image/png; mode=24bit", "image/jpeg"
MAP_FORMATS = (PNG, PNG8, PNG24, JPEG)
_FORMAT_NAMES = {f.replace(" ", ""): f for f in MAP_FORMATS} | {"image/jpg": JPEG, "image/png8": PNG8}

Box = tuple[float, float, float, float]
_COLOR = re.compile(r"(?:0x|#)?([0-9a-fA-F]{6})")


class Parameters:
    """The parameters of a request, whatever the case of their names; of repeated ones the first counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), value)

    def get(self, name: str, default: str = "") -> str:
        """Return a value, or the default when it is absent or empty."""
        return self._values.get(name) or default

    def has(self, name: str) -> bool:
        """Tell whether a parameter was given, if only as an empty text."""
        return name in self._values

    def required(self, name: str) -> str:
        """Return a value that must be there."""
        value = self.get(name)
        if not value:
            raise ServiceException(
                "Thiếu tham số %(locator)s.", code="MissingParameterValue", locator=name.lower()
            )
        return value

    def integer(self, name: str, *, minimum: int, maximum: int, default: int | None = None) -> int:
        """Return a whole number within limits."""
        text = self.get(name) if default is not None else self.required(name)
        if not text and default is not None:
            return default
        value = int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else minimum - 1
        if not minimum <= value <= maximum:
            raise ServiceException(
                "Tham số %(locator)s phải là số nguyên từ %(minimum)s đến %(maximum)s.",
                code="InvalidParameterValue",
                locator=name.lower(),
                minimum=minimum,
                maximum=maximum,
            )
        return value


def negotiated(asked: str) -> str:
    """Return the version to answer in: the asked one, else the next lower that is known, else the lowest."""
    wanted = _numbers(asked)
    if wanted is None:
        return VERSIONS[0]
    return next((v for v in VERSIONS if (_numbers(v) or ()) <= wanted), VERSIONS[-1])


def _numbers(version: str) -> tuple[int, ...] | None:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,2}", version):
        return None
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True)
class MapRequest:
    """A part of the world to be drawn; `frame` is min x, min y, max x, max y in `crs`, always x to the right."""

    version: str
    layers: tuple[Layer, ...]
    crs: str
    frame: Box
    width: int
    height: int
    format: str = PNG
    background: str | None = "#ffffff"

    @property
    def media_type(self) -> str:
        """The media type of the picture, without what it says of colours."""
        return self.format.split(";")[0]


def read_map(parameters: Parameters, version: str, *, with_format: bool = True) -> MapRequest:
    """Read what GetMap asks for; the map part of GetFeatureInfo has no format."""
    layers = read_layers(parameters, "LAYERS")
    _check_styles(parameters, parameters.required("LAYERS").split(","))
    name = "CRS" if version == "1.3.0" else "SRS"
    if not parameters.has(name) and parameters.has("SRS"):
        name = "SRS"
    crs = read_crs(parameters.required(name), version)
    frame = read_frame(parameters.required("BBOX"), crs, version)
    width = parameters.integer("WIDTH", minimum=1, maximum=LARGEST_SIDE)
    height = parameters.integer("HEIGHT", minimum=1, maximum=LARGEST_SIDE)
    wanted = read_format(parameters.required("FORMAT")) if with_format else PNG
    return MapRequest(version, layers, crs, frame, width, height, wanted, read_background(parameters, wanted))


def read_format(text: str) -> str:
    """Return a picture format by any of its spellings."""
    found = _FORMAT_NAMES.get(text.lower().replace(" ", ""))
    if found is None:
        raise ServiceException(
            "Không có định dạng “%(format)s”.", code="InvalidFormat", locator="format", format=text[:80]
        )
    return found


def read_layers(parameters: Parameters, name: str) -> tuple[Layer, ...]:
    """Return the layers of a list of names, the whole map standing for those shown at the start."""
    found: list[Layer] = []
    for part in parameters.required(name).split(","):
        if part == WHOLE_MAP:
            found += [layer for layer in catalogue.LAYERS if layer.visible_at_start]
            continue
        try:
            found.append(catalogue.layer(part))
        except KeyError:
            raise ServiceException(
                "Không có lớp “%(layer)s”.", code="LayerNotDefined", locator=name.lower(), layer=part[:80]
            ) from None
    if len(found) > MOST_LAYERS:
        raise ServiceException(
            "Chỉ vẽ được %(most)s lớp mỗi lần.",
            code="InvalidParameterValue",
            locator=name.lower(),
            most=MOST_LAYERS,
        )
    return tuple(found)


def _check_styles(parameters: Parameters, layers: list[str]) -> None:
    styles = parameters.get("STYLES").split(",")
    known = all(style in ("", DEFAULT_STYLE) for style in styles)
    if not known or (len(styles) != len(layers) and parameters.get("STYLES")):
        raise ServiceException(
            "Không có kiểu vẽ “%(style)s”; hãy để trống STYLES hoặc ghi default cho mỗi lớp.",
            code="StyleNotDefined",
            locator="styles",
            style=parameters.get("STYLES")[:80],
        )


def read_crs(text: str, version: str) -> str:
    """Return the code of a reference system by its name in this service."""
    found = CRS_NAMES.get(text.strip().upper())
    if found is None:
        modern = version == "1.3.0"
        raise ServiceException(
            "Bản đồ không có hệ tọa độ “%(crs)s”; hãy chọn một hệ trong danh sách của dịch vụ.",
            code="InvalidCRS" if modern else "InvalidSRS",
            locator="crs" if modern else "srs",
            crs=text[:80],
        )
    return found


def read_frame(text: str, crs: str, version: str) -> Box:
    """Return min x, min y, max x, max y; in 1.3.0 the numbers come in the order of the system's axes."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 4 and version == "1.3.0" and reference_systems.is_latlon(crs):
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        numbers = [0, 0, 0, 0]
    min_x, min_y, max_x, max_y = numbers
    if min_x >= max_x or min_y >= max_y:
        raise ServiceException(
            "BBOX phải là bốn số, cặp đầu nhỏ hơn cặp sau.", code="InvalidParameterValue", locator="bbox"
        )
    return min_x, min_y, max_x, max_y


def read_background(parameters: Parameters, wanted: str) -> str | None:
    """Return the colour of the ground; None where it is to be transparent and the format can be."""
    transparent = parameters.get("TRANSPARENT", "FALSE").upper()
    if transparent not in ("TRUE", "FALSE"):
        raise ServiceException(
            "TRANSPARENT phải là TRUE hoặc FALSE.", code="InvalidParameterValue", locator="transparent"
        )
    if transparent == "TRUE" and wanted != JPEG:
        return None
    color = _COLOR.fullmatch(parameters.get("BGCOLOR", "0xFFFFFF"))
    if color is None:
        raise ServiceException(
            "BGCOLOR phải có dạng 0xRRGGBB.", code="InvalidParameterValue", locator="bgcolor"
        )
    return f"#{color[1].lower()}"
