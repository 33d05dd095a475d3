"""What a campaign shows a network: images and their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.errors import DataError
from fat_fpga.network import Network
from fat_fpga.network.layers import Shape

Images = npt.NDArray[np.uint8]
"""uint8 [N, C, H, W]."""
Labels = npt.NDArray[np.int64]
"""int64 [N], each 0 <= label < classes."""


@checked
def check_images(network: Network, images: Images, labels: Labels) -> None:
    """DataError unless the images and labels are ones the network can take."""
    expected = network.input.shape
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != expected:
        raise DataError(
            f"{network.name} takes uint8 images [N, {', '.join(map(str, expected))}], "
            f"got {images.dtype} {list(images.shape)}{_image_shape_hint(expected, images)}"
        )
    if len(images) == 0:
        raise DataError("no images: a campaign needs at least one")
    if labels.shape != (len(images),):
        raise DataError(
            f"expected one label for each of the {len(images)} images, got labels of shape {list(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= network.classes:
        starts_at_one = labels.min() == 1 and labels.max() == network.classes
        raise DataError(
            f"labels must lie in 0..{network.classes - 1} for {network.name}, got {labels.min()}..{labels.max()}: "
            + ("they start at 1, so subtract 1" if starts_at_one else "is it the data set of its training?")
        )


def _image_shape_hint(expected: Shape, images: npt.NDArray[Any]) -> str:
    """What to do where the file's input is flat and the images have as many values."""
    found = images.shape[1:]
    if expected[1:] != (1, 1) or len(found) != 3 or np.prod(found) != expected[0]:
        return ""
    sizes = ",".join(map(str, found))
    return f": the file's input is flat, so give its image shape with --image-shape {sizes} (image_shape= in Python)"
