"""FINN's hardware graph with a saboteur in every stream: what the finn engine executes, an image at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from fat_fpga.engines.images import Images
from fat_fpga.engines.kept import Kept
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.faults import Change, changed_unit, places
from fat_fpga.faults.changes import ChangedAccumulators, FlippedActivation, HeldActivations, changed_thresholds
from fat_fpga.faults.place import INPUT, Place
from fat_fpga.finn.form import without_groups
from fat_fpga.finn.graph import MAKERS, hardware_graph, nodes_of
from fat_fpga.finn.inject import arm, disarm, insert_saboteur
from fat_fpga.finn.layers import UNIT
from fat_fpga.finn.layout import stuck_thresholds, thresholds_tensor, to_stream, to_tensor, weights_tensor
from fat_fpga.finn.placing import ACTIVATION, LABELS
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.bounds import accumulator_bounds, lattice
from fat_fpga.network.layers import IntArray

Context = dict[str, npt.NDArray[Any]]
"""Every tensor of an execution by name."""


class Instrumented:
    """FINN's graph, and what a fault is in it.

    | change | in FINN's graph |
    |---|---|
    | channels of a unit or of thresholds held | their thresholds, as a host writes them on the board |
    | other activations held | the saboteur in the stream |
    | weight, threshold | another constant |
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._places = places(network)
        model = hardware_graph(network)
        self._streams: dict[str, str] = {}  # tensor by place, in front of its saboteur
        self._units: dict[str, Any] = {}
        self._thresholds: dict[str, str] = {}  # constant by place
        for node in nodes_of(model, network):
            if node.role in MAKERS and node.place != LABELS:
                self._streams[node.place] = node.proto.output[0]
            if node.role == UNIT and node.place != LABELS:
                self._units[node.place] = node.proto
            if node.role in (UNIT, ACTIVATION) and node.place not in (LABELS, INPUT):
                self._thresholds[node.place] = node.proto.input[-1]
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
        depthwise = {name for node in self._nodes if node.op_type == "VVAU" for name in node.input}
        # FINN's VVAU reads its constants from the graph, and not from what is executed
        self._stored = [tensor for tensor in self.graph.initializer if tensor.name in depthwise]
        self._tensors = {place: self._shown(place) for place in self._places}
        for name, proto in self._units.items():
            self._check(self._unit(name), proto)
        for place in self._places.values():
            self._check_thresholds(place)

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
        stored = [constant for constant in self._stored if constant.name in overrides]
        for constant in stored:
            constant.CopyFrom(numpy_helper.from_array(overrides[constant.name], constant.name))
        try:
            return self._execute({**golden, **overrides}, min(starts))
        finally:
            for constant in stored:
                constant.CopyFrom(numpy_helper.from_array(self._empty[constant.name], constant.name))
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
                overrides[proto.input[1]] = self._weights(unit)
        for place in self._places.values():
            known = place.thresholded
            if known is None or known.thresholds is None:
                continue
            layer = changed_thresholds(known, changes)
            other_sums = place.name in self._units and self._units[place.name].input[1] in overrides
            if layer is not known or other_sums:  # FINN's are right for fault-free sums
                assert layer.thresholds is not None
                overrides[self._thresholds[place.name]] = self._rows(place, layer.thresholds)
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
        if place.thresholded is None or place.levels is None or not whole:
            return False
        name, counting, inputs = self._thresholds[change.place], self._counting(change.place), 0
        low, high = (np.full(place.shape[0], end, np.int32) for end in (place.source.min, place.source.max))
        if place.unit is not None:
            unit = changed_unit(place.unit, changes)
            low, high = accumulator_bounds(unit, place.source.min, place.source.max)
            inputs = unit.weights[0].size
        tensor = overrides.get(name, self._empty[name]).copy()
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
        """FinnError unless FINN's weights are what `layout` says: faults are put in by it."""
        if not np.array_equal(self._empty[proto.input[1]], self._weights(unit)):
            raise FinnError(f"{unit.name}: FINN laid its weights out in an unknown way ({proto.name})")

    def _check_thresholds(self, place: Place) -> None:
        """FinnError unless FINN's thresholds of a place are what `layout` says."""
        layer = place.thresholded
        if layer is not None and layer.thresholds is not None:
            canonical = self._rows(place, lattice(layer, place.source).canonical(layer.thresholds))
            if not np.array_equal(self._empty[self._thresholds[place.name]], canonical):
                raise FinnError(f"{place.name}: FINN laid its thresholds out in an unknown way")

    def _weights(self, unit: MatrixVectorUnit) -> npt.NDArray[np.float32]:
        """A unit's weights as they stand in FINN's tensor."""
        if self._units[unit.name].op_type == "VVAU":
            return unit.weights.astype(np.float32)
        return weights_tensor(without_groups(self.network, unit), self._counting(unit.name))

    def _rows(self, place: Place, thresholds: IntArray) -> npt.NDArray[np.float32]:
        """Thresholds of a place as they stand in FINN's tensor."""
        inputs = 0 if place.unit is None else place.unit.weights[0].size
        return thresholds_tensor(thresholds, inputs, self._counting(place.name))

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
        """Whether a place is a unit of XNOR and popcount."""
        return name in self._units and bool(self._custom(self._units[name]).get_nodeattr("binaryXnorMode"))

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
