"""Sessions: an engine that is ready for one network. The checks, the blocks of images, the progress and the outcome of
every engine are here; an engine says what a block of images gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.engines.block import Block, Progress, Streams
from fat_fpga.engines.cells import cell_counts
from fat_fpga.engines.counts import (
    ERRORS,
    OUTCOMES,
    PARTS,
    PREDICTIONS,
    Counts,
    check_counting,
    detectors_of,
    error_counts,
    names_of,
    outcome_counts,
)
from fat_fpga.engines.criteria import COST, TOP5, among_highest, cost_matrix_of
from fat_fpga.engines.detectors import DETECTORS
from fat_fpga.engines.images import Images, Labels, check_images
from fat_fpga.engines.outcome import Outcome, over_images
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, AnySubject, Pattern, check_faults, expand
from fat_fpga.network import Network


class Session(ABC):
    """An engine that is ready for one network. A session is used by one thread at a time.

    A subclass gives `prepare`, `compute` and `show`.

    Attributes:
        name: of the engine that opened it.
        subject: what is executed: a network, or a module.
        images_at_a_time: how many images a block has; None where all go at once.
    """

    images_at_a_time: int | None = None
    draws_patterns = False
    """Whether `prepare`, `compute` and `show` take patterns as they are; else these are expanded before."""

    def __init__(self, name: str, subject: AnySubject) -> None:
        self.name = name
        self.subject = subject

    @property
    def network(self) -> Network:
        """What is executed, in a session on a network."""
        assert isinstance(self.subject, Network)
        return self.subject

    @checked
    def run(
        self,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
        first_frame: int = 0,
        frames: int | None = None,
        counting: Sequence[str] = (),
    ) -> Outcome:
        """The outcome of every fault; without faults, the fault-free predictions alone.

        Images may be a part of a data set; `over_images` joins the outcomes of its parts.

        Args:
            images: uint8 [N, C, H, W], or what else the network takes (`fat_fpga.network.operators.input`).
            labels: int64 [N].
            predictions: whether the outcome keeps every prediction.
            progress: called with the number of images finished so far.
            first_frame: number of the first of the images in the data set; faults of a single frame refer to it.
            frames: number of images of the whole data set; by default it ends with these.
            counting: what else to count: ``outcomes`` (with detectors: ``voter``, ``range``), ``errors`` by class,
                ``top5``, ``cost:`` and a matrix. See `fat_fpga.engines.counts`. Outcomes and top-5 execute each fault
                once more, one by one, but in the native engine. ``predictions`` is the same as the argument.

        Raises:
            DataError: images or labels do not fit the network.
            FaultError: a fault does not exist in the network, or hits none of the images of the data set.
            EngineError: the engine does not take a fault, or cannot count what is asked.
        """
        frames = first_frame + len(images) if frames is None else frames
        self._check(images, labels, faults, frames)
        check_counting(counting, self.subject)
        images = self.subject.input.taken(images)
        if self.subject.outputs is not None:  # what is counted are unchanged outputs, see `Outcome.deviation`
            labels = np.zeros(len(images), np.int64)
        patterns, faults = faults, self._expanded(faults, first_frame, len(images))
        asked = self.prepare(faults)
        predictions = predictions or PREDICTIONS in counting
        matrix = cost_matrix_of(counting)
        table = predictions or ERRORS in counting or matrix is not None

        def outcomes() -> Iterator[Outcome]:
            for part in self._blocks(len(images), first_frame):

                def tell(done: int, start: int = part.start) -> None:
                    if progress:
                        progress(start + done)

                asks = counting if faults else ()
                block = Block(images[part], labels[part], first_frame + part.start, frames, table, asks, tell)
                outcome = self.compute(block, asked)
                if asks:
                    own = PARTS[0] in outcome.counts
                    counts = dict(outcome.counts if own else self._counts(block, patterns, faults, counting))
                    if ERRORS in counting:
                        assert outcome.predictions is not None
                        counts |= error_counts(outcome.predictions, block.labels, self.subject.classes)
                    counts |= outcome.counts
                    if TOP5 in counting and TOP5 not in counts:
                        counts[TOP5] = self._top5(block, faults)
                    if matrix is not None:
                        assert outcome.predictions is not None
                        counts[COST] = matrix.total(outcome.predictions, block.labels)
                    outcome = replace(outcome, counts=counts)
                yield outcome
                tell(part.stop - part.start)

        found = over_images(outcomes(), len(faults), len(images), predictions)
        cells = cell_counts(self.subject, patterns, first_frame, len(images), counting)
        return replace(found, counts={**found.counts, **cells}) if cells else found

    @checked
    def fault_free_top5(self, images: Images, labels: Labels) -> int:
        """Images whose label is among the five highest scores without a fault; arguments and errors are those of
        `run`."""
        self._check(images, labels, [], len(images))
        check_counting([TOP5], self.subject)
        images = self.subject.input.taken(images)
        parts = self._blocks(len(images), 0)
        return sum(
            among_highest(self._scores(Block(images[part], labels[part], part.start, len(images)), None), labels[part])
            for part in parts
        )

    @checked
    def trace(
        self, images: Images, fault: AnyFault | None = None, *, first_frame: int = 0, frames: int | None = None
    ) -> Streams:
        """The streams that the engine can show, under a fault or without.

        What an engine does not keep is missing. Arguments and errors are those of `run`; EngineError also where the
        engine shows no streams.
        """
        frames = first_frame + len(images) if frames is None else frames
        labels = np.zeros(len(images), np.int64)
        self._check(images, labels, [] if fault is None else [fault], frames)
        images = self.subject.input.taken(images)
        if fault is not None:
            (fault,) = self._expanded([fault], first_frame, len(images))
        found = [
            self.show(Block(images[part], labels[part], first_frame + part.start, frames), fault)
            for part in self._blocks(len(images), first_frame)
        ]
        return found[0] if len(found) == 1 else {place: np.concatenate([s[place] for s in found]) for place in found[0]}

    def refuses(self, fault: AnyFault) -> str | None:
        """Why the engine does not take this one fault, though it takes others of its kind, as a board does; None where
        it does."""
        return None

    def check_taken(self, faults: Sequence[AnyFault]) -> None:
        """EngineError, with the first fault that is refused and the number of all, before anything is run."""
        if type(self).refuses is not Session.refuses and any(isinstance(fault, Pattern) for fault in faults):
            raise EngineError(f"the {self.name} engine takes no patterns of errors: native, torch and reference do")
        reasons = [reason for reason in map(self.refuses, faults) if reason is not None]
        if reasons:
            raise EngineError(f"the {self.name} engine cannot do {len(reasons)} of {len(faults)} faults: {reasons[0]}")

    @abstractmethod
    def prepare(self, faults: Sequence[AnyFault]) -> Any:
        """The faults in the engine's own terms, made once for all blocks of a run."""

    @abstractmethod
    def compute(self, block: Block, asked: Any) -> Outcome:
        """The outcome of a block of images under what `prepare` made of the faults; with outcome classes among its
        counts where the engine counts them itself."""

    @abstractmethod
    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        """The streams of a block of images, under a fault or without."""

    def _expanded(self, faults: Sequence[AnyFault], first_frame: int, images: int) -> list[AnyFault]:
        """The faults with the single faults of patterns in their place: engines know no patterns."""
        if self.draws_patterns:
            return list(faults)
        network = self.subject.fault_free
        return [
            expand(network, fault, first_frame, images) if isinstance(fault, Pattern) else fault for fault in faults
        ]

    def _counts(
        self,
        block: Block,
        asked: Sequence[AnyFault],
        faults: Sequence[AnyFault],
        counting: Sequence[str],
    ) -> Counts:
        """The outcome classes of a block, int64 [F] by name; ``faults`` are ``asked``, expanded."""
        found: dict[str, npt.NDArray[np.int64]] = {}
        if OUTCOMES in counting:
            detectors = detectors_of(counting)
            needed = [
                self.network.scores,
                *(place for name in detectors for place in DETECTORS[name].needs(self.network)),
            ]
            fault_free = self._seen(block, None, [self.network.scores])
            each = [
                outcome_counts(
                    self.network, fault_free, self._seen(block, fault, needed), block.labels, detectors, named
                )
                for fault, named in zip(faults, asked, strict=True)
            ]
            found |= {
                name: np.array([counts[name] for counts in each], np.int64)
                for name in names_of([OUTCOMES], self.network)
            }
        return found

    def _top5(self, block: Block, faults: Sequence[AnyFault]) -> npt.NDArray[np.int64]:
        """Images of a block whose label is among the five highest scores, int64 [F]."""
        return np.array([among_highest(self._scores(block, fault), block.labels) for fault in faults], np.int64)

    def _scores(self, block: Block, fault: AnyFault | None) -> npt.NDArray[Any]:
        """Class scores [N, classes] of a block, under a fault or without."""
        scores: npt.NDArray[Any] = self._seen(block, fault, [self.network.scores])[self.network.scores][:, :, 0, 0]
        return scores

    def _seen(self, block: Block, fault: AnyFault | None, needed: Sequence[str]) -> Streams:
        """The streams at these places: the engine's own, or, of places that it does not show, the reference's."""
        streams = self.show(block, fault)
        if self.network.scores not in streams:
            raise EngineError(f"the {self.name} engine shows no class scores, which outcome classes and top-5 need")
        if all(place in streams for place in needed):
            return streams
        from fat_fpga.engines.reference import ReferenceEngine

        traced = (
            ReferenceEngine()
            .open(self.network)
            .trace(block.images, fault, first_frame=block.first_frame, frames=block.frames)
        )
        return traced | streams

    def _check(self, images: Images, labels: Labels, faults: Sequence[AnyFault], frames: int) -> None:
        """Refuse what does not fit the network."""
        check_images(self.subject, images, labels)
        check_faults(self.subject, faults, frames)

    def _blocks(self, images: int, first_frame: int) -> list[slice]:
        """The parts that so many images are computed in, the first of which has this number in the data set."""
        step = self.images_at_a_time or images
        return [slice(start, min(start + step, images)) for start in range(0, images, step)]
