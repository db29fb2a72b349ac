"""Reducing a map image to a palette: flat colours stay as they are, the blends at edges go to the nearest kept one.

Pillow's own reduction is as fast but merges pale tints with white, which on a map are areas of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLORS = 128
"""More would hardly be seen on a map, and make the file larger."""

MOST_FLAT = 32
"""How many flat colours are looked after one by one."""

Pixels = NDArray[np.uint32]
Integers = NDArray[np.int64]


def reduced(picture: Image.Image) -> Image.Image:
    """Return an RGBA or RGBX picture with a palette of at most COLORS colours, without dithering."""
    pixels = np.frombuffer(picture.tobytes(), dtype="<u4")
    starts = np.concatenate(([0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1))
    runs, lengths = pixels[starts], np.diff(starts, append=len(pixels))
    bins, boxes = _bins(runs, opaque=picture.mode == "RGBX")
    counts = np.bincount(bins, weights=lengths, minlength=boxes)
    used = np.flatnonzero(counts)
    shades: Pixels = np.zeros(boxes, dtype="<u4")
    shades[bins] = runs
    flat, places = _flat_colors(runs, lengths, bins)
    # The commonest comes last, and so stays where several fall into one box; the others get places of their own.
    shades[places] = flat
    single = flat[shades[places] != flat]
    kept = np.argsort(-counts[used], kind="stable")[: COLORS - len(single)]
    colors = np.concatenate((shades[used][kept], single))
    numbers = np.zeros(boxes, dtype=np.uint8)
    numbers[used] = _nearest(shades[used], colors)
    indexed = numbers[bins]
    for place, color in enumerate(single, len(kept)):
        indexed[runs == color] = place
    return _image(picture, np.repeat(indexed, lengths), colors)


def _image(picture: Image.Image, indexed: NDArray[np.uint8], colors: Pixels) -> Image.Image:
    image = Image.frombytes("P", picture.size, indexed.tobytes())
    bands = np.ascontiguousarray(colors).view(np.uint8).reshape(-1, 4)
    if picture.mode == "RGBA":
        image.putpalette(bands.tobytes(), "RGBA")
    else:
        image.putpalette(bands[:, :3].tobytes(), "RGB")
    return image


def _bins(pixels: Pixels, *, opaque: bool) -> tuple[Integers, int]:
    """Sort colours into boxes, 32 steps of red, green and blue, 8 of opacity; return also how many boxes there are."""
    red, green, blue = (pixels >> 3) & 31, (pixels >> 6) & 0x3E0, (pixels >> 9) & 0x7C00
    found = red | green | blue
    if opaque:
        return found.astype(np.int64), 1 << 15
    return (found | (pixels >> 29) << 15).astype(np.int64), 1 << 18


def _flat_colors(runs: Pixels, lengths: Integers, bins: Integers) -> tuple[Pixels, Integers]:
    """Return the colours that fill most pixels in runs, the commonest last, and the boxes that they fall into."""
    long = np.flatnonzero(lengths > 1)
    colors, first, which = np.unique(runs[long], return_index=True, return_inverse=True)
    filled = np.bincount(which, weights=lengths[long], minlength=len(colors))
    commonest = np.argsort(filled, kind="stable")[-MOST_FLAT:]
    return colors[commonest], bins[long][first[commonest]]


def _nearest(shades: Pixels, kept: Pixels) -> NDArray[np.uint8]:
    """Return for each colour the number of the kept colour nearest to it."""
    from_, to = (
        np.ascontiguousarray(colors).view(np.uint8).reshape(-1, 4).astype(np.float32)
        for colors in (shades, kept)
    )
    # Not a matrix product: that goes to BLAS, whose waiting threads cost more than the drawing of the map.
    products = np.einsum("ik,kj->ij", from_, np.ascontiguousarray(to.T))
    distances = (to * to).sum(axis=1) - 2 * products
    nearest: NDArray[np.uint8] = distances.argmin(axis=1).astype(np.uint8)
    return nearest
