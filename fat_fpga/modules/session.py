"""Sessions on PyTorch modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.counts import NONFINITE, OUTCOMES, Counts, names_of
from fat_fpga.engines.criteria import among_highest
from fat_fpga.engines.outcome import Outcome, outcome_of
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError, FatFpgaError
from fat_fpga.faults import AnyFault, Pattern, expand
from fat_fpga.modules.batch import Batch, check_repeats, recorded, rows_apart
from fat_fpga.modules.edits import Edit, edits_of
from fat_fpga.modules.outcomes import NO_CLASS, Scores, outcome_counts, predicted
from fat_fpga.modules.plain import plain_output
from fat_fpga.modules.record import Record
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.together import Group, grouped
from fat_fpga.modules.values import same_bits, same_rows
from fat_fpga.one_line import one_line

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject


@dataclass(eq=False)
class _Seen:
    """What a block gave, for those who count more of it.

    Attributes:
        golden: scores [N, classes].
        scores: under each fault; None where they are the golden ones.
        same: whether they are those of the golden run, bit for bit, [N].
    """

    golden: Scores
    scores: list[Scores | None]
    same: list[npt.NDArray[np.bool_] | None]

    def under(self, number: int) -> Scores:
        """Scores under a fault, [N, classes]."""
        scores = self.scores[number]
        return self.golden if scores is None else scores


class ModuleSession(Session):
    """Executes a module, one fault after the other; transients of different images in one run.

    Args:
        rows: images of a batch. The last bits of floats can depend on it.
        plain: take no short cut, and change one bit after the other by hooks.
    """

    draws_patterns = True

    def __init__(self, name: str, subject: ModuleSubject, rows: int, plain: bool = False) -> None:
        super().__init__(name, subject)
        self.module, self.rows, self.plain = subject, rows, plain
        self._apart: bool | None = None
        self._noted: _Seen | None = None

    def prepare(self, faults: Sequence[AnyFault]) -> list[AnyFault]:
        self.module.check_ready()
        return list(faults)

    def compute(self, block: Block, asked: list[AnyFault]) -> Outcome:
        with self.module.loaded():
            batch = Batch.of(self.module, block.images, block.first_frame, self.rows)
            with self._told("without a fault"):
                found = recorded(self.module, batch.tensor)
            if self._apart is None:
                check_repeats(self.module, batch, found)
                self._apart = rows_apart(self.module, batch, found)
            golden = batch.own(found.output).clone()
            scores = _array(golden)
            classes = predicted(scores)
            if (classes == NO_CLASS).any():
                frame = block.first_frame + int((classes == NO_CLASS).argmax())
                raise EngineError(
                    f"{self.module.name} gives scores that are not finite for image {frame} without a fault: there "
                    "is no class to compare with"
                )
            seen = _Seen(scores, [None] * len(asked), [None] * len(asked))
            table = np.broadcast_to(classes, (len(asked), len(classes))).copy()
            if self.plain:
                self._plainly(block, batch, asked, golden, seen)
            else:
                self._quickly(block, batch, found, asked, golden, seen)
        for number, changed in enumerate(seen.scores):
            if changed is not None:
                table[number] = predicted(changed)
        self._noted = seen
        return outcome_of(classes, table, block.labels, block.predictions)

    def _plainly(self, block: Block, batch: Batch, asked: list[AnyFault], golden: Tensor, seen: _Seen) -> None:
        count = len(block.images)
        for number, fault in enumerate(asked):
            if isinstance(fault, Pattern):
                fault = expand(self.module, fault, block.first_frame, count)
            with self._told(f"under {asked[number]}"):
                output = plain_output(
                    self.module, batch.tensor, fault.faults, block.first_frame, count, batch.first_row
                )
            _note(seen, number, golden, batch.own(output))

    def _quickly(
        self, block: Block, batch: Batch, found: Record, asked: list[AnyFault], golden: Tensor, seen: _Seen
    ) -> None:
        count = len(block.images)
        edits: list[list[Edit]] = [
            edits_of(self.module, fault, block.first_frame, count, batch.first_row) for fault in asked
        ]
        replay = Replay(self.module, batch.tensor, found)
        for group in grouped(replay, edits, bool(self._apart)):
            with self._told(f"under {asked[group.faults[0]]}"):
                scores = batch.own(replay.output(group.edits))
            if replay.damaged():  # what is recorded was changed under this fault: once more, from the start
                replay = Replay(self.module, batch.tensor, recorded(self.module, batch.tensor))
                scores = batch.own(Replay(self.module, batch.tensor, replay.record, reuse=False).output(group.edits))
            self._share(group, batch, golden, scores, seen)

    @contextmanager
    def _told(self, when: str) -> Iterator[None]:
        """EngineError, which says when, where the module raises an error."""
        try:
            yield
        except FatFpgaError:
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {one_line(str(error))[:200]}"
            raise EngineError(f"{self.module.name} raises an error {when}: {told}") from error

    def _share(self, group: Group, batch: Batch, golden: Tensor, scores: Tensor, seen: _Seen) -> None:
        """Give each fault of a run its own images."""
        if group.rows is None:
            _note(seen, group.faults[0], golden, scores)
            return
        for fault, row in zip(group.faults, group.rows, strict=True):
            image = row - batch.first_row
            own = golden.clone()
            own[image] = scores[image]
            _note(seen, fault, golden, own)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        raise EngineError("the module engine shows no streams yet: a module has no integers")

    def _scores(self, block: Block, fault: AnyFault | None) -> npt.NDArray[Any]:
        self.compute(block, [] if fault is None else [fault])
        assert self._noted is not None
        return self._noted.golden if fault is None else self._noted.under(0)

    def _top5(self, block: Block, faults: Sequence[AnyFault]) -> npt.NDArray[np.int64]:
        seen = self._noted  # of the block that has just been computed
        assert seen is not None
        return np.array([among_highest(seen.under(number), block.labels) for number in range(len(faults))], np.int64)

    def _blocks(self, images: int, first_frame: int) -> list[slice]:
        """Blocks that start at multiples of the rows of a batch, in the whole data set."""
        starts = [0, *range(self.rows - first_frame % self.rows, images, self.rows)]
        return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], images], strict=True)]

    def _counts(
        self,
        block: Block,
        asked: Sequence[AnyFault],
        faults: Sequence[AnyFault],
        counting: Sequence[str],
    ) -> Counts:
        seen = self._noted
        assert seen is not None
        found: dict[str, npt.NDArray[np.int64]] = {}
        every = np.ones(len(seen.golden), np.bool_)
        each = [
            outcome_counts(
                seen.golden,
                seen.golden if scores is None else scores,
                every if same is None else same,
                block.labels,
            )
            for scores, same in zip(seen.scores, seen.same, strict=True)
        ]
        for name in names_of([part for part in counting if part in (OUTCOMES, NONFINITE)], self.module):
            found[name] = np.array([counts[name] for counts in each], np.int64)
        return found


def _note(seen: _Seen, number: int, golden: Tensor, scores: Tensor) -> None:
    """Keep what a fault gives, where it differs."""
    if same_bits(golden, scores):
        return
    seen.scores[number] = _array(scores)
    seen.same[number] = same_rows(golden, scores)


def _array(scores: Tensor) -> Scores:
    return scores.detach().double().cpu().numpy()
