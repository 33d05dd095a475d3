"""Images that are computed together, and what an engine shows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fat_fpga.engines.images import Images, Labels
from fat_fpga.network.layers import IntArray

Progress = Callable[[int], None]
"""Called with the number of images finished so far."""
Streams = dict[str, IntArray]
"""Streams int32 [N, C, H, W] by place, in network order; the class scores [N, classes, 1, 1] last."""


def _nobody(done: int) -> None:
    """Watches no progress."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some consecutive images of a data set, and what is asked about them.

    Attributes:
        images, labels: of the block; images [N, C, H, W] as `Input.taken` gives them.
        first_frame: number of its first image in the data set, which faults of a single frame refer to.
        frames: number of images of the data set.
        predictions: whether every prediction is asked for.
        counting: what else is counted of the faults, as `Session.run` is asked for.
        tell: to be called with the number of the block's images that are finished, where a block takes long.
    """

    images: Images
    labels: Labels
    first_frame: int
    frames: int
    predictions: bool = False
    counting: Sequence[str] = ()
    tell: Progress = _nobody
