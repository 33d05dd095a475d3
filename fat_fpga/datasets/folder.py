"""Folders of images with one sub-folder per class, in the manner of ImageNet and torchvision's ImageFolder.

The folder may have the parts ``train`` and ``val`` (or ``test``), each with a sub-folder per class.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.images import centre, eight_bits, read_images
from fat_fpga.datasets.part import Part, Split, check_one_part
from fat_fpga.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff"))
PARTS: dict[Split, tuple[str, ...]] = {
    "test": ("test", "val"),
    "train": ("train",),
    "fit": ("train",),
    "val": ("val", "train"),
}
"""For each part the folders it may be in, the first that there is."""

Shape = tuple[int, int, int]


def load_folder(folder: Path, part: Part, shape: Shape | None = None) -> Dataset:
    """Load the images under ``folder/<class>/``, or ``folder/<part>/<class>/``; classes and files in order of name.

    Args:
        part: which images; no others are read.
        shape: channels, height, width that the network takes. Images of another size are scaled to cover 256/224 of
            it and cropped to the centre; for three channels grey images become RGB. Without it all images must have
            one size, grey ones have one channel and all others three.

    Raises:
        DataError: no folder, no sub-folder, no image, an unreadable image, or images of different shapes.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one sub-folder of images per class")
    name, folder, classes, held_out = _part(folder, part)
    if not classes:
        raise DataError(f"{folder}: no sub-folders; expected one sub-folder of images per class")
    found = [
        (path, label)
        for label, one in enumerate(classes)
        if (folder / one).is_dir()
        for path in sorted((folder / one).iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise DataError(
            f"{folder}: no images in its {len(classes)} sub-folders; known are {', '.join(sorted(SUFFIXES))}"
        )
    found = [found[index] for index in part.of(range(len(found)), held_out)]
    name += part.text
    if not found:
        raise DataError(f"{name} holds no images; at least one is needed")
    images, resized = read_images([path for path, _ in found], partial(_prepare, shape=shape))
    if resized and shape:
        name += f", centre {shape[1]}x{shape[2]}"
    return Dataset(name, images, np.array([label for _, label in found], np.int64), tuple(classes))


def _part(folder: Path, part: Part) -> tuple[str, Path, list[str], bool]:
    """Name of the data set, its folder, the classes of all parts together, so that labels mean the same in each, and
    whether validation images are held out of the training part: only where they have no folder of their own."""
    split: Split = part.split or "test"
    known = {name for names in PARTS.values() for name in names}
    inside = {name: _folders(folder / name) for name in _folders(folder)}
    base = f"folder:{folder.resolve().name}"
    if not inside or not set(inside) <= known or not all(inside.values()):
        check_one_part(f"{folder}", part)
        return base, folder, sorted(inside), False
    name = next((name for name in PARTS[split] if name in inside), None)
    if name is None:
        expected, there = " or ".join(PARTS[split]), ", ".join(sorted(inside))
        raise DataError(f"{folder}: no {split} part; expected a folder {expected} beside {there}")
    held_out = "val" not in inside and split in ("val", "fit")
    shown = split if held_out else name
    return f"{base}/{shown}", folder / name, sorted(set().union(*inside.values())), held_out


def _folders(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _prepare(image: Image.Image, shape: Shape | None) -> Image.Image:
    plain = eight_bits(image, colour=shape is not None and shape[0] == 3)
    return centre(plain, *shape[1:]) if shape else plain
