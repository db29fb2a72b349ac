"""Mass balance of a lot: what went in, what came out, what is left, and what cannot be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data.traceability.dossier import Dossier, Entry
from data.traceability.measures import BASES, Amount, amount, content_of, uom_of
from gis.errors import Sentence

#: Rounding of weighings, as a part of what was made.
TOLERANCE: Final = 0.005


@dataclass(frozen=True)
class Balance:
    """The quantities of a lot in its own dimension, and its inputs by dimension; None where nothing was told.

    `dimension` is mass (kg), volume (litres) or count (pieces). `ratio` is product over main material, where both
    are told in one dimension, and `low`, `high` the range that the profile knows.
    """

    dimension: str
    inputs: dict[str, float]
    produced: float | None
    waste: float
    samples: float
    dispatched: float
    returned: float
    ratio: float | None
    low: float | None
    high: float | None
    alarms: tuple[Sentence, ...]

    @property
    def uom(self) -> str:
        """The code of the unit that the quantities are told in."""
        return BASES[self.dimension]

    @property
    def on_hand(self) -> float | None:
        """What should still be there."""
        if self.produced is None:
            return None
        return round(self.produced + self.returned - self.waste - self.samples - self.dispatched, 6)


def balance(dossier: Dossier) -> Balance:
    """Count what the events of a lot say of quantities.

    Pieces and mass are converted into each other by what one package holds, where its description says so.
    """
    content = content_of(_packaging(dossier))
    made = _produced(dossier)
    dimension = made.dimension if made else "count"

    def total(entries: Iterable[Entry]) -> float:
        return round(
            sum(
                converted
                for e in entries
                if (converted := _converted(_told(e), dimension, content)) is not None
            ),
            6,
        )

    inputs = _inputs(dossier)
    ratio = _ratio(made, content, inputs)
    yields = dossier.profile.yields
    found = Balance(
        dimension=dimension,
        inputs=inputs,
        produced=made.value if made else None,
        waste=total(dossier.of("waste")),
        samples=total(dossier.of("sample")),
        dispatched=total(dossier.of("dispatch")),
        returned=total(dossier.of("return")),
        ratio=ratio,
        low=yields.low if yields else None,
        high=yields.high if yields else None,
        alarms=(),
    )
    return Balance(**{**vars(found), "alarms": tuple(_alarms(found, dossier, content))})


def left_in(dossier: Dossier, quantity: float, uom: str) -> tuple[float, float] | None:
    """Return (what is on hand, what is asked for) in the lot's dimension; None where they cannot be compared."""
    found = balance(dossier)
    asked = _converted(amount(quantity, uom), found.dimension, content_of(_packaging(dossier)))
    return None if found.on_hand is None or asked is None else (found.on_hand, asked)


def _packaging(dossier: Dossier) -> str | None:
    told = dossier.identity.values.get("packaging") if dossier.identity else None
    return str(told) if told else dossier.lot.product.packaging


def _produced(dossier: Dossier) -> Amount | None:
    identity = dossier.identity
    if identity is not None and identity.values.get("quantity") is not None:
        return _told(identity)
    if dossier.lot.quantity is None:
        return None
    return amount(dossier.lot.quantity, uom_of(dossier.lot.unit))


def _told(entry: Entry) -> Amount | None:
    return amount(entry.values.get("quantity"), entry.values.get("uom"))


def _converted(told: Amount | None, dimension: str, content: Amount | None) -> float | None:
    """Return an amount in a dimension, through what one package holds where that is needed."""
    if told is None or told.dimension == dimension:
        return told.value if told else None
    if content is None:
        return None
    if dimension == "count" and told.dimension == content.dimension:
        return told.value / content.value
    if told.dimension == "count" and dimension == content.dimension:
        return told.value * content.value
    return None


def _inputs(dossier: Dossier) -> dict[str, float]:
    """Sum the main material by dimension; seasoning and packaging do not become product."""
    sums: dict[str, float] = defaultdict(float)
    for entry in dossier.of("input"):
        told = _told(entry)
        if told is not None and entry.values.get("role") == "main":
            sums[told.dimension] += told.value
    return {dimension: round(value, 6) for dimension, value in sums.items()}


def _ratio(made: Amount | None, content: Amount | None, inputs: dict[str, float]) -> float | None:
    """Product over material. Litres are held against kilograms as they are, as the yield ranges are told."""
    used = inputs.get("mass") or inputs.get("volume")
    if made is None or not used:
        return None
    for dimension in ("mass", "volume"):
        product = _converted(made, dimension, content)
        if product is not None:
            return round(product / used, 4)
    return None


def _alarms(found: Balance, dossier: Dossier, content: Amount | None) -> Iterable[Sentence]:
    made, left = found.produced, found.on_hand
    if made is not None and left is not None and left < -TOLERANCE * made:
        yield Sentence(
            "Đã xuất, hủy và lưu mẫu nhiều hơn sản lượng: thừa %(over)s so với %(made)s.",
            {"over": f"{-left:g}", "made": f"{made:g}"},
        )
    unknown = [
        e for block in ("dispatch", "waste", "sample", "return") for e in dossier.of(block)
        if e.values.get("quantity") is not None and _converted(_told(e), found.dimension, content) is None
    ]  # fmt: skip
    if unknown:
        yield Sentence(
            "%(n)s mục ghi bằng đơn vị không quy đổi được sang đơn vị của lô; hãy ghi quy cách có khối lượng.",
            {"n": len(unknown)},
        )
    if found.ratio is None or found.low is None or found.high is None:
        return
    facts = {"ratio": f"{found.ratio:.0%}", "low": f"{found.low:.0%}", "high": f"{found.high:.0%}"}
    if found.ratio > found.high:
        yield Sentence(
            "Sản phẩm bằng %(ratio)s nguyên liệu chính, nhiều hơn mức thường thấy (%(low)s–%(high)s): "
            "hãy kiểm tra nguyên liệu đã ghi đủ chưa.",
            facts,
        )
    elif found.ratio < found.low:
        yield Sentence(
            "Sản phẩm bằng %(ratio)s nguyên liệu chính, ít hơn mức thường thấy (%(low)s–%(high)s): "
            "hãy kiểm tra sản lượng và hao hụt.",
            facts,
        )
