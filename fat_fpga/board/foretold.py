"""What a board must give out and count for some images, as the integer network says it: outputs, the checksum of every
stream, and what a saboteur changes.

The network is executed once for all images, by the native kernels where they are compiled, else by the reference
engine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.board.description import Description
from fat_fpga.board.saboteur import held
from fat_fpga.checksums import FOLD, MODULUS, checksums
from fat_fpga.engines.block import Streams
from fat_fpga.engines.images import Images
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.registry import get
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

BLOCK = 16
"""Images at a time."""
KEPT = 64 << 20
"""Bytes of streams that are kept at most, all images and saboteurs together."""
LEVELS = 32
"""Values of an activation up to which changes are counted."""
COUNT_MAX = (1 << 32) - 1
"""Counters stop there."""

Settings = Mapping[str, int]


class Foretold:
    """What the integer network says of these images.

    Args:
        images: uint8 [N, C, H, W].

    Attributes:
        outputs: without a fault, int32 [N, classes], or the classes int32 [N, 1] where the accelerator gives these.
        sums: checksums without a fault, int64 [N], by place.
        complete: whether ``under`` is fast enough for all images: the kernels are compiled, and show every stream.
    """

    def __init__(self, network: Network, description: Description, images: Images) -> None:
        self._network, self._images, self._labels = network, images, description.labels
        self._layouts = {s.place: s.layout for s in description.streams if s.saboteur is not None or s.thresholds}
        size = sum(layout.beats * layout.lanes * layout.word_bytes for layout in self._layouts.values())
        self._keeps = size * len(images) <= KEPT
        self._kept: dict[str, list[npt.NDArray[np.unsignedinteger]]] = {place: [] for place in self._layouts}
        self._equal: dict[tuple[str, int], npt.NDArray[np.int64]] = {}
        self._whole: dict[tuple[str, int], npt.NDArray[np.int64]] = {}
        outputs: list[IntArray] = []
        sums: dict[str, list[npt.NDArray[np.int64]]] = {stream.place: [] for stream in description.streams}
        self._session, self.complete = _integer_network(network, images[:1], sums)
        for streams in self._streams(None, np.arange(len(images))):
            outputs.append(self._given_out(streams))
            for place, (found, _) in checksums(network, {place: streams[place] for place in sums}).items():
                sums[place].append(found)
            for place in self._layouts:
                self._note(place, streams[place])
        self.outputs = np.concatenate(outputs)
        self.sums = {place: np.concatenate(found) for place, found in sums.items()}
        self._words = {place: np.concatenate(found) for place, found in self._kept.items()} if self._keeps else {}
        self._kept.clear()

    def under(
        self, fault: AnyFault, numbers: npt.NDArray[np.intp], places: Collection[str]
    ) -> tuple[IntArray, dict[str, npt.NDArray[np.int64]]]:
        """Outputs of some images under a fault, as in ``outputs``, and their checksums at these places."""
        outputs: list[IntArray] = []
        sums: dict[str, list[npt.NDArray[np.int64]]] = {place: [] for place in places}
        for streams in self._streams(fault, numbers):
            outputs.append(self._given_out(streams))
            for place, (found, _) in checksums(self._network, {place: streams[place] for place in places}).items():
                sums[place].append(found)
        return np.concatenate(outputs), {place: np.concatenate(found) for place, found in sums.items()}

    def hits(self, place: str, settings: Settings) -> int:
        """What a saboteur with these settings counts as HITS while all images pass."""
        beats = int(held(self._layouts[place], settings).any(axis=3).sum())
        return min(len(self._images) * beats, COUNT_MAX)

    def changes(self, place: str, settings: Settings) -> int | None:
        """What it counts as CHANGES, if nothing in front of it is faulty; None where that is not foretold: activations
        of more than `LEVELS` values."""
        if not settings["MODE"]:
            return 0
        layout = self._layouts[place]
        if layout.register.bits > LEVELS.bit_length() - 1:
            return None
        lanes = held(layout, settings)  # of each beat one or all
        whole: npt.NDArray[np.bool_] = np.asarray(lanes.all(axis=3))
        single = lanes & ~whole[..., None]
        none = np.zeros(lanes.shape, np.int64)
        key = place, settings["VALUE"]
        beats = len(self._images) - self._whole.get(key, none[..., 0])[whole]
        found = int(beats.sum()) + int((len(self._images) - self._equal.get(key, none)[single]).sum())
        return min(found, COUNT_MAX)

    def held_sums(self, place: str, holds: Sequence[Settings]) -> npt.NDArray[np.int64] | None:
        """Checksums int64 [N] of a stream in which these settings act, none where another one does, and nothing in
        front is faulty; None where that is not foretold: streams of more than `KEPT` bytes, or values of more bits than
        a checksum's slice has."""
        layout = self._layouts[place]
        if place not in self._words or layout.register.bits > FOLD:
            return None
        found = self.sums[place].copy()
        for settings in holds:
            at = np.flatnonzero(held(layout, settings))
            weights = 1 + at % 3
            found += int(weights.sum()) * settings["VALUE"] - self._words[place][:, at].astype(np.int64) @ weights
        found %= MODULUS
        return found

    def _streams(self, fault: AnyFault | None, numbers: npt.NDArray[np.intp]) -> Iterator[Streams]:
        """The streams of these images, `BLOCK` images at a time."""
        for start in range(0, len(numbers), BLOCK):
            yield self._session.trace(self._images[numbers[start : start + BLOCK]], fault)

    def _given_out(self, streams: Streams) -> IntArray:
        scores = streams[self._network.scores][:, :, 0, 0]
        return (scores.argmax(axis=1)[:, None] if self._labels else scores).astype(np.int32)

    def _note(self, place: str, stream: IntArray) -> None:
        layout = self._layouts[place]
        words = layout.words(stream).reshape(len(stream), layout.height, layout.width, layout.folds, layout.lanes)
        if self._keeps:
            kept = words.reshape(len(stream), -1).astype(f"u{layout.word_bytes}")
            self._kept[place].append(kept)
        if layout.register.bits > LEVELS.bit_length() - 1:
            return
        for word in np.unique(words).tolist():
            equal = words == word
            for table, seen in ((self._equal, equal), (self._whole, equal.all(axis=4))):
                counted = seen.sum(axis=0)
                table[place, word] = table[place, word] + counted if (place, word) in table else counted


def _integer_network(network: Network, images: Images, needed: Mapping[str, object]) -> tuple[Session, bool]:
    """The fastest session that shows all streams that are needed, and whether its kernels are compiled."""
    try:
        session = get("native").open(network)
        if needed.keys() <= session.trace(images).keys():
            return session, True
    except (EngineError, ImportError):  # its kernels are not compiled, as on a board
        pass
    return ReferenceEngine().open(network), False
