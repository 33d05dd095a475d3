"""The same images prepared in other ways: does the network know them better so?

Images that are prepared otherwise than in training are the usual reason for a low accuracy without faults. Each of the
usual differences is tried, so that the cause is measured and not guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fat_fpga.campaign.fault_free import FaultFree
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine
from fat_fpga.engines.images import Images, check_images
from fat_fpga.network import Network


class Preparation(NamedTuple):
    """One other way to prepare images.

    Attributes:
        name: completes "the accuracy ...".
        fits: whether it is another way for such images, uint8 [N, C, H, W].
        change: yields the images prepared so, of the same shape.
    """

    name: str
    fits: Callable[[Images], bool]
    change: Callable[[Images], Images]


PREPARATIONS = (
    Preparation(
        "with the colours in the other order (RGB and BGR)", lambda x: x.shape[1] == 3, lambda x: x[:, ::-1].copy()
    ),
    Preparation("with dark and light exchanged (255 - pixel)", lambda x: True, lambda x: 255 - x),
    Preparation(
        "with rows and columns exchanged",
        lambda x: x.shape[2] == x.shape[3],
        lambda x: np.ascontiguousarray(x.transpose(0, 1, 3, 2)),
    ),
    Preparation("with pixels of 0 and 1 times 255", lambda x: int(x.max()) <= 1, lambda x: x * np.uint8(255)),
)


def fault_free(network: Network, dataset: Dataset, engine: Engine) -> FaultFree:
    """The network without injected faults on a data set; DataError where the images do not fit the network."""
    dataset.need_labels("the accuracy")
    check_images(network, dataset.images, dataset.labels, dataset.name)
    golden = engine.open(network).run(dataset.images, dataset.labels, []).golden
    return FaultFree(dataset.labels, golden, network.classes)


def better_preparations(
    network: Network, dataset: Dataset, engine: Engine, found: FaultFree
) -> list[tuple[str, FaultFree]]:
    """The preparations that the network knows better, by name, the best first.

    Args:
        found: the network on the images as they are.
    """
    tried = [
        (name, fault_free(network, replace(dataset, images=change(dataset.images)), engine))
        for name, fits, change in PREPARATIONS
        if network.input.pixels and fits(dataset.images)
    ]
    return sorted((each for each in tried if surely_better(each[1], found)), key=lambda each: -each[1].correct)


def surely_better(one: FaultFree, other: FaultFree) -> bool:
    """Whether one accuracy is higher than the other, their 95 % intervals apart, and not near chance itself."""
    return one.interval[0] > other.interval[1] and not one.near_chance
