"""The native engine: C++ kernels, exact and fast, on all cores.

The network is translated into the index domain of the kernels (see ``native/model.hpp``): an activation
becomes the index of its level, so that ``acc = base * sum(w) + step * acc'`` with
``acc' = sum(w * index)``, and thresholds move accordingly. Majority votes are decided in front of the kernels where two
of three copies agree (see `fat_fpga.engines.votes`), else by the reference engine. A network that the kernels cannot
hold is executed by the torch engine, or without PyTorch by the reference engine, and a `ModelWarning` says so once.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.engine import Engine, Images, Labels, Outcome, Progress, check_images
from fat_fpga.engines.native_faults import fault_list, pools_behind, shown_streams
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.engines.votes import without_votes
from fat_fpga.errors import EngineError, ModelWarning
from fat_fpga.faults import AnyFault, changes_of, check_faults, places
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from fat_fpga.network.layers import IntArray

ENVIRONMENT = "FAT_FPGA_SIMD"
"""Environment variable that forces an instruction set: ``portable``, ``avx2`` or ``avx512``."""

UPDATE = "FAT_FPGA_UPDATE"
"""Environment variable that forces how a unit behind a fault is brought up to date: ``sparse`` adds the weight
columns of what changed, ``popcount`` recomputes, ``automatic`` (the default) takes the cheaper of the two."""

_UPDATES = ("automatic", "sparse", "popcount")
_IMAGES_PER_CALL = 256
_TOLD: set[str] = set()  # fingerprints of the networks that a user knows to run elsewhere
_INPUT = Levels(0, 1, 2)  # the first unit takes plain integers: base 0, step 1


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


class _NotHeldError(EngineError):
    """The kernels cannot hold a network."""


class NativeEngine:
    """Exact campaigns on the CPU.

    Args:
        threads: worker threads; all cores available to the process by default.
    """

    name = "native"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _cores()
        self._latest: tuple[Network, str, Any] | None = None
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
            except _NotHeldError as error:
                self._handed_on = network, _next_engine()
                if network.fingerprint not in _TOLD:
                    _TOLD.add(network.fingerprint)
                    name = self._handed_on[1].name
                    warnings.warn(f"{error}: the {name} engine executes it, more slowly", ModelWarning, stacklevel=3)
        return self._handed_on[1]

    def _module(self) -> ModuleType:
        return _module(chosen_instruction_set())

    def _model(self, network: Network) -> Any:
        """The C++ model of a network; the latest one is kept for the next chunk of a campaign."""
        instruction_set = chosen_instruction_set()
        if self._latest is None or self._latest[0] is not network or self._latest[1] != instruction_set:
            self._latest = (network, instruction_set, _translate(network, _module(instruction_set)))
        model = self._latest[2]
        wanted = os.environ.get(UPDATE) or _UPDATES[0]
        if wanted not in _UPDATES:
            raise EngineError(f"{UPDATE}={wanted}: choose among {', '.join(_UPDATES)}")
        model.update = getattr(_module(instruction_set).Update, wanted)
        return model


def _next_engine() -> Engine:
    """PyTorch's, if it is installed, else the reference."""
    if importlib.util.find_spec("torch") is None:
        return ReferenceEngine()
    from fat_fpga.engines.torch_engine import TorchEngine

    return TorchEngine()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _translate(network: Network, module: ModuleType) -> Any:
    """The C++ model of a network; _NotHeldError where the kernels cannot hold it."""
    _, height, width = network.input.shape
    model = module.Model(np.ascontiguousarray(network.input.table), height, width)
    source = _INPUT
    for position, layer in enumerate(network.layers):
        if not isinstance(layer, MatrixVectorUnit):
            continue
        pools = [(*pool.kernel, *pool.stride) for pool in pools_behind(network, position)]
        # Planes hold levels only, so what they give is reachable. The image is in plain integers, which a flipped
        # bit can take anywhere.
        bounded = layer if source is _INPUT else network.canonical.layers[position]
        assert isinstance(bounded, MatrixVectorUnit)
        _add_unit(model, layer, source, pools, bounded.thresholds)
        source = layer.levels or source
    return model


def _add_unit(
    model: Any,
    unit: MatrixVectorUnit,
    source: Levels,
    pools: Sequence[tuple[int, ...]],
    bounded: npt.NDArray[np.int32] | None,
) -> None:
    """Add a unit to the C++ model; ``bounded`` are its thresholds where all activations in front are levels."""
    if np.abs(unit.weights).max(initial=0) > 127:
        raise _NotHeldError(f"{unit.name}: the native engine takes weights of -127..127")
    try:
        pad_index = source.index(0) if any(unit.padding) and source is not _INPUT else 0
    except ValueError:
        raise _NotHeldError(
            f"{unit.name}: the native engine pads with 0, which must be one of the input levels {source}"
        ) from None
    offset = source.base * unit.weights.sum(axis=(1, 2, 3), dtype=np.int64)
    thresholds = integer_thresholds = None
    if unit.thresholds is not None and bounded is not None:
        thresholds = _index_thresholds(unit, source, bounded, offset)
        integer_thresholds = np.ascontiguousarray(unit.thresholds, np.int32)
    levels = unit.levels or _INPUT
    try:
        model.add_unit(
            np.ascontiguousarray(unit.weights.transpose(0, 2, 3, 1), np.int8),
            unit.stride,
            unit.padding,
            pad_index,
            thresholds,
            integer_thresholds,
            np.ascontiguousarray(offset, np.int32),
            (source.base, source.step),
            (levels.base, levels.step),
            pools,
        )
    except ValueError as error:
        raise _NotHeldError(f"{unit.name}: {error}") from None


def _index_thresholds(
    unit: MatrixVectorUnit, source: Levels, thresholds: npt.NDArray[np.int32], offset: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Smallest ``acc'`` that meets each threshold, kept within the bounds of int32."""
    moved = -((offset[:, None] - thresholds) // source.step)
    return np.ascontiguousarray(np.clip(moved, -(2**30), 2**30), np.int32)
