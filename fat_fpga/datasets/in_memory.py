"""Labelled images that are in memory already: arrays, or a data set of torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.datasets.arrays import of_arrays
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.images import eight_bits
from fat_fpga.errors import DataError
from fat_fpga.foreign import TorchDataset

LabelledImages: TypeAlias = Dataset | tuple[Any, Any] | TorchDataset
"""What a campaign takes as data: `Dataset`, ``(images, labels)``, or a ``torch.utils.data.Dataset``."""


@checked
def as_dataset(data: LabelledImages) -> Dataset:
    """Labelled images in the one form that everything takes.

    Args:
        data: a `Dataset`, which is given back; ``(images, labels)``, as arrays or tensors: uint8 [N, C, H, W], or other
            data [N, ...] that the network takes, and integers [N], or None where there are no labels; or a
            ``torch.utils.data.Dataset`` of pairs of an image and its label. Its images are pictures of Pillow, uint8
            [C, H, W] or [H, W], or floats that are whole pixels divided by 255, as torchvision's ToTensor makes them,
            or vectors of features; it is gone through once.

    Raises:
        DataError: images are no whole pixels, are of several shapes, or do not fit their labels.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, tuple):
        if len(data) != 2:
            raise DataError(f"expected the pair (images, labels), got {len(data)} entries")
        return of_arrays("arrays in memory", np.asarray(data[0]), None if data[1] is None else np.asarray(data[1]))
    name = f"torch:{type(data).__name__}"
    images, labels = [], []
    for number, item in enumerate(_items(data)):
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise DataError(f"{name}: expected pairs of an image and its label, image {number} is {_what(item)}")
        images.append(_pixels(item[0], f"{name}: image {number}"))
        labels.append(np.asarray(item[1]))
        if images[-1].shape != images[0].shape or labels[-1].size != 1:
            raise DataError(
                f"{name}: expected images of one shape, each with one label; image {number} is "
                f"{list(images[-1].shape)}, the first {list(images[0].shape)}; its label is {_what(item[1])}"
            )
    if not images:
        raise DataError(f"{name}: the data set holds no images; at least one is needed")
    return of_arrays(name, np.stack(images), np.stack(labels).reshape(-1), _classes(data))


def _items(data: Any) -> Iterable[Any]:
    return (data[index] for index in range(len(data))) if hasattr(data, "__len__") else data


def _classes(data: Any) -> tuple[str, ...] | None:
    """Names of the classes, as torchvision's data sets have them."""
    found = getattr(data, "classes", None)
    return tuple(found) if isinstance(found, list | tuple) and all(isinstance(each, str) for each in found) else None


def _pixels(image: Any, where: str) -> npt.NDArray[Any]:
    """An image as uint8 [C, H, W]; a vector of features as it is."""
    if hasattr(image, "getbands"):  # a picture of Pillow
        try:
            image = np.asarray(eight_bits(image))
        except ValueError as error:
            raise DataError(f"{where}: {error}") from error
        image = image if image.ndim == 2 else image.transpose(2, 0, 1)
    found = np.asarray(image)
    if found.ndim < 2 and found.dtype.kind in "biuf":
        return found  # features
    found = found[None] if found.ndim == 2 else found
    if found.dtype.kind == "f":
        whole = np.rint(found * 255)
        exact = np.float32(whole) / np.float32(255) == np.float32(found)
        if not (exact.all() and whole.min() >= 0 and whole.max() <= 255):
            raise DataError(
                f"{where} is not of whole pixels: expected uint8, or floats 0 to 1 as ToTensor makes them, got "
                f"{found.min():.3g} to {found.max():.3g}: leave Normalize out, the network does what it did in training"
            )
        found = whole.astype(np.uint8)
    if found.dtype != np.uint8 or found.ndim != 3:
        raise DataError(f"{where}: expected uint8 or floats [C, H, W], got {found.dtype} {list(found.shape)}")
    return found


def _what(item: object) -> str:
    return f"{type(item).__name__} of {len(item)}" if hasattr(item, "__len__") else f"a {type(item).__name__}"
