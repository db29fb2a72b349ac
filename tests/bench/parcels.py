"""A hundred thousand star-shaped parcels in the record, the same on every machine."""

from __future__ import annotations

import datetime as dt

import numpy as np
import shapely
from sqlalchemy.orm import Session

from data import bulk
from data.growing_areas import GrowingArea
from data.text import search_text

WEST, SOUTH, EAST, NORTH = 104.75, 8.60, 105.40, 9.50
CROPS = ("shrimp_tiger", "shrimp_whiteleg", "rice", "crab", "banana", "salt", "honey_forest")
SYSTEMS = ("shrimp_rice", "shrimp_mangrove", "improved_extensive", "intensive", "two_crops")


def shapes(count: int, seed: int = 7) -> np.ndarray:
    """Return `count` star-shaped multipolygons of 12 to 32 vertices, about 150 m across, lon/lat."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(12, 33, count)
    centres = np.column_stack([rng.uniform(WEST, EAST, count), rng.uniform(SOUTH, NORTH, count)])
    owner = np.repeat(np.arange(count), sizes)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    angle = 2 * np.pi * step / np.repeat(sizes, sizes)
    radius = rng.uniform(0.0004, 0.0011, len(owner))
    xy = centres[owner] + np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    polygons = shapely.polygons(shapely.linearrings(xy, indices=owner))
    return shapely.multipolygons(polygons, indices=np.arange(count))


def columns(count: int, communes: list[int], seed: int = 7) -> dict[str, list]:
    """Return plausible attribute columns with Vietnamese text."""
    rng = np.random.default_rng(seed)

    def pick(values: tuple | list) -> list:
        return [values[i] for i in rng.integers(0, len(values), count)]

    names = [f"Vùng nuôi số {i} ấp Kênh Đường Ranh" for i in range(count)]
    return {
        "name": names,
        "search": [search_text(n) for n in names[:1]] * count,
        "crop": pick(CROPS),
        "farming_system": pick(SYSTEMS),
        "variety": pick(("tôm sú gia hóa", "ST25", "thẻ chân trắng", "chuối xiêm")),
        "hamlet": pick(tuple(f"Ấp {i}" for i in range(1, 40))),
        "commune_id": pick(communes),
        "declared_area_ha": np.round(rng.uniform(0.5, 12, count), 2).tolist(),
        "area_ha": np.round(rng.uniform(0.5, 12, count), 4).tolist(),
        "households": rng.integers(1, 60, count).tolist(),
        "expected_output_t": np.round(rng.uniform(0.5, 90, count), 1).tolist(),
        "crops_per_year": rng.integers(1, 4, count).tolist(),
        "code_summary": [f"VN-CMOR-{i:05d}" for i in range(count)],
        "coding_status": pick(("active", "none", "applied")),
        "certification_summary": pick(("ASC", "VietGAP", None)),
        "status": ["published"] * count,
        "source": ["dữ liệu đo tốc độ"] * count,
        "created_at": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * count,
        "updated_at": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * count,
    }


def load(session: Session, count: int, communes: list[int]) -> None:
    """Load the parcels into growing_areas."""
    bulk.load(session, GrowingArea, columns(count, communes), shapes(count), source="bench")
