"""The protocol behind which every engine stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fat_fpga.errors import DataError, EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray, Shape

Images = npt.NDArray[np.uint8]
"""uint8 [N, C, H, W]."""
Labels = npt.NDArray[np.int64]
"""int64 [N], each 0 <= label < classes."""
Progress = Callable[[int], None]
"""Called with the number of images finished so far."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a list of faults does to a set of images.

    Attributes:
        golden: int32 [N], predicted classes of the fault-free network.
        correct: int64 [F], images classified correctly under each fault.
        changed: int64 [F], images whose predicted class differs from the fault-free one.
        predictions: int32 [F, N] if asked for, else None.
    """

    golden: npt.NDArray[np.int32]
    correct: npt.NDArray[np.int64]
    changed: npt.NDArray[np.int64]
    predictions: npt.NDArray[np.int32] | None


def outcome_of(
    golden: npt.NDArray[np.int32], table: npt.NDArray[np.int32], labels: Labels, predictions: bool
) -> Outcome:
    """The outcome that follows from every prediction.

    Args:
        golden: int32 [N].
        table: int32 [F, N].
        predictions: whether the outcome keeps the table.
    """
    return Outcome(
        golden=golden,
        correct=(table == labels).sum(axis=1),
        changed=(table != golden).sum(axis=1),
        predictions=table if predictions else None,
    )


class Engine(Protocol):
    """Executes a network on images, fault-free and under each of a list of faults."""

    name: str

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """Outcome of every fault; DataError or FaultError where images or faults do not fit the network."""

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        """The streams that the engine can show, under a fault or without: int32 [N, C, H, W] by place, in network
        order, the class scores [N, classes, 1, 1] last. What an engine does not keep is missing."""


@runtime_checkable
class Choosing(Protocol):
    """An engine that takes only some faults of a kind, as a board does."""

    def refuses(self, fault: AnyFault) -> str | None:
        """Why it does not take this fault; None where it does."""


def check_taken(engine: Engine, faults: Sequence[AnyFault]) -> None:
    """EngineError, with the first fault that the engine refuses and the number of all, before anything is run."""
    if isinstance(engine, Choosing):
        reasons = [reason for reason in map(engine.refuses, faults) if reason is not None]
        if reasons:
            raise EngineError(
                f"the {engine.name} engine cannot do {len(reasons)} of {len(faults)} faults: {reasons[0]}"
            )


def _image_shape_hint(expected: Shape, images: npt.NDArray[Any]) -> str:
    """What to do where the file's input is flat and the images have as many values."""
    found = images.shape[1:]
    if expected[1:] != (1, 1) or len(found) != 3 or np.prod(found) != expected[0]:
        return ""
    sizes = ",".join(map(str, found))
    return f": the file's input is flat, so give its image shape with --image-shape {sizes} (image_shape= in Python)"


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
        raise DataError(
            f"labels must lie in 0..{network.classes - 1} for {network.name}, got {labels.min()}..{labels.max()}"
        )
