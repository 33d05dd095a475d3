"""What a board must give out and count for some images, as the integer network says it: outputs, the checksum of every
stream, and what a saboteur changes.

The network is executed once for all images, by the native kernels where they are compiled, else by the reference
engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fat_fpga.board.description import Description
from fat_fpga.board.saboteur import held
from fat_fpga.checksums import FOLD, MODULUS, checksums
from fat_fpga.engines.images import Images
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.registry import get
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
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
    """What the integer network says of these images, without a fault.

    Args:
        images: uint8 [N, C, H, W].

    Attributes:
        outputs: int32 [N, classes], or the classes int32 [N, 1] where the accelerator gives these.
        sums: checksums int64 [N], by place.
        session: executes the integer network, and shows every stream of the board.
    """

    def __init__(self, network: Network, description: Description, images: Images) -> None:
        self._images = len(images)
        self._layouts = {s.place: s.layout for s in description.streams if s.saboteur is not None or s.thresholds}
        size = sum(layout.beats * layout.lanes * layout.word_bytes for layout in self._layouts.values())
        self._keeps = size * len(images) <= KEPT
        self._kept: dict[str, list[npt.NDArray[np.unsignedinteger]]] = {place: [] for place in self._layouts}
        self._equal: dict[tuple[str, int], npt.NDArray[np.int64]] = {}
        self._whole: dict[tuple[str, int], npt.NDArray[np.int64]] = {}
        outputs: list[IntArray] = []
        sums: dict[str, list[npt.NDArray[np.int64]]] = {stream.place: [] for stream in description.streams}
        self.session = _integer_network(network, images[:1], sums)
        for start in range(0, len(images), BLOCK):
            streams = self.session.trace(images[start : start + BLOCK])
            scores = streams[network.scores][:, :, 0, 0]
            outputs.append(scores.argmax(axis=1)[:, None] if description.labels else scores)
            for place, (found, _) in checksums(network, {place: streams[place] for place in sums}).items():
                sums[place].append(found)
            for place in self._layouts:
                self._note(place, streams[place])
        self.outputs = np.concatenate(outputs).astype(np.int32)
        self.sums = {place: np.concatenate(found) for place, found in sums.items() if found}
        self._words = {place: np.concatenate(found) for place, found in self._kept.items()} if self._keeps else {}
        self._kept.clear()

    def hits(self, place: str, settings: Settings) -> int:
        """What a saboteur with these settings counts as HITS while all images pass."""
        beats = int(held(self._layouts[place], settings).any(axis=3).sum())
        return min(self._images * beats, COUNT_MAX)

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
        beats = self._images - self._whole.get(key, none[..., 0])[whole]
        found = int(beats.sum()) + int((self._images - self._equal.get(key, none)[single]).sum())
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


def _integer_network(network: Network, images: Images, needed: Mapping[str, object]) -> Session:
    """The fastest session that shows all streams that are needed."""
    try:
        session = get("native").open(network)
        if needed.keys() <= session.trace(images).keys():
            return session
    except (EngineError, ImportError):  # its kernels are not compiled, as on a board
        pass
    return ReferenceEngine().open(network)
