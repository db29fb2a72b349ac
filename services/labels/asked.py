"""What labels somebody asks for: size, paper, number, serials, and what stands on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from data.traceability.identifiers import lot_uri, own_parts, public_path
from data.traceability.lots import Lot
from services.errors import BadRequest
from services.labels.drawing import Label, Paper
from services.labels.layout import Size

#: The sizes that the form offers, in millimetres.
SIZES = ("30x30", "40x30", "50x40", "60x40", "70x37", "100x60")
DEFAULT_SIZE = "40x30"
FORMS = ("svg", "png", "pdf")
PAPERS: tuple[Paper, ...] = ("label", "a4")
MOST_LABELS = 1_000
SMALLEST_SIDE, LARGEST_SIDE = 15, 150

_SIZE = re.compile(r"(\d{1,3})[x×](\d{1,3})")
_SERIAL = re.compile(r"([A-Z0-9.-]*?)(\d{1,9})", re.ASCII)
#: What the smaller alphabet of QR codes has.
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]*")


@dataclass(frozen=True)
class Asked:
    """Labels as they were asked for; `serials` is empty for labels of the lot as a whole."""

    size: Size
    paper: Paper = "label"
    copies: int = 1
    serials: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many labels that makes."""
        return self.copies * max(1, len(self.serials))


def read(values: Mapping[str, str], form: str) -> Asked:
    """Read what was asked. Raises BadRequest with the parameter that is wrong."""
    paper = values.get("paper", "a4" if form == "pdf" else "label")
    known = next((p for p in PAPERS if p == paper), None)
    if known is None:
        raise BadRequest("Khổ giấy là label (mỗi nhãn một trang) hoặc a4.", parameter="paper")
    asked = Asked(_size(values), known, _copies(values), _serials(values))
    if asked.count > MOST_LABELS:
        raise BadRequest("Mỗi lần in được nhiều nhất %(most)s nhãn; hãy chia ra nhiều lần.",
                         parameter="copies", most=MOST_LABELS)  # fmt: skip
    if form != "pdf" and (asked.count > 1 or known == "a4"):
        raise BadRequest("Ảnh SVG và PNG chỉ chứa một nhãn; in nhiều nhãn thì chọn PDF.", parameter="copies")
    return asked


def _size(values: Mapping[str, str]) -> Size:
    text = values.get("size", "").strip() or DEFAULT_SIZE
    found = _SIZE.fullmatch(text)
    sides = [int(side) for side in found.groups()] if found else []
    if not sides or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        raise BadRequest("Cỡ nhãn ghi rộng x cao bằng mm, ví dụ 40x30, mỗi cạnh từ %(least)s đến %(most)s.",
                         parameter="size", least=SMALLEST_SIDE, most=LARGEST_SIDE)  # fmt: skip
    return Size(*sides)


def _copies(values: Mapping[str, str]) -> int:
    text = values.get("copies", "").strip() or "1"
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_LABELS:
        raise BadRequest("Số nhãn phải từ 1 đến %(most)s.", parameter="copies", most=MOST_LABELS)
    return int(text)


def _serials(values: Mapping[str, str]) -> tuple[str, ...]:
    """Read a run of serial numbers: the same letters before numbers that count up, as wide as the first."""
    first = values.get("serial_from", "").strip().upper()
    last = values.get("serial_to", "").strip().upper() or first
    if not first and not last:
        return ()
    start, end = _SERIAL.fullmatch(first), _SERIAL.fullmatch(last)
    if not start or not end or start[1] != end[1] or len(first) > 20 or int(end[2]) < int(start[2]):
        raise BadRequest(
            "Số hũ phải kết thúc bằng chữ số và đếm lên, ví dụ từ 0001 đến 0100.", parameter="serial_from"
        )
    numbers = range(int(start[2]), int(end[2]) + 1)
    if len(numbers) > MOST_LABELS:
        raise BadRequest("Mỗi lần in được nhiều nhất %(most)s nhãn; hãy chia ra nhiều lần.",
                         parameter="serial_to", most=MOST_LABELS)  # fmt: skip
    return tuple(f"{start[1]}{number:0{len(start[2])}d}" for number in numbers)


# ---- what stands on a label


def labels_of(lot: Lot, asked: Asked, root: str) -> list[tuple[Label, int]]:
    """Return the labels of a lot, or of its jars, each with how often it is wanted; `root` is the public address.

    They are in Vietnamese whoever prints them, as the law on labels wants it.
    """
    return [(_label(lot, serial, root), asked.copies) for serial in asked.serials or (None,)]


def _label(lot: Lot, serial: str | None, root: str) -> Label:
    uri = lot_uri(lot.product.gtin, lot.product_id, lot.lot_number, serial)
    dates = [
        f"NSX {lot.produced_on:%d/%m/%Y}" if lot.produced_on else "",
        f"HSD {lot.expires_on:%d/%m/%Y}" if lot.expires_on else "",
    ]
    rows = (f"Lô {lot.lot_number}" + (f" · {serial}" if serial else ""), " · ".join(filter(None, dates)))
    return Label(link_text(uri, root), lot.product.name, tuple(filter(None, rows)))


def link_text(uri: str, root: str) -> str:
    """Return the address that a code holds, in capitals where they let the symbol be smaller.

    Scheme and host may be written either way (RFC 3986, 6.2.2.1), and our own lot path is answered in capitals too;
    a path before them or a small letter in the lot number may not.
    """
    path = public_path(uri)
    parts = urlsplit(root)
    if own_parts(uri):
        path = path.replace("/lo/", "/LO/", 1)
    shorter = f"{parts.scheme}://{parts.netloc}".upper() + parts.path + path
    return shorter if _ALPHANUMERIC.fullmatch(shorter) else root + public_path(uri)
