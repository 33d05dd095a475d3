"""Many image files to one array, with Pillow."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.extra import extra
from fat_fpga.errors import DataError
from fat_fpga.progress import progress_bar

if TYPE_CHECKING:
    from PIL import Image

Prepare = Callable[["Image.Image"], "Image.Image"]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first ones outside."""
MOST_PIXELS = 50_000_000
"""Of an image file: a few bytes can promise any size. Half of what Pillow warns of; 8K video has 33 million."""
_SILENT = logging.NullHandler()
RESIZE, CROP = 256, 224
"""ImageNet's usual preparation: the shorter side to 256, then the 224 x 224 pixels in the centre."""


def read_images(
    paths: Sequence[Path], prepare: Prepare, boxes: Sequence[Box] | None = None
) -> tuple[NDArray[np.uint8], int]:
    """Read every file, with a progress bar on a terminal if that takes over two seconds.

    Args:
        paths: at least one file.
        prepare: what to do with each image before its pixels are taken; a ValueError of it is told as the file's fault.
        boxes: what each image is cut to before; by default they are not.

    Returns:
        The images, uint8 [N, C, H, W] with C 1 for grey ones and 3 otherwise, and how many had another size before
        they were prepared.

    Raises:
        DataError: Pillow is missing, a file is not readable, or the images differ in shape.
    """
    module = extra("PIL.Image", "Pillow", "reading image files")
    images: NDArray[np.uint8] = np.empty(0, np.uint8)
    resized = 0
    bar = progress_bar(
        True, iterable=paths, desc="reading images", unit=" images", unit_scale=True, delay=2, leave=False
    )
    for index, path in enumerate(paths if bar is None else bar):
        pixels, changed = _read(path, prepare, module, None if boxes is None else boxes[index])
        resized += changed
        if index == 0:
            images = _room(len(paths), pixels.shape)
        elif pixels.shape != images.shape[1:]:
            raise DataError(
                f"{path}: image of shape {list(pixels.shape)} (channels, height, width) among images of "
                f"{list(images.shape[1:])}; bring all to one size and colour mode first"
            )
        images[index] = pixels
    return images, resized


def _room(count: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        return np.empty((count, *shape), np.uint8)
    except MemoryError as error:
        size = count * int(np.prod(shape)) / 1e9
        raise DataError(f"{count:,} images of shape {list(shape)} need {size:.1f} GB of memory; take fewer") from error


def _read(path: Path, prepare: Prepare, module: Any, box: Box | None) -> tuple[NDArray[np.uint8], bool]:
    if not path.is_file():
        raise DataError(f"{path}: {'no file: a folder, a device or a pipe' if path.exists() else 'no such file'}")
    try:
        with _quiet(), module.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels, expected at most {MOST_PIXELS:,}")
            prepared = prepare(image if box is None else _cut(image, box))
            pixels = np.asarray(prepared, np.uint8)
            changed = prepared.size != image.size
    except Exception as error:  # a damaged image can raise nearly anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not a readable image ({why})") from error
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), changed


def _cut(image: Image.Image, box: Box) -> Image.Image:
    """The part of an image inside of a box; ValueError where it has none."""
    left, top, right, bottom = box
    if not (left < right <= image.width and top < bottom <= image.height):
        raise ValueError(
            f"its region of interest, {left}, {top} to {right}, {bottom}, is not inside of its {image.width} x "
            f"{image.height} pixels"
        )
    return image.crop(box)


@contextmanager
def _quiet() -> Iterator[None]:
    """No words of Pillow on the terminal: what is odd and can be read is read, the rest is an exception."""
    logging.getLogger("PIL").addHandler(_SILENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def eight_bits(image: Image.Image, colour: bool = False) -> Image.Image:
    """Grey images as they are, or as RGB if ``colour``; all others as RGB. ValueError for more than 8 bits a value."""
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"{image.mode} pixels of more than 8 bits; convert to 8 bits first")
    return image.convert("L" if image.mode in ("1", "L") and not colour else "RGB")


def resize(image: Image.Image, height: int, width: int) -> Image.Image:
    """Bring an image to a size, bilinear with antialiasing; one that has the size is left alone."""
    if image.size == (width, height):
        return image
    from PIL import Image

    return image.resize((width, height), Image.Resampling.BILINEAR)


def centre(image: Image.Image, height: int, width: int) -> Image.Image:
    """ImageNet's preparation for any size: scaled to cover 256/224 of it, then the centre; right sizes are left alone.

    For 224 x 224 the shorter side becomes 256 (Zhou et al. 2016, DoReFa-Net, which Zahid et al. 2020 train).
    """
    if image.size == (width, height):
        return image
    scale = max(width / image.width, height / image.height) * RESIZE / CROP
    scaled = resize(image, max(height, round(image.height * scale)), max(width, round(image.width * scale)))
    left, top = (scaled.width - width) // 2, (scaled.height - height) // 2
    return scaled.crop((left, top, left + width, top + height))
