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

_BINS = 1 << 18

Pixels = NDArray[np.uint32]
Integers = NDArray[np.int64]


def reduced(picture: Image.Image) -> Image.Image:
    """Return an RGBA or RGBX picture with a palette of at most COLORS colours, without dithering."""
    pixels = np.frombuffer(picture.tobytes(), dtype="<u4")
    bins = _bins(pixels)
    counts = np.bincount(bins, minlength=_BINS)
    used = np.flatnonzero(counts)
    shades: Pixels = np.zeros(_BINS, dtype="<u4")
    shades[bins] = pixels
    flat = _flat_colors(pixels)
    # The commonest comes last, and so stays where several fall into one box; the others get places of their own.
    shades[_bins(flat)] = flat
    single = flat[shades[_bins(flat)] != flat]
    kept = np.argsort(-counts[used], kind="stable")[: COLORS - len(single)]
    colors = np.concatenate((shades[used][kept], single))
    numbers = np.zeros(_BINS, dtype=np.uint8)
    numbers[used] = _nearest(shades[used], colors)
    indexed = numbers[bins]
    for place, color in enumerate(single, len(kept)):
        indexed[pixels == color] = place
    return _image(picture, indexed, colors)


def _image(picture: Image.Image, indexed: NDArray[np.uint8], colors: Pixels) -> Image.Image:
    image = Image.frombytes("P", picture.size, indexed.tobytes())
    bands = np.ascontiguousarray(colors).view(np.uint8).reshape(-1, 4)
    if picture.mode == "RGBA":
        image.putpalette(bands.tobytes(), "RGBA")
    else:
        image.putpalette(bands[:, :3].tobytes(), "RGB")
    return image


def _bins(pixels: Pixels) -> Integers:
    """Sort colours into boxes: 32 steps of red, green and blue, 8 of opacity."""
    red, green, blue = (pixels >> 3) & 31, (pixels >> 6) & 0x3E0, (pixels >> 9) & 0x7C00
    found: Integers = (red | green | blue | ((pixels >> 29) << 15)).astype(np.int64)
    return found


def _flat_colors(pixels: Pixels) -> Pixels:
    """Return the colours that fill most pixels in runs, the commonest last."""
    starts = np.concatenate(([0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1, [len(pixels)]))
    lengths = np.diff(starts)
    runs = lengths > 1
    colors, which = np.unique(pixels[starts[:-1][runs]], return_inverse=True)
    filled = np.bincount(which, weights=lengths[runs], minlength=len(colors))
    commonest: Pixels = colors[np.argsort(filled, kind="stable")[-MOST_FLAT:]]
    return commonest


def _nearest(shades: Pixels, kept: Pixels) -> NDArray[np.uint8]:
    """Return for each colour the number of the kept colour nearest to it."""
    from_, to = (
        np.ascontiguousarray(colors).view(np.uint8).reshape(-1, 4).astype(np.float32)
        for colors in (shades, kept)
    )
    distances = (to * to).sum(axis=1) - 2 * (from_ @ to.T)
    nearest: NDArray[np.uint8] = distances.argmin(axis=1).astype(np.uint8)
    return nearest
