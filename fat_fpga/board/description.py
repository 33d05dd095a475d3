"""What a host has to know of an accelerator: streams, where their blocks are, and how pixels become its input.

A build writes it beside the bitstream, or beside the simulated board, as JSON; the runner needs nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register
from fat_fpga.files import replacing
from fat_fpga.network.levels import Levels

FORMAT = 2

Address = int | str
"""Where a block is: a byte address on the bus, or its name in the overlay's memory map."""


@dataclass(frozen=True)
class ThresholdMemory:
    """A unit's threshold memory on the bus, as FINN's Thresholding_rtl lays it out.

    Attributes:
        address: of its block.
        bits: of a threshold.
        signed: whether thresholds are two's complement.
        count: thresholds of a channel.
        lanes: PEs.
        values: as built, int [C][count].
    """

    address: Address
    bits: int
    signed: bool
    count: int
    lanes: int
    values: list[list[int]]

    @property
    def span(self) -> tuple[int, int]:
        """The smallest and the largest threshold: always met, and never."""
        low = -(1 << self.bits - 1) if self.signed else 0
        return low, low + (1 << self.bits) - 1

    def word_address(self, channel: int, index: int) -> int:
        """Byte address, in the block, of a channel's threshold: channels padded to a power of two lanes a fold,
        thresholds to a power of two a channel."""
        lane_bits, index_bits = (self.lanes - 1).bit_length(), (self.count - 1).bit_length()
        fold, lane = divmod(channel, self.lanes)
        return 4 * ((((fold << lane_bits) + lane) << index_bits) + index)


@dataclass(frozen=True)
class StreamPlace:
    """A stream between layers.

    Attributes:
        place: its address in faults: ``fc0``, ``fc0.vote``.
        layout: how it is carried.
        levels: what its activations can be; None for class scores.
        saboteur: where the saboteur in it is; None if there is none.
        thresholds: memory in front of it that a host can write; None if there is none.
        voter: where the voter that makes it is; None if there is none.
        sources: int [C][3] of that voter.
        checksum: where the block is that sums it up, behind the saboteur; None if there is none.
    """

    place: str
    layout: StreamLayout
    levels: Levels | None
    saboteur: Address | None = None
    thresholds: ThresholdMemory | None = None
    voter: Address | None = None
    sources: list[list[int]] | None = None
    checksum: Address | None = None


@dataclass(frozen=True)
class Description:
    """An accelerator as its host sees it.

    Attributes:
        name: of the network.
        fingerprint: of the network, as campaigns keep it.
        shape: channels, height, width of an image.
        table: int [C][256]; the integer of each pixel, as the host sends it: the pixel itself where the accelerator
            quantises its input.
        input: stream in; a frame is one pixel with all values of an image, rows, columns, then channels.
        output: stream out: class scores, the raw accumulators of the last unit, or the class.
        streams: between layers, in order; the class scores too, where a block is in their stream.
        labels: whether the class comes out, and no scores.
    """

    name: str
    fingerprint: str
    shape: tuple[int, int, int]
    table: list[list[int]]
    input: StreamLayout
    output: StreamLayout
    streams: tuple[StreamPlace, ...]
    labels: bool = False

    def write(self, path: str | PathLike[str]) -> None:
        """As a JSON file, whole or not at all."""
        with replacing(path) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, **asdict(self)}))

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Description:
        """What ``write`` wrote; BoardError if it is none, or one of another format."""
        try:
            content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BoardError(f"cannot read the board's description {path}: {error}") from error
        try:
            if content.pop("format") != FORMAT:
                raise BoardError(f"{path}: expected format {FORMAT} of a board's description: build the board again")
            return cls(
                **{**content, "shape": tuple(content["shape"])}
                | {name: _layout(content[name]) for name in ("input", "output")}
                | {"streams": tuple(map(_stream, content["streams"]))}
            )
        except (KeyError, TypeError) as error:
            raise BoardError(f"{path} is no description of a board: {error}") from error

    def quantise(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """The input stream's frames, int32 [N, values, 1, 1], of images uint8 [N, C, H, W]."""
        if images.dtype != np.uint8 or images.shape[1:] != self.shape:
            raise BoardError(
                f"{self.name} takes uint8 images [N, {', '.join(map(str, self.shape))}], "
                f"got {images.dtype} {list(images.shape)}"
            )
        table = np.array(self.table, np.int32)
        values = np.stack([table[c][images[:, c]] for c in range(self.shape[0])], axis=-1)  # [N, H, W, C]
        return values.reshape(len(images), -1, 1, 1)

    def place(self, name: str) -> StreamPlace:
        """The stream called ``name``; BoardError lists the known ones."""
        for stream in self.streams:
            if stream.place == name:
                return stream
        known = ", ".join(stream.place for stream in self.streams)
        raise BoardError(f"this board has no stream {name}: it has {known}")


def _layout(content: dict[str, Any]) -> StreamLayout:
    return StreamLayout(**{**content, "register": Register(**content["register"])})


def _stream(content: dict[str, Any]) -> StreamPlace:
    thresholds = content["thresholds"]
    return StreamPlace(
        **{
            **content,
            "layout": _layout(content["layout"]),
            "levels": None if content["levels"] is None else Levels(**content["levels"]),
            "thresholds": None if thresholds is None else ThresholdMemory(**thresholds),
        }
    )
