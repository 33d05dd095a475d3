"""The integer dataflow network: the one in-memory form that every engine executes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import InputQuantiser, Layer, MajorityVote, MatrixVectorUnit, MaxPool, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.names import reads_flat
from fat_fpga.text import html_table

INPUT = "input"
"""Name of the stream of integers in front of the first layer."""


@dataclass(frozen=True, eq=False)
class Network:
    """A chain of integer layers, from uint8 pixels to class scores.

    Class scores are the last layer's raw accumulators; the predicted class is the first maximum.

    Attributes:
        name: what to call the network in tables.
        input: how pixels become integers.
        layers: matrix-vector units, votes and pools, in order; the last is a unit without thresholds and
            with one output pixel. A vote stands right behind a unit.
        fault: text of a fault that is in it for good; empty where there is none. Engines execute the network
            with it.
    """

    name: str
    input: InputQuantiser
    layers: tuple[Layer, ...]
    fault: str = ""

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.input.shape))
        fault = f", fault {self.fault}" if self.fault else ""
        return f"<Network {self.name}: {shape} pixels, {len(self.layers)} layers, {self.classes} classes{fault}>"

    def _repr_html_(self) -> str:
        """For notebooks: the layers."""
        rows = [["layer", "type", "output", "weights", "type of weights", "activations"]]
        for layer, _, shape in self.walk():
            own, unit = ["", "", ""], layer.unit
            if unit is not None:
                own = ["x".join(map(str, unit.weights.shape)), unit.weight_type, str(unit.levels or "scores")]
            rows.append([layer.name, layer.type, "x".join(map(str, shape)), *own])
        return html_table(rows, repr(self))

    def __post_init__(self) -> None:
        units = self.units
        if not units or units[-1] is not self.layers[-1] or units[-1].levels is not None:
            raise ModelError(f"{self.name}: the last layer must be a matrix-vector unit without thresholds")
        for unit in units[:-1]:
            if unit.levels is None:
                raise ModelError(f"{self.name}: {unit.name} has no thresholds, and only the last layer may have none")
        names = [layer.name for layer in self.layers]
        if len(set(names)) != len(names):
            raise ModelError(f"{self.name}: layer names must differ, got {', '.join(names)}")
        if not isinstance(self.layers[0], MatrixVectorUnit):
            raise ModelError(f"{self.name}: the first layer must be a matrix-vector unit")
        for before, layer in zip(self.layers, self.layers[1:], strict=False):
            if isinstance(layer, MajorityVote) and not isinstance(before, MatrixVectorUnit):
                raise ModelError(f"{self.name}: {layer.name} must stand right behind a matrix-vector unit")
        if self.shapes[-1][1:] != (1, 1):
            raise ModelError(f"{self.name}: expected one score per class, got an output of {list(self.shapes[-1])}")

    @property
    def units(self) -> tuple[MatrixVectorUnit, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, MatrixVectorUnit))

    @cached_property
    def fault_free(self) -> Network:
        """The network without the fault that is in it."""
        return replace(self, fault="") if self.fault else self

    @property
    def classes(self) -> int:
        return self.units[-1].channels

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Output shape of each layer."""
        shapes = []
        shape = self.input.shape
        for layer in self.layers:
            shape = layer.output_shape(shape)
            shapes.append(shape)
        return tuple(shapes)

    def input_shape(self, position: int) -> Shape:
        """Shape in front of ``layers[position]``."""
        return self.shapes[position - 1] if position else self.input.shape

    def is_matrix(self, position: int) -> bool:
        """Whether ``layers[position]`` is a matrix product in files: called fully connected, over its whole input."""
        unit = self.layers[position].unit
        return unit is not None and reads_flat(unit.name, unit.weights[0].size, self.input_shape(position))

    def position(self, name: str) -> int:
        """Index in ``layers`` of the layer called ``name``; ModelError lists the known ones."""
        for i, layer in enumerate(self.layers):
            if layer.name == name:
                return i
        known = ", ".join(layer.name for layer in self.layers)
        raise ModelError(f"unknown layer '{name}': {self.name} has {known}")

    def vote_behind(self, unit: str) -> MajorityVote | None:
        """The vote right behind a unit; None where there is none."""
        position = self.position(unit) + 1
        behind = self.layers[position] if position < len(self.layers) else None
        return behind if isinstance(behind, MajorityVote) else None

    @cached_property
    def voted_units(self) -> dict[str, str]:
        """By the name of each vote, the unit that computes what it votes on."""
        votes = ((unit.name, self.vote_behind(unit.name)) for unit in self.units)
        return {vote.name: unit for unit, vote in votes if vote is not None}

    def pools_behind(self, name: str) -> tuple[MaxPool, ...]:
        """The pools right behind a layer, or behind the input."""
        pools = []
        for layer in self.layers[0 if name == INPUT else self.position(name) + 1 :]:
            if not isinstance(layer, MaxPool):
                break
            pools.append(layer)
        return tuple(pools)

    def source(self, position: int) -> InputQuantiser | Levels:
        """What decides the integers in front of ``layers[position]``."""
        for layer in reversed(self.layers[:position]):
            if isinstance(layer, MatrixVectorUnit) and layer.levels is not None:
                return layer.levels
        return self.input

    @cached_property
    def canonical(self) -> Network:
        """The same function with canonical thresholds (`Lattice.canonical`): equal for all networks that compute the
        same without a fault. Faults in memories and registers may differ in it."""
        layers = [
            replace(layer, thresholds=lattice(layer, self.source(i)).canonical(layer.thresholds))
            if isinstance(layer, MatrixVectorUnit) and layer.thresholds is not None
            else layer
            for i, layer in enumerate(self.layers)
        ]
        return replace(self, layers=tuple(layers))

    def walk(self) -> Iterator[tuple[Layer, Shape, Shape]]:
        """Each layer with the shapes in front of it and behind it."""
        for i, layer in enumerate(self.layers):
            yield layer, self.input_shape(i), self.shapes[i]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides the function; the same from every form of file.

        Thresholds count in their canonical form. What faults in memories and registers meet beyond the function has
        a fingerprint of its own: `fat_fpga.faults.memory_fingerprint`.
        """
        digest = hashlib.sha256(b"fat_fpga network 1")

        def add(*parts: object) -> None:
            digest.update(repr(parts).encode())

        add(self.input.shape)
        digest.update(self.input.table.astype("<i4").tobytes())
        for layer in self.canonical.layers:
            for part in layer.hashed():
                digest.update(part)
        if self.fault:
            add("fault", self.fault)
        return digest.hexdigest()
