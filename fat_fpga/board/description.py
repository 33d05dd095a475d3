"""What a host has to know of an accelerator: streams, where their blocks are, and how pixels become its input.

A build writes it beside the bitstream, or beside the simulated board, as JSON; the runner needs nothing else.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt

from fat_fpga.board.stream import StreamLayout
from fat_fpga.errors import BoardError
from fat_fpga.faults.register import Register
from fat_fpga.files import replacing
from fat_fpga.json_file import Entry, read_object
from fat_fpga.network.levels import Levels
from fat_fpga.network.operators.threshold_logic import LOGICS

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
        threshold_logic: how the layer that makes it finds levels (`fat_fpga.network.operators.threshold_logic`); None
            where it has no thresholds, and in descriptions of older builds.
    """

    place: str
    layout: StreamLayout
    levels: Levels | None
    saboteur: Address | None = None
    thresholds: ThresholdMemory | None = None
    voter: Address | None = None
    sources: list[list[int]] | None = None
    checksum: Address | None = None
    threshold_logic: str | None = None


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
        entry = read_object(path, "a description of a board", BoardError)
        if "format" not in entry.value:
            raise BoardError(f"{path} is no description of a board: format is missing")
        if entry.value["format"] != FORMAT:
            raise BoardError(f"{path}: expected format {FORMAT} of a board's description: build the board again")
        return _description(entry)

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

    @property
    def threshold_logics(self) -> dict[str, str]:
        """How layers find levels, by name, as far as the build says so."""
        return {s.place: s.threshold_logic for s in self.streams if s.threshold_logic is not None}

    @property
    def summed_output(self) -> str | None:
        """The place whose checksum block sums up the very stream that leaves the accelerator; None if there is none."""
        last = self.streams[-1] if self.streams else None
        if last is None or last.checksum is None or last.levels is not None or self.labels:
            return None
        return last.place

    def place(self, name: str) -> StreamPlace:
        """The stream called ``name``; BoardError lists the known ones."""
        for stream in self.streams:
            if stream.place == name:
                return stream
        known = ", ".join(stream.place for stream in self.streams)
        raise BoardError(f"this board has no stream {name}: it has {known}")


WORD = (-(2**31), 2**31 - 1)
"""Integers of streams and memories are of int32."""
FRAME = 2**24
"""Values of a stream's frame, at most."""


def _description(entry: Entry) -> Description:
    shape = entry.items("shape", int, 1, FRAME)
    if len(shape) != 3 or math.prod(shape) > FRAME:
        raise BoardError(f"{entry.path}: shape must be channels, height, width of an image, got {list(shape)}")
    table = entry.matrix("table", 256, *WORD)
    if len(table) != shape[0]:
        raise BoardError(f"{entry.path}: table must have a row for each of {shape[0]} channels, has {len(table)}")
    source, output = _layout(entry.inner("input")), _layout(entry.inner("output"))
    if source.channels * source.height * source.width != math.prod(shape):
        raise BoardError(f"{entry.path}: input must carry the {math.prod(shape)} values of an image in a frame")
    streams = tuple(map(_stream, entry.inners("streams")))
    if len({stream.place for stream in streams}) < len(streams):
        raise BoardError(f"{entry.path}: streams must have different places")
    labels = entry.get("labels", bool)
    return Description(
        entry.get("name", str), entry.get("fingerprint", str), shape, table, source, output, streams, labels
    )


def _layout(entry: Entry) -> StreamLayout:
    channels, height, width, lanes = (entry.get(key, int, 1, FRAME) for key in ("channels", "height", "width", "lanes"))
    if channels * height * width > FRAME:
        raise BoardError(f"{entry.path}: {entry.place}channels, height and width make more than {FRAME:,} values")
    word = entry.inner("register")
    register = Register(
        word.get("bits", int, 1, 64), word.get("signed", bool), word.get("offset", int, *WORD), word.get("step", int, 1)
    )
    try:
        return StreamLayout(channels, height, width, lanes, register)
    except BoardError as error:
        raise BoardError(f"{entry.path}: {entry.place[:-1]}: {error}") from error


def _stream(entry: Entry) -> StreamPlace:
    layout, levels, memory = _layout(entry.inner("layout")), entry.optional("levels"), entry.optional("thresholds")
    sources = None if entry.value.get("sources") is None else entry.matrix("sources", 3, 0, FRAME)
    voter = _address(entry, "voter")
    if (voter is None) != (sources is None) or (sources is not None and len(sources) != layout.channels):
        raise BoardError(f"{entry.path}: {entry.place}sources must be given with a voter, for each of its channels")
    return StreamPlace(
        place=entry.get("place", str),
        layout=layout,
        levels=None if levels is None else _levels(levels),
        saboteur=_address(entry, "saboteur"),
        thresholds=None if memory is None else _memory(memory, layout),
        voter=voter,
        sources=sources,
        checksum=_address(entry, "checksum"),
        threshold_logic=None if entry.value.get("threshold_logic") is None else entry.one_of("threshold_logic", LOGICS),
    )


def _levels(entry: Entry) -> Levels:
    base, step, count = entry.get("base", int, *WORD), entry.get("step", int, 1), entry.get("count", int, 2, 2**16)
    if base + (count - 1) * step > WORD[1]:
        raise BoardError(f"{entry.path}: {entry.place}base, step and count reach beyond int32")
    return Levels(base, step, count, entry.get("datatype", str))


def _memory(entry: Entry, layout: StreamLayout) -> ThresholdMemory:
    address = _address(entry, "address")
    if address is None:
        raise BoardError(f"{entry.path}: {entry.place}address is missing")
    bits, count, lanes = entry.get("bits", int, 1, 64), entry.get("count", int, 1, 2**16), entry.get("lanes", int, 1)
    values = entry.matrix("values", count, -(2**63), 2**63 - 1)
    if len(values) != layout.channels or layout.channels % lanes:
        raise BoardError(
            f"{entry.path}: {entry.place}values must have a row for each of {layout.channels} channels, which lanes "
            f"divide; there are {len(values)} rows and {lanes} lanes"
        )
    return ThresholdMemory(address, bits, entry.get("signed", bool), count, lanes, values)


def _address(entry: Entry, key: str) -> Address | None:
    """A byte address of 64 bits, or a name; None where there is no block."""
    found = entry.value.get(key)
    if found is None:
        return None
    address: Address = entry.get(key, str) if isinstance(found, str) else entry.get(key, int, 0)
    return address
