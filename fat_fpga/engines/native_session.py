"""The native engine on one network.

Majority votes are decided in front of the kernels where two of three copies agree (see `fat_fpga.engines.votes`), else
by the reference engine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.counts import OUTCOME_NAMES, OUTCOMES, Counts
from fat_fpga.engines.criteria import TOP5
from fat_fpga.engines.kept import Kept
from fat_fpga.engines.native_faults import fault_list
from fat_fpga.engines.native_network import translate
from fat_fpga.engines.native_outcomes import NativeOutcomes, put
from fat_fpga.engines.outcome import Outcome, over_faults
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.session import Session
from fat_fpga.engines.voted_rows import VotedRows
from fat_fpga.engines.votes import without_votes
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, Change, Pattern, changes_of, expand
from fat_fpga.faults.parts import parts_of
from fat_fpga.network import Network
from fat_fpga.network.network import INPUT

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

UPDATE = "FAT_FPGA_UPDATE"
"""Environment variable that forces how a unit behind a fault is brought up to date: ``sparse`` adds the weight
columns of what changed, ``popcount`` and ``bytes`` recompute, ``automatic`` (the default) takes the cheapest; where
that is found by timing, ``chance`` draws instead, for tests that are to meet every combination."""

MOST_FLIPS = 300_000
"""Bits of activations, by different patterns and images, that are kept in memory at once: 64 bytes each."""

CHANCE = "chance"
UPDATES = ("automatic", "sparse", "popcount", "bytes", CHANCE)
_model = Kept(translate)
_voteless = Kept(without_votes)


@dataclass(frozen=True, eq=False)
class _Asked:
    """Faults in the kernels' terms.

    Attributes:
        listed: the C++ list of all of them; without changes where a vote is undecided.
        faults: all of them, as they were asked for.
        undecided: positions of those that leave a vote undecided.
        copies: positions of those that change something in front of a vote.
    """

    listed: native.FaultList
    faults: Sequence[AnyFault]
    undecided: Sequence[int]
    copies: Sequence[int]


class NativeSession(Session):
    """Exact campaigns on the CPU.

    Args:
        module: the kernels, compiled for an instruction set.
        threads: worker threads.

    Raises:
        NotHeldError, UndecidedVoteError: the kernels cannot hold the network.
    """

    images_at_a_time = 256
    draws_patterns = True

    def __init__(self, name: str, network: Network, module: ModuleType, threads: int) -> None:
        super().__init__(name, network)
        self.threads = threads
        self._module = module
        self._voteless = _voteless(network)
        self._rows = VotedRows(self._voteless)
        self._model = _model(self._voteless.network, module)
        self._reference = ReferenceEngine().open(network)
        places = [INPUT, *(layer.name for layer in self._voteless.network.layers)]
        self._outcomes = NativeOutcomes(network, self._voteless, {place: n for n, place in enumerate(places)})

    def prepare(self, faults: Sequence[AnyFault]) -> _Asked | Sequence[AnyFault]:
        """The faults in the kernels' terms; as they are where some are drawn anew for each image."""
        if any(self._flips_of_an_image(fault) > 0 for fault in faults):
            return faults
        return self._translated(faults, range(0))

    def compute(self, block: Block, asked: _Asked | Sequence[AnyFault]) -> Outcome:
        self._choose_update()
        pixels = self._pixels(block)
        if isinstance(asked, _Asked):
            return self._outcome(block, pixels, asked)
        return over_faults([self._outcome(block, pixels, part) for part in self._drawn(block, asked)])

    def _drawn(self, block: Block, faults: Sequence[AnyFault]) -> Iterator[_Asked]:
        """Faults in the kernels' terms, drawn for the images of a block: as many at a time as fit in memory."""
        images = range(block.first_frame, block.first_frame + len(block.images))
        some: list[AnyFault] = []
        flips = 0.0
        for fault in faults:
            some.append(fault)
            flips += self._flips_of_an_image(fault) * len(images)
            if flips > MOST_FLIPS:
                yield self._translated(some, images)
                some, flips = [], 0.0
        if some:
            yield self._translated(some, images)

    def _translated(self, faults: Sequence[AnyFault], images: range) -> _Asked:
        """Faults in the kernels' terms, with what patterns draw anew for each of these images."""
        entries: list[Sequence[Change] | Pattern] = []
        undecided: list[int] = []
        copies: list[int] = []
        for number, fault in enumerate(faults):
            if isinstance(fault, Pattern) and not self._voteless.votes:
                entries.append(fault)
                continue
            changes = changes_of(self.network, [self._single(fault, images)])
            decided = self._voteless.changes(changes)
            entries.append(decided or ())
            undecided += [number] * (decided is None)
            copies += [number] * self._voteless.in_copies(changes)
        listed = fault_list(self._voteless.network, entries, self._model, self._module, images)
        return _Asked(listed, faults, undecided, copies)

    def _single(self, fault: AnyFault, images: range) -> AnyFault:
        """A pattern as what it draws for these images, another fault as it is."""
        return expand(self.network, fault, images.start, len(images)) if isinstance(fault, Pattern) else fault

    def _flips_of_an_image(self, fault: AnyFault) -> float:
        """How many cells a pattern is expected to hit in one image, of those that are drawn anew for each."""
        if not isinstance(fault, Pattern):
            return 0.0
        return sum(part.cells * fault.rate for part in parts_of(self.network, fault) if part.transient)

    def _outcome(self, block: Block, pixels: npt.NDArray[np.uint8], asked: _Asked) -> Outcome:
        golden = np.empty(len(pixels), np.int32)
        count = len(asked.faults)
        correct, changed = np.zeros(count, np.int64), np.zeros(count, np.int64)
        table = np.empty((count, len(pixels)), np.int32) if block.predictions else None
        top5 = np.zeros(count, np.int64) if TOP5 in block.counting else None
        classes = np.zeros((count, len(OUTCOME_NAMES)), np.int64) if OUTCOMES in block.counting else None
        self._model.run(
            pixels, block.first_frame, np.ascontiguousarray(block.labels, np.int64), asked.listed, self.threads,
            golden, correct, changed, table, top5, classes, self._outcomes.watched(block.counting),
        )  # fmt: skip
        if asked.undecided:
            rest = list(asked.undecided)
            outcome = self._reference.run(
                block.images, block.labels, [asked.faults[i] for i in rest], predictions=block.predictions,
                first_frame=block.first_frame, frames=block.frames, counting=[TOP5] if TOP5 in block.counting else [],
            )  # fmt: skip
            correct[rest], changed[rest] = outcome.correct, outcome.changed
            if table is not None and outcome.predictions is not None:
                table[rest] = outcome.predictions
            if top5 is not None:
                top5[rest] = outcome.counts[TOP5]
        counts = {} if classes is None else self._classes(block, asked, classes)
        return Outcome(golden, correct, changed, table, counts if top5 is None else {**counts, TOP5: top5})

    def _classes(self, block: Block, asked: _Asked, counted: npt.NDArray[np.int64]) -> Counts:
        """Outcome classes, int64 [F] by name, from those that the kernels counted [F, names]."""
        found = self._outcomes.counts(counted, asked.faults, len(block.images), block.counting)
        rest = self._outcomes.traced(block.counting, asked.undecided, len(asked.faults))
        images = range(block.first_frame, block.first_frame + len(block.images))
        rest += self._outcomes.seen(
            block.counting, found, sorted({*asked.copies} - {*rest}),
            lambda number: changes_of(self.network, [self._single(asked.faults[number], images)]),
            lambda: self._fault_free(block, images),
            block.first_frame,
        )  # fmt: skip
        if rest:
            faults = [asked.faults[i] for i in rest]
            put(found, rest, self._counts(block, faults, faults, block.counting))
        return found

    def _fault_free(self, block: Block, images: range) -> Streams:
        """The input, and the streams that the kernels hold."""
        return {INPUT: self.network.input.integers(block.images), **self._traced(block, self._translated([], images))}

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        images = range(block.first_frame, block.first_frame + len(block.images))
        asked = self._translated([] if fault is None else [fault], images)
        changes: Sequence[Change] = ()
        if fault is not None and self._rows.channels:  # else patterns stay as they are
            changes = changes_of(self.network, [self._single(fault, images)])
        if asked.undecided or not self._rows.follow(changes):
            streams = self._reference.trace(block.images, fault, first_frame=block.first_frame, frames=block.frames)
        else:
            streams = self._rows.add(
                self._traced(block, asked), changes, block.first_frame,
                lambda: self._traced(block, self._translated([], images)),
            )  # fmt: skip
        shown = {self._voteless.shown_as(layer.name) for layer in self._voteless.network.layers}
        shown |= self._rows.channels.keys()
        return {layer.name: streams[layer.name] for layer in self.network.layers if layer.name in shown}

    def _traced(self, block: Block, asked: _Asked) -> Streams:
        """The streams that the kernels hold, under the one fault of the list or without."""
        voteless = self._voteless.network
        shown = {self._voteless.shown_as(layer.name): voteless.shape_of[layer.name] for layer in voteless.layers}
        streams = {name: np.empty((len(block.images), *shape), np.int32) for name, shape in shown.items()}
        self._choose_update()
        for n, image in enumerate(self._pixels(block)):
            out = [stream[n] for stream in streams.values()]
            self._model.trace(image, block.first_frame + n, asked.listed, out)
        return streams

    def _pixels(self, block: Block) -> npt.NDArray[np.uint8]:
        """The images as the kernels take them: positions in the table of the input's integers."""
        found = self.network.input.codes(block.images)
        assert found is not None, "a network whose input has more integers is not translated"
        return np.ascontiguousarray(found[1])

    def _choose_update(self) -> None:
        wanted = os.environ.get(UPDATE) or UPDATES[0]
        if wanted not in UPDATES:
            raise EngineError(f"{UPDATE}={wanted}: choose among {', '.join(UPDATES)}")
        self._model.by_chance = wanted == CHANCE
        self._model.update = getattr(self._module.Update, UPDATES[0] if wanted == CHANCE else wanted)
