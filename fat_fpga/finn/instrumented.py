"""FINN's hardware graph with a saboteur in every stream: what the finn engine executes, an image at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fat_fpga.engines.images import Images
from fat_fpga.engines.kept import Kept
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import Change, changed_unit, places
from fat_fpga.faults.changes import ChangedAccumulators, FlippedActivation, HeldActivations
from fat_fpga.faults.place import INPUT
from fat_fpga.finn.graph import ACTIVATION, LABELS, hardware_graph, nodes_of
from fat_fpga.finn.inject import arm, disarm, insert_saboteur
from fat_fpga.finn.layers import POOL, UNIT, VOTE
from fat_fpga.finn.layout import stuck_thresholds, thresholds_tensor, to_stream, to_tensor, weights_tensor
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.bounds import accumulator_bounds, lattice
from fat_fpga.network.layers import IntArray

Context = dict[str, npt.NDArray[Any]]
"""Every tensor of an execution by name."""


class Instrumented:
    """FINN's graph, and what a fault is in it.

    | change | in FINN's graph |
    |---|---|
    | channels of a unit held | their thresholds, as a host writes them on the board |
    | other activations held | the saboteur in the stream |
    | weight, threshold | another constant |
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._places = places(network)
        model = hardware_graph(network)
        self._streams: dict[str, str] = {}  # tensor by place, in front of its saboteur
        self._units: dict[str, Any] = {}
        for node in nodes_of(model, network):
            if node.role in (UNIT, ACTIVATION, POOL, VOTE) and node.place != LABELS:
                self._streams[node.place] = node.proto.output[0]
            if node.role == UNIT and node.place != LABELS:
                self._units[node.place] = node.proto
        if INPUT not in self._streams:  # raw pixels
            self._streams[INPUT] = model.graph.node[0].output[0]
        self._saboteurs = {
            place: insert_saboteur(model, tensor, f"saboteur_{place.replace('.', '_')}")
            for place, tensor in self._streams.items()
            if self._places[place].levels is not None
        }
        self.model, self.graph = model, model.graph
        self._nodes = list(model.graph.node)
        self._start = {node.name: number for number, node in enumerate(self._nodes)}
        self._opsets: dict[str, int] = model.get_opset_imports()
        self._empty: Context = model.make_empty_exec_context()
        self._tensors = {place: self._shown(place) for place in self._places}
        for name, proto in self._units.items():
            self._check(self._unit(name), proto)

    def golden(self, image: Images) -> Context:
        """Every tensor for one image uint8 [C, H, W], without a fault."""
        context = dict(self._empty)
        context[self.graph.input[0].name] = image[None].astype(np.float32)
        return self._execute(context, 0)

    def faulty(self, golden: Context, changes: Sequence[Change]) -> Context:
        """Every tensor with changes in the network, from the fault-free ones.

        Raises:
            EngineError: there is no such change in FINN's graph.
        """
        overrides, boxes = self._plan(changes)
        saboteurs = {place: self._custom(self._saboteurs[place]) for place in boxes}
        starts = [self._start[self._saboteurs[place].name] for place in boxes]
        starts += [n for n, node in enumerate(self._nodes) if any(name in overrides for name in node.input)]
        if not starts:
            return golden
        for place, change in boxes.items():
            levels = self._places[place].levels
            assert levels is not None
            arm(saboteurs[place], change, to_tensor(change.value, levels, self._binary(place)))
        try:
            return self._execute({**golden, **overrides}, min(starts))
        finally:
            for saboteur in saboteurs.values():
                disarm(saboteur)

    def prediction(self, context: Context) -> int:
        """The class that FINN's label select gives."""
        return int(context[self.graph.output[0].name].ravel()[0])

    def streams(self, context: Context) -> dict[str, IntArray]:
        """The stream at every place, int32 [1, C, H, W]."""
        found = {}
        for name, place in self._places.items():
            counting = place.levels is None and self._counting(name)
            inputs = self._unit(name).weights[0].size if counting else None
            found[name] = to_stream(context[self._tensors[name]], place.shape, self._binary(name), inputs)
        return found

    def _plan(self, changes: Sequence[Change]) -> tuple[Context, dict[str, HeldActivations]]:
        """Other constants by name, and what each place's saboteur holds."""
        overrides: Context = {}
        for name, proto in self._units.items():
            unit, before = changed_unit(self._unit(name), changes), self._unit(name)
            if unit.weights is not before.weights:
                overrides[proto.input[1]] = weights_tensor(unit, self._counting(name))
            if unit is not before and unit.thresholds is not None:  # FINN's are right for fault-free sums
                tensor = thresholds_tensor(unit.thresholds, unit.weights[0].size, self._counting(name))
                overrides[proto.input[2]] = tensor
        boxes: dict[str, HeldActivations] = {}
        for change in changes:
            if isinstance(change, FlippedActivation):
                raise EngineError("transients: FINN's operators have no notion of a single frame")
            if isinstance(change, ChangedAccumulators):
                raise EngineError("accumulators: FINN's matrix-vector units do not give them out")
            if not isinstance(change, HeldActivations):
                continue
            if change.place in boxes:
                raise EngineError(f"sets: {change.place} has one saboteur, which holds one part of the stream")
            if not self._override(change, changes, overrides):
                boxes[change.place] = change
        return overrides, boxes

    def _override(self, change: HeldActivations, changes: Sequence[Change], overrides: Context) -> bool:
        """Hold whole channels of a unit by their thresholds; False where a change is something else."""
        place = self._places[change.place]
        whole = change.rows == range(place.shape[1]) and change.columns == range(place.shape[2])
        if place.unit is None or place.levels is None or not whole:
            return False
        unit, name = changed_unit(place.unit, changes), self._units[change.place].input[2]
        tensor = overrides.get(name, self._empty[name]).copy()
        low, high = accumulator_bounds(unit, place.source.min, place.source.max)
        inputs, counting = unit.weights[0].size, self._counting(change.place)
        for c in change.channels:
            tensor[c] = stuck_thresholds(place.levels, change.value, int(low[c]), int(high[c]), inputs, counting)
        overrides[name] = tensor
        return True

    def _execute(self, context: Context, start: int) -> Context:
        from qonnx.core.onnx_exec import execute_node

        for node in self._nodes[start:]:
            execute_node(node, context, self.graph, self._opsets.get(node.domain, 1), True)
        return context

    def _check(self, unit: MatrixVectorUnit, proto: Any) -> None:
        """FinnError unless FINN's constants are what `layout` says: faults are put in by it."""
        place, counting = self._places[unit.name], self._counting(unit.name)
        same = np.array_equal(self._empty[proto.input[1]], weights_tensor(unit, counting))
        if same and unit.thresholds is not None:
            canonical = lattice(unit, place.source).canonical(unit.thresholds)
            tensor = thresholds_tensor(canonical, unit.weights[0].size, counting)
            same = np.array_equal(self._empty[proto.input[2]], tensor)
        if not same:
            raise FinnError(f"{unit.name}: FINN laid its weights or thresholds out in an unknown way ({proto.name})")

    def _shown(self, place: str) -> str:
        """The tensor of a place, behind its saboteur."""
        if place in self._saboteurs:
            return str(self._saboteurs[place].output[0])
        return self._streams[place]

    def _unit(self, name: str) -> MatrixVectorUnit:
        unit = self._places[name].unit
        assert unit is not None
        return unit

    def _counting(self, name: str) -> bool:
        """Whether a unit is XNOR and popcount."""
        return bool(self._custom(self._units[name]).get_nodeattr("binaryXnorMode"))

    def _binary(self, place: str) -> bool:
        """Whether -1 and +1 stand as 0 and 1 in a place's tensor."""
        levels = self._places[place].levels
        bipolar = levels is not None and levels.bipolar
        return bipolar and self.model.get_tensor_datatype(self._streams[place]).name == "BINARY"

    @staticmethod
    def _custom(node: Any) -> Any:
        from qonnx.custom_op.registry import getCustomOp

        return getCustomOp(node)


instrumented = Kept(Instrumented)
"""The graph of a network, kept for the next time; FinnError where FINN cannot build it, or is not installed."""
