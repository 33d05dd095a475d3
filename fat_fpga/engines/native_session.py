"""The native engine on one network.

Majority votes are decided in front of the kernels where two of three copies agree (see `fat_fpga.engines.votes`), else
by the reference engine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.kept import Kept
from fat_fpga.engines.native_faults import fault_list
from fat_fpga.engines.native_network import translate
from fat_fpga.engines.outcome import Outcome
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.session import Block, Session, Streams
from fat_fpga.engines.votes import without_votes
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault, changes_of
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

UPDATE = "FAT_FPGA_UPDATE"
"""Environment variable that forces how a unit behind a fault is brought up to date: ``sparse`` adds the weight
columns of what changed, ``popcount`` recomputes, ``automatic`` (the default) takes the cheaper of the two."""

_UPDATES = ("automatic", "sparse", "popcount")
_model = Kept(translate)
_voteless = Kept(without_votes)


@dataclass(frozen=True, eq=False)
class _Asked:
    """Faults in the kernels' terms.

    Attributes:
        listed: the C++ list of all of them; without changes where a vote is undecided.
        undecided: positions of those faults, and the faults.
    """

    listed: native.FaultList
    undecided: dict[int, AnyFault]
    count: int


class NativeSession(Session):
    """Exact campaigns on the CPU.

    Args:
        module: the kernels, compiled for an instruction set.
        threads: worker threads.

    Raises:
        NotHeldError, UndecidedVoteError: the kernels cannot hold the network.
    """

    images_at_a_time = 256

    def __init__(self, name: str, network: Network, module: ModuleType, threads: int) -> None:
        super().__init__(name, network)
        self.threads = threads
        self._module = module
        self._voteless = _voteless(network)
        self._model = _model(self._voteless.network, module)
        self._reference = ReferenceEngine().open(network)

    def prepare(self, faults: Sequence[AnyFault]) -> _Asked:
        changes = [self._voteless.changes(changes_of(self.network, [fault])) for fault in faults]
        listed = fault_list(self._voteless.network, [each or () for each in changes], self._model, self._module)
        undecided = {i: faults[i] for i, each in enumerate(changes) if each is None}
        return _Asked(listed, undecided, len(faults))

    def compute(self, block: Block, asked: _Asked) -> Outcome:
        golden = np.empty(len(block.images), np.int32)
        correct, changed = np.zeros(asked.count, np.int64), np.zeros(asked.count, np.int64)
        table = np.empty((asked.count, len(block.images)), np.int32) if block.predictions else None
        self._choose_update()
        self._model.run(
            self._pixels(block), block.first_frame, np.ascontiguousarray(block.labels, np.int64),
            asked.listed, self.threads, golden, correct, changed, table,
        )  # fmt: skip
        if asked.undecided:
            rest = list(asked.undecided)
            outcome = self._reference.run(
                block.images, block.labels, list(asked.undecided.values()), predictions=block.predictions,
                first_frame=block.first_frame, frames=block.frames,
            )  # fmt: skip
            correct[rest], changed[rest] = outcome.correct, outcome.changed
            if table is not None and outcome.predictions is not None:
                table[rest] = outcome.predictions
        return Outcome(golden, correct, changed, table)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        voteless = self._voteless.network
        shown = {self._voteless.shown_as(layer.name): voteless.shape_of[layer.name] for layer in voteless.layers}
        changes = self._voteless.changes(() if fault is None else changes_of(self.network, [fault]))
        if changes is None:
            computed = self._reference.trace(block.images, fault, first_frame=block.first_frame, frames=block.frames)
            return {name: computed[name] for name in shown}
        listed = fault_list(voteless, [changes], self._model, self._module)
        streams = {name: np.empty((len(block.images), *shape), np.int32) for name, shape in shown.items()}
        self._choose_update()
        for n, image in enumerate(self._pixels(block)):
            out = [stream[n] for stream in streams.values()]
            self._model.trace(image, block.first_frame + n, listed, out)
        return streams

    def _pixels(self, block: Block) -> npt.NDArray[np.uint8]:
        """The images as the kernels take them: positions in the table of the input's integers."""
        found = self.network.input.codes(block.images)
        assert found is not None, "a network whose input has more integers is not translated"
        return np.ascontiguousarray(found[1])

    def _choose_update(self) -> None:
        wanted = os.environ.get(UPDATE) or _UPDATES[0]
        if wanted not in _UPDATES:
            raise EngineError(f"{UPDATE}={wanted}: choose among {', '.join(_UPDATES)}")
        self._model.update = getattr(self._module.Update, wanted)
