"""Illustrations for demonstration products and villages: simple scenes of nobody and no place."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from data import store
from data.base import PUBLISHED
from data.demo.dice import Dice
from data.demo.ledger import LABEL, MOMENT, Ledger
from data.demo.products import Good
from data.demo.villages import Village
from data.media import Photo, store_photo

PRODUCTS, VILLAGES = 12, 8
CREDIT = "Hình minh hoạ"
_WIDTH, _HEIGHT = 960, 640
_HORIZON = 300

_Scene = Callable[[ImageDraw.ImageDraw, Dice], None]


def write_photos(ledger: Ledger, media: Path, goods: Sequence[Good], villages: Sequence[Village]) -> None:
    """Draw pictures for some products and villages, keep them under `media` and attach them."""
    dice = Dice("photos")
    shown_goods = [good for good in _varied(goods) if not good.is_draft][:PRODUCTS]
    shown_villages = [village for village in villages[::5] if not village.is_draft][:VILLAGES]
    for good in shown_goods:
        scene, vi, en = _scene_of_product(good)
        alt = (f"Hình vẽ minh hoạ {vi}, cho sản phẩm {good.name}", f"Drawing of {en}, for {good.name_en}")
        _attach(ledger, media, "products", good.id, _draw(scene, dice), alt)
    for village in shown_villages:
        alt = (
            f"Hình vẽ minh hoạ xóm nhà ven kênh, {village.name}",
            f"Drawing of canal-side houses, {village.name_en}",
        )
        _attach(ledger, media, "craft_villages", village.id, _draw(_houses, dice), alt)
    store.bump(ledger.session, Photo.__tablename__)


def _varied(goods: Sequence[Good]) -> list[Good]:
    """One product of each kind, in order."""
    first = {good.item.key: good for good in reversed(goods) if not good.is_draft}
    return sorted(first.values(), key=lambda good: good.id)


def _attach(
    ledger: Ledger, media: Path, table: str, row_id: int, content: bytes, alt: tuple[str, str]
) -> None:
    photo = store_photo(media, content)
    photo.table_name, photo.row_id, photo.position = table, row_id, 0
    photo.alt, photo.alt_en = alt
    photo.credit, photo.licence, photo.source = CREDIT, "CC0-1.0", LABEL
    photo.taken_at = photo.created_at = photo.updated_at = MOMENT
    photo.status = PUBLISHED
    ledger.session.add(photo)
    ledger.counts[Photo.__tablename__] = ledger.counts.get(Photo.__tablename__, 0) + 1


# ---- the scenes


def _scene_of_product(good: Good) -> tuple[_Scene, str, str]:
    crops = set(good.item.crops)
    if "honey_forest" in crops:
        return _forest, "rừng tràm bên kênh", "melaleuca forest by a canal"
    if crops & {"rice", "vegetable", "sedge"}:
        return _paddy, "ruộng xanh và hàng dừa", "green fields and palms"
    if crops & {"shrimp_tiger", "shrimp_whiteleg", "crab", "blood_cockle", "salt", "clam", "oyster"}:
        return _ponds, "vuông nước và rừng đước", "ponds and mangroves"
    return _houses, "xóm nhà ven kênh", "canal-side houses"


def _draw(scene: _Scene, dice: Dice) -> bytes:
    """Draw a scene and give it as PPM, whose bytes are the same on every machine."""
    picture = Image.new("RGB", (_WIDTH, _HEIGHT))
    pen = ImageDraw.Draw(picture)
    _sky(pen, dice)
    scene(pen, dice)
    content = io.BytesIO()
    picture.save(content, "PPM")
    return content.getvalue()


def _sky(pen: ImageDraw.ImageDraw, dice: Dice) -> None:
    warm = dice.whole(0, 50)
    for y in range(_HORIZON + 1):
        light = y * 60 // _HORIZON
        shade = (170 + warm + light // 2, 205 + light // 2, 225 + light // 4 - warm // 3)
        pen.line([(0, y), (_WIDTH, y)], fill=shade)
    x, size = dice.whole(120, 820), dice.whole(34, 54)
    _disc(pen, x, 90, size, (255, 244, 205))


def _water(pen: ImageDraw.ImageDraw, dice: Dice, top: int, bottom: int) -> None:
    pen.rectangle([0, top, _WIDTH, bottom], fill=(120, 165, 160))
    for _ in range(26):
        x, y = dice.whole(0, _WIDTH), dice.whole(top + 6, bottom - 4)
        pen.line([(x, y), (x + dice.whole(30, 110), y)], fill=(156, 193, 186), width=3)


def _tree(pen: ImageDraw.ImageDraw, x: int, foot: int, height: int, leaf: tuple[int, int, int]) -> None:
    pen.line([(x, foot), (x, foot - height)], fill=(98, 82, 66), width=max(3, height // 24))
    size = height // 3
    for shift in (-size // 2, 0, size // 2):
        _disc(pen, x + shift, foot - height, size // 2, leaf)


def _disc(pen: ImageDraw.ImageDraw, x: int, y: int, radius: int, colour: tuple[int, int, int]) -> None:
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)


def _forest(pen: ImageDraw.ImageDraw, dice: Dice) -> None:
    pen.rectangle([0, _HORIZON, _WIDTH, _HEIGHT], fill=(74, 112, 78))
    for row in range(5):
        foot = _HORIZON + 40 + row * 55
        leaf = (44 + row * 6, 96 + row * 9, 66 + row * 4)
        for x in range(-20, _WIDTH + 40, 58):
            _tree(pen, x + dice.whole(-18, 18), foot, 120 + row * 22 + dice.whole(-16, 16), leaf)
    _water(pen, dice, 560, _HEIGHT)


def _paddy(pen: ImageDraw.ImageDraw, dice: Dice) -> None:
    for k in range(6):
        top = _HORIZON + k * k * 10
        pen.rectangle([0, top, _WIDTH, _HEIGHT], fill=(118 + k * 9, 158 + k * 4, 70 + k * 3))
        pen.line([(0, top), (_WIDTH, top)], fill=(92, 118, 62), width=2 + k)
    for _ in range(7):
        _tree(pen, dice.whole(20, _WIDTH - 20), _HORIZON + 8, dice.whole(60, 100), (66, 122, 74))


def _ponds(pen: ImageDraw.ImageDraw, dice: Dice) -> None:
    pen.rectangle([0, _HORIZON, _WIDTH, _HEIGHT], fill=(140, 128, 96))
    for k, x in enumerate(range(-60, _WIDTH, 260)):
        _tree(pen, x + 150, _HORIZON + 12, dice.whole(56, 90), (54, 104, 72))
        shade = (112 + k * 6, 160, 158)
        pen.polygon([(x + 40, 330), (x + 250, 330), (x + 320, 430), (x + 30, 430)], fill=shade)
    _water(pen, dice, 452, 610)
    for x in range(0, _WIDTH, 64):
        _tree(pen, x + dice.whole(-14, 14), _HEIGHT, dice.whole(46, 84), (40, 92, 64))


def _houses(pen: ImageDraw.ImageDraw, dice: Dice) -> None:
    pen.rectangle([0, _HORIZON, _WIDTH, _HEIGHT], fill=(108, 138, 84))
    for x in range(30, _WIDTH - 120, 190):
        wall, top = dice.pick(((222, 202, 168), (196, 214, 206), (232, 216, 190))), 350 + dice.whole(-14, 18)
        _tree(pen, x - 8, 450, dice.whole(130, 190), (58, 112, 70))
        pen.rectangle([x, top, x + 140, 460], fill=wall)
        roof = [(x - 18, top), (x + 158, top), (x + 118, top - 62), (x + 22, top - 62)]
        pen.polygon(roof, fill=(150, 92, 64))
        pen.rectangle([x + 54, top + 36, x + 86, 460], fill=(92, 74, 60))
    _water(pen, dice, 470, _HEIGHT)
    x = dice.whole(160, 600)
    pen.polygon([(x, 540), (x + 190, 540), (x + 160, 570), (x + 34, 570)], fill=(94, 70, 50))
