"""A folder of images with one sub-folder per class, in the manner of torchvision's ImageFolder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"))


def load_folder(folder: Path) -> Dataset:
    """Load every image under ``folder/<class>/``; classes and files in the order of their names.

    Grey images have one channel, all others are converted to RGB; all must have the same size.

    Raises:
        DataError: no folder, no sub-folder, no image, an unreadable image, or images of different shapes.
    """
    image_module = _pillow()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one sub-folder of images per class")
    classes = sorted(child.name for child in folder.iterdir() if child.is_dir())
    if not classes:
        raise DataError(f"{folder}: no sub-folders; expected one sub-folder of images per class")
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            if path.suffix.lower() not in SUFFIXES:
                continue
            images.append(_read(path, image_module))
            labels.append(label)
            if images[-1].shape != images[0].shape:
                raise DataError(
                    f"{path}: image of shape {list(images[-1].shape)} (channels, height, width) among images of "
                    f"{list(images[0].shape)}; bring all to one size and colour mode first"
                )
    if not images:
        raise DataError(
            f"{folder}: no images in its {len(classes)} sub-folders; known are {', '.join(sorted(SUFFIXES))}"
        )
    return Dataset(f"folder:{folder.name}", np.stack(images), np.array(labels, np.int64), tuple(classes))


def _read(path: Path, image_module: Any) -> NDArray[np.uint8]:
    try:
        with image_module.open(path) as image:
            pixels = np.asarray(_plain_mode(image), np.uint8)
    except Exception as error:  # a damaged image can raise nearly anything
        raise DataError(f"{path}: not a readable image ({error})") from error
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("1", "L"):
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"{image.mode} pixels of more than 8 bits; convert to 8 bits first")
    return image.convert("RGB")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError("a folder of images needs Pillow; install it with: pip install pillow") from error
    return Image
