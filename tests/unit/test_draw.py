"""The renderer of map images: places, colours, holes, blending, labels, and what a file holds."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gis.draw import Canvas, Ink, Paint, blank
from gis.lettering import Lettering
from gis.palette import reduced
from tests.conftest import ROOT, lacking

SIZE = 64
RED = Paint("#cc0000")
VIETNAMESE = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"


def shapes(*texts: str) -> np.ndarray:
    return np.array([shapely.from_wkt(text) for text in texts], dtype=object)


def pixels(canvas: Canvas, *, palette: bool = False) -> np.ndarray:
    image = Image.open(io.BytesIO(canvas.png(palette=palette)))
    return np.asarray(image.convert("RGBA"))


@pytest.fixture(scope="module")
def font() -> Path:
    found = sorted((ROOT / "webmap/static/vendor").glob("be-vietnam-pro-ttf-*/BeVietnamPro_400Regular.ttf"))
    if not found:
        lacking("Be Vietnam Pro as TrueType (npm ci && npm run vendor)")
    return found[-1]


# ---- shapes


def test_a_polygon_lies_where_its_coordinates_say_with_y_upwards() -> None:
    canvas = Canvas(100, 50, (1000, 2000, 1200, 2100))
    canvas.polygons(shapes("POLYGON((1000 2000,1100 2000,1100 2050,1000 2050,1000 2000))"), [RED])
    seen = pixels(canvas)
    assert seen[40, 10].tolist() == [204, 0, 0, 255]
    assert seen[10, 10].tolist() == seen[40, 60].tolist() == [255, 255, 255, 255]


def test_holes_and_the_space_between_parts_stay_free() -> None:
    canvas = blank(SIZE, SIZE)
    ring = "(10 10,50 10,50 50,10 50,10 10),(20 20,20 40,40 40,40 20,20 20)"
    wrong_way = "(52 52,52 62,62 62,62 52,52 52),(55 55,55 59,59 59,59 55,55 55)"
    canvas.polygons(shapes(f"MULTIPOLYGON(({ring}),({wrong_way}))"), [RED])
    seen = pixels(canvas)[::-1]
    assert seen[15, 15].tolist() == seen[53, 53].tolist() == [204, 0, 0, 255]
    assert seen[30, 30].tolist() == seen[57, 57].tolist() == seen[5, 5].tolist() == [255, 255, 255, 255]


def test_opacity_blends_with_the_ground() -> None:
    canvas = blank(SIZE, SIZE, background="#ffffff")
    canvas.polygons(shapes("POLYGON((0 0,64 0,64 64,0 64,0 0))"), [Paint("#000000", opacity=0.4)])
    assert abs(int(pixels(canvas)[32, 32, 0]) - 153) <= 1


def test_a_slanted_edge_is_smooth() -> None:
    canvas = blank(SIZE, SIZE)
    canvas.polygons(shapes("POLYGON((0 0,64 0,64 40,0 0))"), [Paint("#000000")])
    shades = set(pixels(canvas)[:, :, 0].ravel().tolist())
    assert {0, 255} < shades and len(shades) > 10


@settings(max_examples=40, deadline=None)
@given(
    fill=st.sampled_from(["#000000", "#ffffff", "#3f8f6b", "#b45309"]),
    opacity=st.floats(0.1, 1),
    over=st.floats(0.1, 1),
)
def test_a_transparent_picture_over_white_is_the_opaque_picture(
    fill: str, opacity: float, over: float
) -> None:
    def drawn(ground: str | None) -> Canvas:
        canvas = blank(SIZE, SIZE, background=ground)
        canvas.polygons(shapes("POLYGON((4 4,50 9,45 50,4 4))"), [Paint(fill, opacity, "#115e59", 2)])
        canvas.polygons(shapes("POLYGON((20 2,60 30,25 60,20 2))"), [Paint("#0891b2", over)])
        canvas.labels(["ễ ặ ỹ Đ"], np.array([[32.0, 32.0]]), Ink())
        return canvas

    clear = Image.fromarray(pixels(drawn(None)))
    white = Image.new("RGBA", clear.size, "white")
    composed = np.asarray(Image.alpha_composite(white, clear)).astype(int)
    assert np.abs(composed - pixels(drawn("#ffffff")).astype(int)).max() <= 4


def test_shapes_far_beyond_the_image_are_drawn_within_it() -> None:
    canvas = Canvas(SIZE, SIZE, (0, 0, 1e-3, 1e-3))
    canvas.polygons(shapes("POLYGON((-170 -80,170 -80,170 80,-170 80,-170 -80))"), [RED])
    assert (pixels(canvas)[:, :, :3] == (204, 0, 0)).all()


def test_a_shape_smaller_than_a_pixel_shows_its_colour_and_not_its_outline() -> None:
    canvas = blank(SIZE, SIZE)
    canvas.polygons(shapes("POLYGON((10 10,10.4 10,10.4 10.4,10 10))"), [Paint("#cc0000", outline="#00ff00")])
    drawn = pixels(canvas)[:, :, :3].reshape(-1, 3)
    marked = drawn[(drawn != 255).any(axis=1)]
    assert len(marked) and (marked[:, 0] > marked[:, 1]).all()


def test_lines_and_points_have_their_width_and_radius() -> None:
    canvas = blank(SIZE, SIZE)
    canvas.lines(shapes("LINESTRING(0 32,64 32)"), [Paint(None, outline="#000000", width=4)])
    canvas.points(shapes("POINT(32 10)", "MULTIPOINT((5 50))"), [Paint("#0000ff", radius=6)])
    seen = pixels(canvas)[::-1]
    assert [int(v) for v in (seen[:, 50, 0] < 128).nonzero()[0]] == [30, 31, 32, 33]
    blue = (seen[:, :, 2] > 200) & (seen[:, :, 0] < 60)
    assert blue[10, 27:37].all() and not blue[10, :24].any() and blue[50, 5]


def test_each_shape_takes_the_paint_that_is_named_for_it() -> None:
    canvas = blank(SIZE, SIZE)
    squares = shapes("POLYGON((0 0,9 0,9 9,0 9,0 0))", "POLYGON((20 0,29 0,29 9,20 9,20 0))")
    canvas.polygons(squares, [RED, Paint("#00aa00")], np.array([1, 0]))
    seen = pixels(canvas)[::-1]
    assert seen[4, 4].tolist() == [0, 170, 0, 255] and seen[4, 24].tolist() == [204, 0, 0, 255]


def test_empty_and_missing_shapes_and_other_kinds_draw_nothing() -> None:
    canvas = blank(SIZE, SIZE)
    mixed = np.array([None, shapely.Point(), shapely.from_wkt("POLYGON EMPTY")], dtype=object)
    canvas.polygons(mixed, [RED])
    canvas.polygons(np.empty(0, dtype=object), [RED])
    canvas.points(shapes("POLYGON((0 0,9 0,9 9,0 0))"), [RED])
    canvas.lines(mixed, [RED])
    assert (pixels(canvas) == 255).all()


# ---- labels


def test_of_two_labels_at_one_place_only_that_of_the_higher_rank_is_written(font: Path) -> None:
    def written(texts: list[str], ranks: list[float]) -> bytes:
        canvas = Canvas(200, 60, (0, 0, 200, 60), font=font)
        canvas.labels(texts, np.full((len(texts), 2), (100.0, 30.0)), Ink(), ranks=np.array(ranks))
        return canvas.png()

    assert written(["Xã Tân Ân", "Phường 1"], [1, 2]) == written(["Phường 1"], [1])
    assert written(["Xã Tân Ân"], [1]) != written(["Phường 1"], [1])


def test_a_label_beside_a_point_moves_to_where_there_is_room(font: Path) -> None:
    canvas = Canvas(200, 60, (0, 0, 200, 60), font=font)
    canvas.labels(["Điểm"], np.array([[100.0, 3.0]]), Ink(), offset=5)
    dark = np.argwhere(pixels(canvas)[:, :, 0] < 100)
    assert len(dark) and dark[:, 0].max() < 55


def test_a_label_that_would_be_cut_is_left_out(font: Path) -> None:
    canvas = Canvas(200, 60, (0, 0, 200, 60), font=font)
    canvas.labels(["Xã Nguyễn Việt Khái"], np.array([[3.0, 30.0]]), Ink(longest_line=400))
    assert (pixels(canvas) == 255).all()


def test_every_vietnamese_letter_has_a_glyph_of_its_own(font: Path) -> None:
    letters = Lettering(font, 32)
    missing = letters._glyph("\uffff", 0).mask
    masks = {}
    for letter in VIETNAMESE + VIETNAMESE.upper():
        mask = letters._glyph(letter, 0).mask
        assert mask.size and not np.array_equal(mask, missing), letter
        masks[letter] = mask.tobytes()
    assert len(set(masks.values())) == len(masks)


def test_text_in_decomposed_form_looks_the_same(font: Path) -> None:
    letters = Lettering(font, 12)
    text = "Xã Nguyễn Việt Khái"
    assert letters.wrapped(unicodedata.normalize("NFD", text), 500) == text


def test_the_halo_surrounds_the_ink(font: Path) -> None:
    drawn = Lettering(font, 12).drawn("Đầm Dơi")
    ink, halo = np.asarray(drawn.ink), np.asarray(drawn.halo)
    assert ink.shape == halo.shape and (halo >= ink).all()
    grown = np.zeros_like(ink, dtype=bool)
    strong = ink > 128
    grown[1:-1, 1:-1] = strong[:-2, 1:-1] | strong[2:, 1:-1] | strong[1:-1, :-2] | strong[1:-1, 2:]
    assert (halo[grown] > 120).all()


def test_lines_break_at_spaces_and_long_words_stay_whole(font: Path) -> None:
    letters = Lettering(font, 12)
    assert letters.wrapped("Làng nghề dệt chiếu", 70).split("\n") == ["Làng nghề", "dệt chiếu"]
    assert letters.wrapped("Nguyễnviệtkháixuânthắng", 20) == "Nguyễnviệtkháixuânthắng"


# ---- files


def test_flat_colours_keep_their_exact_value_in_a_palette() -> None:
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    flats = [(255, 255, 255), (247, 250, 247), (63, 143, 107), (248, 250, 252)]
    for row, color in enumerate(flats):
        noise[row * 40 : row * 40 + 30] = color
    small = np.asarray(reduced(Image.fromarray(noise).convert("RGBX")).convert("RGB"))
    for row, color in enumerate(flats):
        assert (small[row * 40 : row * 40 + 29, 1:-1] == color).all(), color


def test_a_palette_keeps_what_is_transparent_transparent() -> None:
    canvas = blank(SIZE, SIZE, background=None)
    canvas.polygons(shapes("POLYGON((4 4,50 9,45 50,4 4))"), [Paint("#3f8f6b", 0.55)])
    image = Image.open(io.BytesIO(canvas.png()))
    assert image.mode == "P"
    seen = np.asarray(image.convert("RGBA"))
    assert seen[0, 0, 3] == 0
    assert abs(int(seen[::-1][15, 30, 3]) - 140) <= 2
    assert np.abs(seen[::-1][15, 30, :3].astype(int) - (0x3F, 0x8F, 0x6B)).max() <= 2


def test_jpeg_has_no_transparency_and_is_white_where_nothing_is() -> None:
    canvas = blank(SIZE, SIZE, background=None)
    image = Image.open(io.BytesIO(canvas.jpeg()))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (SIZE, SIZE))
    assert (np.asarray(image) > 250).all()
