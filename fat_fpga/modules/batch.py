"""Batches of one shape: every image is always in the same row of a batch of the same size.

Products of matrices are summed in another order when their shapes are others, and then the last bits of a float differ.
So an image is computed in the row that its number gives it, whatever part of the data is asked for; rows without an
image hold a copy of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from fat_fpga.engines.images import Images
from fat_fpga.errors import EngineError
from fat_fpga.modules.record import Record, record
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.survey import scores_of
from fat_fpga.modules.values import same, same_bits

if TYPE_CHECKING:
    from fat_fpga.modules.subject import ModuleSubject

TRIES = 4


@dataclass(frozen=True, eq=False)
class Batch:
    """Some consecutive images as a batch.

    Attributes:
        tensor: [rows, ...].
        first_row: of the first image.
        images: how many there are.
    """

    tensor: Tensor
    first_row: int
    images: int

    @classmethod
    def of(cls, subject: ModuleSubject, images: Images, first_frame: int, rows: int) -> Batch:
        """The batch of these images."""
        first = first_frame % rows
        numbers = np.zeros(rows, np.int64)
        numbers[first : first + len(images)] = np.arange(len(images))
        tensor = subject.input.tensor(images[numbers], subject.device)
        return cls(subject.store("input", tensor), first, len(images))

    def own(self, output: object) -> Tensor:
        """The scores [N, classes] of the images in what the module gives."""
        scores = scores_of(output)
        assert scores is not None
        return scores[self.first_row : self.first_row + self.images]


def recorded(subject: ModuleSubject, tensor: Tensor) -> Record:
    """A run without faults, of which no output that is kept is changed afterwards."""
    fragile: set[int] = set()
    for _ in range(TRIES):
        found = record(subject.module, subject.modules, tensor, subject.store, fragile)
        if found.fragile() <= fragile:
            return found
        fragile |= found.fragile()
    raise EngineError(f"{subject.name}: each run calls other modules, so it cannot be executed twice alike")


def check_repeats(subject: ModuleSubject, batch: Batch, found: Record) -> None:
    """EngineError where a second run, without a record, gives other scores, or a run changes the module."""
    stored = dict(subject.module.named_parameters()) | dict(subject.module.named_buffers())
    before = {name: tensor._version for name, tensor in stored.items()}
    again = Replay(subject, batch.tensor, found, reuse=False).anew()
    changed = [name for name, tensor in stored.items() if tensor._version != before[name]]
    if changed:
        raise EngineError(f"{subject.name} changes {changed[0]} while it runs: a run has to leave the module as it is")
    if not same(scores_of(again), scores_of(found.output)):
        raise EngineError(
            f"{subject.name} is not deterministic: two runs without faults on the same images give other scores. Look "
            "for random numbers in its forward, or for operators that torch.use_deterministic_algorithms(True) refuses"
        )


def rows_apart(subject: ModuleSubject, batch: Batch, found: Record) -> bool:
    """Whether the images of a batch do not see each other: the scores of half of them are the same when the other half
    are replaced, and nothing that is executed depends on values."""
    if found.looks or found.stateful:
        return False
    whole = scores_of(found.output)
    assert whole is not None
    for half in range(2):
        tensor = batch.tensor.clone()
        tensor[half::2] = tensor[batch.first_row].flip(-1) if tensor.dim() > 1 else tensor[batch.first_row]
        scores = scores_of(Replay(subject, tensor, found, reuse=False).anew())
        if scores is None or not same_bits(scores[1 - half :: 2], whole[1 - half :: 2]):
            return False
    return True
