"""The integer dataflow network: the one in-memory form that every engine executes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from fat_fpga.errors import ModelError
from fat_fpga.network.bounds import lattice
from fat_fpga.network.layers import Input, Layer, MajorityVote, MatrixVectorUnit, MaxPool, Shape
from fat_fpga.network.levels import Levels
from fat_fpga.network.names import reads_flat
from fat_fpga.network.operators.threshold_logic import COUNT, LOGICS
from fat_fpga.network.outputs import OutputValues
from fat_fpga.network.program import INPUT as INPUT
from fat_fpga.network.program import check_program, inputs_of
from fat_fpga.text import html_table


@dataclass(frozen=True, eq=False)
class Network:
    """A program of integer layers, from data, as uint8 pixels, to class scores.

    Each layer reads streams by name and makes one, which has the layer's name; the stream of integers in front of the
    first layers is called ``input``. A stream may be read by several layers. A chain is the special case in which each
    layer reads the stream of the layer right before it.

    Class scores are the last unit's raw accumulators, or their ranks; the predicted class is the first maximum. A
    single score decides between two classes: it is class 1 above 0, else class 0.

    Attributes:
        name: what to call the network in tables.
        input: how pixels, or other data, become integers.
        layers: in topological order: every layer comes after those whose streams it reads. The last is a unit without
            thresholds and with one output pixel. A vote reads a unit, whose stream nothing else reads.
        fault: text of a fault that is in it for good; empty where there is none. Engines execute the network
            with it.
        outputs: what the last stream is worth, where it is no class scores; then it may have any shape, and levels.
    """

    name: str
    input: Input
    layers: tuple[Layer, ...]
    fault: str = ""
    outputs: OutputValues | None = None

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.input.shape))
        fault = f", fault {self.fault}" if self.fault else ""
        what = "pixels" if self.input.pixels else "values"
        end = f"{self.classes} classes" if self.outputs is None else f"{self.values} output values"
        return f"<Network {self.name}: {shape} {what}, {len(self.layers)} layers, {end}{fault}>"

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
        check_program(self.name, self.layers, self.outputs is not None)
        if self.outputs is not None:
            if len(self.outputs.scales) not in (1, self.shapes[-1][0]):
                raise ModelError(f"{self.name}: expected 1 or {self.shapes[-1][0]} scales of outputs")
        elif self.shapes[-1][1:] != (1, 1):
            raise ModelError(f"{self.name}: expected one score per class, got an output of {list(self.shapes[-1])}")

    @property
    def units(self) -> tuple[MatrixVectorUnit, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, MatrixVectorUnit))

    @cached_property
    def fault_free(self) -> Network:
        """The network without the fault that is in it."""
        return replace(self, fault="") if self.fault else self

    @property
    def scores(self) -> str:
        """Name of the stream of class scores, the last one."""
        return self.layers[-1].name

    @property
    def classes(self) -> int:
        """Number of classes: two where there is one score, which is class 1 above 0, else one for each score."""
        return max(2, self.shapes[-1][0])

    @property
    def values(self) -> int:
        """Number of values of the last stream, for one row."""
        channels, height, width = self.shapes[-1]
        return channels * height * width

    @cached_property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """By the name of each layer, the streams that it reads."""
        return inputs_of(self.layers)

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """By the name of each stream, the layers that read it, in order; the class scores are read by none."""
        found: dict[str, tuple[str, ...]] = {INPUT: (), **{layer.name: () for layer in self.layers}}
        for layer in self.layers:
            for stream in dict.fromkeys(self.inputs[layer.name]):
                found[stream] += (layer.name,)
        return found

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Output shape of each layer."""
        return tuple(self.shape_of[layer.name] for layer in self.layers)

    @cached_property
    def shape_of(self) -> dict[str, Shape]:
        """Shape of each stream, by name."""
        found = {INPUT: self.input.shape}
        for layer in self.layers:
            found[layer.name] = layer.output_shape(*(found[stream] for stream in self.inputs[layer.name]))
        return found

    @cached_property
    def levels_of(self) -> dict[str, Levels]:
        """What the activations of each stream can be, by name; the class scores are missing."""
        found = {INPUT: self.input.levels}
        for layer in self.layers:
            before = [found[stream] for stream in self.inputs[layer.name] if stream in found]
            levels = layer.output_levels(*before)
            if levels is not None:
                found[layer.name] = levels
        return found

    def input_shape(self, position: int) -> Shape:
        """Shape of the first stream that ``layers[position]`` reads."""
        return self.shape_of[self.inputs[self.layers[position].name][0]]

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

    def only_reader(self, stream: str) -> Layer | None:
        """The layer that reads a stream, where it is one, and reads nothing else."""
        if len(self.readers[stream]) != 1 or len(self.inputs[self.readers[stream][0]]) != 1:
            return None
        return self.layers[self.position(self.readers[stream][0])]

    def vote_behind(self, unit: str) -> MajorityVote | None:
        """The vote on what a unit computes; None where there is none."""
        behind = self.only_reader(self.layers[self.position(unit)].name)
        return behind if isinstance(behind, MajorityVote) else None

    @cached_property
    def voted_units(self) -> dict[str, str]:
        """By the name of each vote, the unit that computes what it votes on."""
        votes = ((unit.name, self.vote_behind(unit.name)) for unit in self.units)
        return {vote.name: unit for unit, vote in votes if vote is not None}

    def pools_behind(self, name: str) -> tuple[MaxPool, ...]:
        """The pools behind a layer, or behind the input, that are all that reads its stream."""
        pools: list[MaxPool] = []
        while isinstance(behind := self.only_reader(pools[-1].name if pools else name), MaxPool):
            pools.append(behind)
        return tuple(pools)

    def source(self, position: int) -> Input | Levels:
        """What decides the integers in front of ``layers[position]``, the first stream that it reads."""
        stream = self.inputs[self.layers[position].name][0]
        return self.input if stream == INPUT else self.levels_of[stream]

    @cached_property
    def canonical(self) -> Network:
        """The same function with canonical thresholds (`Lattice.canonical`): equal for all networks that compute the
        same without a fault. Faults in memories and registers may differ in it."""
        layers = []
        for position, layer in enumerate(self.layers):
            thresholded = layer.thresholded
            if thresholded is not None and thresholded.thresholds is not None:
                thresholds = lattice(thresholded, self.source(position)).canonical(thresholded.thresholds)
                layer = replace(thresholded, thresholds=thresholds)
            layers.append(layer)
        return replace(self, layers=tuple(layers))

    @cached_property
    def threshold_logics(self) -> dict[str, str]:
        """How the hardware finds levels, by the name of each layer that has thresholds; see `threshold_logic`."""
        found = (layer.thresholded for layer in self.layers)
        return {layer.name: layer.threshold_logic for layer in found if layer is not None}

    @property
    def threshold_logic(self) -> str:
        """The same as text: ``count``; or ``conv0=search,fc1=count`` where layers differ."""
        found = self.threshold_logics
        if len(set(found.values())) < 2:
            return next(iter(found.values()), COUNT)
        return ",".join(f"{name}={logic}" for name, logic in found.items())

    def with_threshold_logic(self, logic: str | Mapping[str, str]) -> Network:
        """The same network in hardware that finds levels in another way.

        Args:
            logic: one of ``count``, ``search``, ``baked`` for all layers, or one for each by name, also as the text
                ``conv0=search,fc1=count``; layers that are not named keep theirs.

        Raises:
            ModelError: there is no such logic, or no such layer with thresholds.
        """
        known = self.threshold_logics
        if not isinstance(logic, str):
            wanted = dict(logic)
        elif "=" in logic:
            by_name = (part.strip().partition("=") for part in logic.split(","))
            wanted = {name: word for name, _, word in by_name}
        else:
            wanted = dict.fromkeys(known, logic)
        words = list(wanted.values()) or ([logic] if isinstance(logic, str) else [])
        for word in words:
            if word not in LOGICS:
                raise ModelError(f"expected {', '.join(LOGICS)}, or one of them for each layer, got '{word}'")
        for name in wanted:
            if name not in known:
                raise ModelError(f"{self.name} has thresholds at {', '.join(known) or 'no layer'}, not at {name}")
        if all(known[name] == word for name, word in wanted.items()):
            return self
        layers = []
        for layer in self.layers:
            if layer.thresholded is not None and layer.name in wanted:
                layer = replace(layer.thresholded, threshold_logic=wanted[layer.name])
            layers.append(layer)
        return replace(self, layers=tuple(layers))

    def walk(self) -> Iterator[tuple[Layer, Shape, Shape]]:
        """Each layer with the shapes of the first stream that it reads, and of its own."""
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
        for part in self.input.hashed():
            digest.update(part)
        before = INPUT
        for layer in self.canonical.layers:
            for part in layer.hashed():
                digest.update(part)
            if self.inputs[layer.name] != (before,):
                add("inputs", self.inputs[layer.name])
            before = layer.name
        if self.outputs is not None:
            add("outputs", self.outputs.scales)
        if self.fault:
            add("fault", self.fault)
        return digest.hexdigest()
