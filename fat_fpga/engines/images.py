"""What a campaign shows a network: images and their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.errors import DataError
from fat_fpga.faults import AnySubject

Images = npt.NDArray[Any]
"""uint8 [N, C, H, W], or other data [N, ...] that a network takes: one row for each image, signal or vector."""
Labels = npt.NDArray[np.int64]
"""int64 [N], each 0 <= label < classes."""


@checked
def check_images(network: AnySubject, images: Images, labels: Labels, where: str = "") -> None:
    """DataError unless the images and labels are ones the network can take; it starts with ``where`` they are from."""
    try:
        _check(network, images, labels)
    except DataError as error:
        raise DataError(f"{where}: {error}" if where else str(error)) from error


def check_rows(network: AnySubject, images: Images, where: str) -> None:
    """The same without labels."""
    try:
        _check_rows(network, images)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _check_rows(network: AnySubject, images: Images) -> None:
    if images.ndim < 1 or len(images) == 0:
        raise DataError("no images: a campaign needs at least one")
    try:
        network.input.taken(images)
    except DataError as error:
        raise DataError(f"{network.name} {error}") from error


def _check(network: AnySubject, images: Images, labels: Labels) -> None:
    _check_rows(network, images)
    if network.outputs is not None:
        return
    if labels.shape != (len(images),):
        raise DataError(
            f"expected one label for each of the {len(images)} images, got labels of shape {list(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= network.classes:
        starts_at_one = labels.min() == 1 and labels.max() == network.classes
        raise DataError(
            f"labels must lie in 0..{network.classes - 1} for {network.name}, got {labels.min()}..{labels.max()}: "
            + (
                "the data have no labels, and this needs them"
                if not len(labels) or labels.max() < 0
                else "they start at 1, so subtract 1"
                if starts_at_one
                else "is it the data set of its training?"
            )
        )
