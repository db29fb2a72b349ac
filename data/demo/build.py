"""The demonstration province as a record: units, areas, villages, producers, products, lots, programme, events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data.demo.ledger import Ledger
from data.demo.photos import write_photos
from data.demo.producers import write_producers
from data.demo.production import write_growing_areas
from data.demo.products import write_products
from data.demo.programme import write_programme
from data.demo.territory import build_territory
from data.demo.tracing import write_tracing
from data.demo.trade import write_lots, write_sale_points
from data.demo.units import write_units
from data.demo.villages import write_villages
from data.store import Store

__all__ = ["build"]


def build(
    store: Store, media: Path | None = None, progress: Callable[[str], None] | None = None
) -> dict[str, int]:
    """Fill an empty record in one unit of work and return the number of rows by table.

    Pictures are drawn and kept under `media` when it is given.
    """
    tell = progress or _quiet
    tell("Dựng địa giới tỉnh minh hoạ")
    territory = build_territory()
    with store.writing() as session:
        ledger = Ledger(session)
        places = write_units(ledger, territory)
        tell("Ghi chủ thể và làng nghề")
        makers = write_producers(ledger, places)
        villages = write_villages(ledger, places)
        tell("Vẽ vùng trồng, vùng nuôi")
        fields = write_growing_areas(ledger, places, makers)
        tell("Ghi sản phẩm, điểm bán và lô sản phẩm")
        goods = write_products(ledger, makers, villages, fields)
        write_sale_points(ledger, places, goods)
        lots = write_lots(ledger, goods)
        tell("Ghi chu trình, hồ sơ, Hội đồng và giấy chứng nhận")
        write_programme(ledger, goods, lots, territory.province.code)
        tell("Ghi sự kiện truy xuất của các lô")
        write_tracing(ledger)
        if media is not None:
            tell("Vẽ hình minh hoạ")
            write_photos(ledger, media, goods, villages)
    return ledger.counts


def _quiet(message: str) -> None:
    """Say nothing."""
