"""A network, data and runs so small that the reference engine needs no time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fat_fpga.campaign import Run, Selection, run_campaign
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Outcome, Session
from fat_fpga.engines.images import Images, Labels
from fat_fpga.engines.reference import ReferenceEngine, ReferenceSession
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import InputQuantiser, Levels, MatrixVectorUnit, MaxPool, Network
from fat_fpga.network.layers import Layer, Requantise, Table

OF_OTHER_LAYERS = ("entry", "factor", "offset")
"""Kinds of fault that the tiny network has layers for only if it is asked for them."""


def tiny_network(seed: int = 0, name: str = "tiny", levels: Levels | None = None, kinds: Sequence[str] = ()) -> Network:
    """conv0 with 4 channels, pool, conv1 with 3 channels, fc2 with 4 classes; two levels each unless given.

    Where one of ``kinds`` is in `OF_OTHER_LAYERS`, there are a table and a requantiser in front of conv1.
    """
    rng = np.random.default_rng(seed)
    levels = levels or Levels(-1, 2, 2)

    def unit(name: str, shape: tuple[int, ...], spread: int, last: bool = False) -> MatrixVectorUnit:
        weights = rng.choice([-1, 1], shape).astype(np.int32)
        steps = np.sort(rng.integers(-spread, spread, (shape[0], levels.count - 1)), axis=1).astype(np.int32)
        return MatrixVectorUnit(name, weights, None if last else steps, None if last else levels, weight_type="BIPOLAR")

    table = np.arange(-128, 128, dtype=np.int32)[None]
    zeros, ones = np.zeros(4, np.int32), np.ones(4, np.int32)
    others: tuple[Layer, ...] = (
        Table("conv0.table", zeros[:, None], np.stack([-ones, ones], axis=1), Levels(-1, 2, 2)),
        Requantise("conv0.requantise", ones, zeros, 0, -4, 3),
    )
    layers: tuple[Layer, ...] = (
        unit("conv0", (4, 1, 3, 3), 150),
        MaxPool("conv0.pool", (2, 2), (2, 2)),
        *(others if set(kinds) & set(OF_OTHER_LAYERS) else ()),
        unit("conv1", (3, 4, 2, 2), 3),
        unit("fc2", (4, 3, 2, 2), 1, last=True),
    )
    return Network(name, InputQuantiser((1, 8, 8), table), layers)


def tiny_data(images: int = 30, seed: int = 0, name: str = "tiny:test") -> Dataset:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (images, 1, 8, 8)).astype(np.uint8)
    return Dataset(name, pixels, rng.integers(0, 4, images).astype(np.int64), ("a", "b", "c", "d"))


def tiny_run(path: Path, images: int = 30, levels: Levels | None = None) -> Run:
    network = tiny_network(levels=levels)
    return run_campaign(network, tiny_data(images), fault_space(network), path, "reference")


FOLDING = {"conv0": 2, "conv1": 2, "fc2": 4}


def tiny_run_of(
    path: Path, *kinds: str, layers: Sequence[str] | None = None, sample: int | None = None, images: int = 30
) -> Run:
    """All faults of these kinds, or some of them, on the tiny network."""
    network = tiny_network(kinds=kinds)
    spaces = [fault_space(network, kind, layers, pes=FOLDING, frames=images) for kind in kinds]
    space = sum(spaces[1:], spaces[0])
    faults = Selection.of(space) if sample is None else Selection.sample(space, sample, seed=3)
    return run_campaign(network, tiny_data(images), faults, path, "reference")


class Watched(ReferenceEngine):
    """The reference engine, with a list of the faults it was asked for, that breaks off before call ``stop``."""

    name = "watched"

    def __init__(self, stop: int | None = None) -> None:
        self.asked: list[AnyFault] = []
        self.calls: list[int] = []
        self._stop = stop

    def _open(self, network: Network) -> Session:
        return WatchedSession(self, network)

    def run(
        self,
        compute: Callable[..., Outcome],
        images: Images,
        labels: Labels,
        faults: Sequence[AnyFault],
        **options: Any,
    ) -> Outcome:
        """Called for each run of a session; ``compute`` does it."""
        if len(self.calls) == self._stop:
            raise KeyboardInterrupt
        self.calls.append(len(faults))
        self.asked += faults
        return compute(images, labels, faults, **options)


class WatchedSession(ReferenceSession):
    def __init__(self, engine: Watched, network: Network) -> None:
        super().__init__(engine.name, network)
        self._engine = engine

    def run(self, *arguments: Any, **options: Any) -> Outcome:
        return self._engine.run(super().run, *arguments, **options)
