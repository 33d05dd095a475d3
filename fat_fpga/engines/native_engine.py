"""The native engine: C++ kernels, exact and fast, on all cores.

Majority votes are decided in front of the kernels where two of three copies agree (see `fat_fpga.engines.votes`), else
by the reference engine. A network that the kernels cannot hold is executed by the torch engine, or without PyTorch by
the reference engine, and a `ModelWarning` says so once.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.engine import Engine, Images, Labels, Outcome, Progress, check_images
from fat_fpga.engines.native_faults import fault_list, shown_streams
from fat_fpga.engines.native_network import NotHeldError, translate
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.votes import UndecidedVoteError, without_votes
from fat_fpga.errors import EngineError, ModelWarning
from fat_fpga.extras import installed
from fat_fpga.faults import AnyFault, changes_of, check_faults, places
from fat_fpga.network import Network
from fat_fpga.network.layers import IntArray

if TYPE_CHECKING:
    from fat_fpga.engines import _native_portable as native

ENVIRONMENT = "FAT_FPGA_SIMD"
"""Environment variable that forces an instruction set: ``portable``, ``avx2`` or ``avx512``."""

UPDATE = "FAT_FPGA_UPDATE"
"""Environment variable that forces how a unit behind a fault is brought up to date: ``sparse`` adds the weight
columns of what changed, ``popcount`` recomputes, ``automatic`` (the default) takes the cheaper of the two."""

_UPDATES = ("automatic", "sparse", "popcount")
_IMAGES_PER_CALL = 256
_TOLD: set[str] = set()  # fingerprints of the networks that a user knows to run elsewhere


def instruction_sets() -> list[str]:
    """Instruction sets that this processor runs, best first."""
    names: list[str] = _module("portable").supported()
    return names


def chosen_instruction_set() -> str:
    """The one in use; EngineError if the environment asks for one that cannot run here."""
    possible = instruction_sets()
    wanted = os.environ.get(ENVIRONMENT) or possible[0]
    if wanted not in possible:
        raise EngineError(f"{ENVIRONMENT}={wanted}: this processor runs {', '.join(possible)}")
    return wanted


def _module(instruction_set: str) -> ModuleType:
    return importlib.import_module(f"fat_fpga.engines._native_{instruction_set}")


class NativeEngine:
    """Exact campaigns on the CPU.

    Args:
        threads: worker threads; all cores available to the process by default.
    """

    name = "native"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _cores()
        self._latest: tuple[Network, str, native.Model] | None = None
        self._handed_on: tuple[Network, Engine] | None = None

    def run(
        self,
        network: Network,
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        *,
        predictions: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        check_images(network, images, labels)
        check_faults(network, faults, len(images))
        other = self._other(network)
        if other is not None:
            return other.run(network, images, labels, faults, predictions=predictions, progress=progress)
        voteless = without_votes(network)
        changes = [voteless.changes(changes_of(network, [fault])) for fault in faults]
        model = self._model(voteless.network)
        listed = fault_list(voteless.network, [each or () for each in changes], model, self._module())
        golden = np.empty(len(images), np.int32)
        correct = np.zeros(len(faults), np.int64)
        changed = np.zeros(len(faults), np.int64)
        table: npt.NDArray[np.int32] | None = None
        if predictions:
            table = np.empty((len(faults), len(images)), np.int32)
        labels = np.ascontiguousarray(labels, np.int64)
        for start in range(0, len(images), _IMAGES_PER_CALL):
            block = slice(start, min(start + _IMAGES_PER_CALL, len(images)))
            classes = None if table is None else np.empty((len(faults), block.stop - start), np.int32)
            model.run(
                np.ascontiguousarray(images[block]),
                start,
                labels[block],
                listed,
                self.threads,
                golden[block],
                correct,
                changed,
                classes,
            )
            if table is not None and classes is not None:
                table[:, block] = classes
            if progress:
                progress(block.stop)
        undecided = [i for i, each in enumerate(changes) if each is None]
        if undecided:
            rest = [faults[i] for i in undecided]
            outcome = ReferenceEngine().run(network, images, labels, rest, predictions=predictions)
            correct[undecided], changed[undecided] = outcome.correct, outcome.changed
            if table is not None and outcome.predictions is not None:
                table[undecided] = outcome.predictions
        return Outcome(golden, correct, changed, table)

    def trace(self, network: Network, images: Images, fault: AnyFault | None = None) -> dict[str, IntArray]:
        faults = [fault] if fault else []
        check_faults(network, faults, len(images))
        other = self._other(network)
        if other is not None:
            return other.trace(network, images, fault)
        voteless = without_votes(network)
        shown = {
            voteless.shown_as(name): places(voteless.network)[name].shape for name in shown_streams(voteless.network)
        }
        changes = voteless.changes(changes_of(network, faults))
        if changes is None:
            computed = ReferenceEngine().trace(network, images, fault)
            return {name: computed[name] for name in shown}
        model = self._model(voteless.network)
        listed = fault_list(voteless.network, [changes], model, self._module())
        streams = {name: np.empty((len(images), *shape), np.int32) for name, shape in shown.items()}
        for frame, image in enumerate(images):
            model.trace(np.ascontiguousarray(image), frame, listed, [stream[frame] for stream in streams.values()])
        return streams

    def _other(self, network: Network) -> Engine | None:
        """The engine that executes a network which the kernels cannot hold; None where they can."""
        if self._handed_on is None or self._handed_on[0] is not network:
            try:
                self._model(without_votes(network).network)
                return None
            except (NotHeldError, UndecidedVoteError) as error:
                self._handed_on = network, _next_engine()
                if network.fingerprint not in _TOLD:
                    _TOLD.add(network.fingerprint)
                    name = self._handed_on[1].name
                    warnings.warn(f"{error}: the {name} engine executes it, more slowly", ModelWarning, stacklevel=3)
        return self._handed_on[1]

    def _module(self) -> ModuleType:
        return _module(chosen_instruction_set())

    def _model(self, network: Network) -> native.Model:
        """The C++ model of a network; the latest one is kept for the next chunk of a campaign."""
        instruction_set = chosen_instruction_set()
        if self._latest is None or self._latest[0] is not network or self._latest[1] != instruction_set:
            self._latest = (network, instruction_set, translate(network, _module(instruction_set)))
        model = self._latest[2]
        wanted = os.environ.get(UPDATE) or _UPDATES[0]
        if wanted not in _UPDATES:
            raise EngineError(f"{UPDATE}={wanted}: choose among {', '.join(_UPDATES)}")
        model.update = getattr(_module(instruction_set).Update, wanted)
        return model


def _next_engine() -> Engine:
    """PyTorch's, if it is installed, else the reference."""
    if not installed("torch"):
        return ReferenceEngine()
    from fat_fpga.engines.torch_engine import TorchEngine

    return TorchEngine()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
