"""A network with a fault, as a QONNX graph: the fault is in the graph, not in what executes it.

| change | in the graph |
|---|---|
| activations held at a value | ``Mul`` by a mask of 0 and 1, ``Add`` of the value where the mask is 0 |
| weight, threshold, other memory of a layer | another constant |
| bit of an accumulator or of an activation | on int64: ``BitwiseAnd``, ``BitwiseOr``, ``BitwiseXor`` with masks |

Datatype annotations stay true: where a fault lets a tensor leave its type, the annotation is widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from fat_fpga.engines.exact import FLOAT32, largest_sum, spans
from fat_fpga.engines.graph_editor import TO_FLOAT, TO_INTEGER, GraphEditor, Operator
from fat_fpga.engines.kept import Kept
from fat_fpga.errors import EngineError, ModelError
from fat_fpga.faults import AnyFault, Change, Place, changed_unit, changes_of, check_faults, places
from fat_fpga.faults.changes import (
    ChangedAccumulators,
    FlippedActivation,
    HeldActivations,
    changed_parameters,
    changed_thresholds,
    changes_at,
)
from fat_fpga.faults.place import INPUT
from fat_fpga.faults.register import Register
from fat_fpga.files import replacing
from fat_fpga.network import MatrixVectorUnit, Network
from fat_fpga.network.bounds import accumulator_bounds
from fat_fpga.network.datatypes import smallest_type
from fat_fpga.network.layers import IntArray
from fat_fpga.network.lowering.built_in import DATATYPE, FAULT, FAULT_FREE, PREFIX
from fat_fpga.network.words import unit_weight_type
from fat_fpga.network.write import to_qonnx
from fat_fpga.network.writer import INPUT as GRAPH_INPUT
from fat_fpga.network.writer import OUTPUT as GRAPH_OUTPUT


def write_faulty_qonnx(network: Network, fault: AnyFault, path: str | PathLike[str]) -> None:
    """Write the network with a fault in it as a QONNX file, for one image at a time.

    qonnx executes it to what the fault gives. It is FINN form, but for the inserted operators. A fault of a single
    frame is in the file for good: the file is the network while that frame passes.

    Raises:
        FaultError: there is no such fault.
        EngineError: the network cannot be written, or float32, which the file computes in, does not hold its sums.
        OSError: the file cannot be written.
    """
    check_faults(network, [fault])
    graph = FaultyGraph(network, changes_of(network, [fault]))
    model = graph.model
    properties = {entry.key: entry.value for entry in model.metadata_props}
    properties |= {FAULT: str(fault), FAULT_FREE: network.fingerprint}
    properties |= {DATATYPE + tensor: datatype for tensor, datatype in graph.replaced.items()}
    onnx.helper.set_model_props(model, properties)
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _written(network: Network) -> onnx.ModelProto:
    try:
        return to_qonnx(network)
    except ModelError as error:
        raise EngineError(str(error)) from error


_fault_free = Kept(_written)


class FaultyGraph:
    """The graph of a network with changes in it.

    Args:
        images: how many images it takes at once.
        first_frame: number of the first one, which changes of a single frame refer to; None if every image is the
            one that they mean.

    Attributes:
        model: the ONNX model.
        replaced: datatypes that a fault widened, by tensor.
        tensors: where the stream at each place is in it, by place in network order.
    """

    def __init__(
        self, network: Network, changes: Sequence[Change], images: int = 1, first_frame: int | None = None
    ) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(_fault_free(network))
        self._editor = GraphEditor(self.model)
        self._editor.batch(images)
        self._changes, self._images, self._first_frame = changes, images, first_frame
        self._spans, self._inputs, self._scores = spans(network, changes), network.inputs, network.scores
        self.replaced = self._editor.replaced
        self.tensors: dict[str, str] = {}
        self._at = {place.name: self._tensor(place) for place in places(network).values()}
        for place in places(network).values():
            if place.unit is not None:
                self._unit(place, place.unit)
            elif place.position >= 0:
                self._other(place)
            self._stream(place)

    def _unit(self, place: Place, unit: MatrixVectorUnit) -> None:
        """Constants and accumulators of a unit."""
        changed, span = changed_unit(unit, self._changes), self._spans[self._inputs[place.name][0]]
        faulty = changes_at(self._changes, place.name, ChangedAccumulators)
        held = max((abs(bound) for change in faulty for bound in change.register.span), default=0)
        if largest_sum(changed, span) >= FLOAT32 or held > FLOAT32:
            raise EngineError(f"{unit.name}: its accumulators do not fit in float32, which QONNX graphs compute in")
        if changed.weights is not unit.weights:
            matrix = self._editor.is_matrix(unit.name)
            weights = changed.weights.reshape(unit.channels, -1).T if matrix else changed.weights
            self._editor.constant(f"{unit.name}_weights", weights, unit_weight_type(changed))
        self._thresholds(f"{unit.name}_thresholds", unit.thresholds, changed.thresholds)
        tensor = self._editor.output_of(unit.name)
        assert tensor is not None
        lowest, highest = accumulator_bounds(changed, *span)
        reach = int(lowest.min()), int(highest.max())
        self._editor.widen(tensor, *reach)
        for change in faulty:
            where = np.zeros((1, *place.shape), np.int64)
            where[:, change.channel] = 1
            self._bits(tensor, change.register, change.register.masks(change.bit, change.to), where, place.name)
            low, high = change.register.span
            reach = min(low, reach[0]), max(high, reach[1])
            self._editor.widen(tensor, *reach)
        if unit.levels is None and tensor != GRAPH_OUTPUT and self._scores == unit.name:
            self._editor.widen(GRAPH_OUTPUT, *reach)

    def _other(self, place: Place) -> None:
        """Thresholds of a layer that is no unit, and the datatype of its stream."""
        if place.thresholded is not None:
            changed = changed_thresholds(place.thresholded, self._changes)
            self._thresholds(_name(place.name), place.thresholded.thresholds, changed.thresholds)
        if place.layer is not None:
            changed_layer = changed_parameters(place.layer, self._changes)
            for memory, words in changed_layer.parameters.items():
                datatype = changed_layer.parameter_type(memory)
                self._editor.constant(f"{_name(place.name)}_{memory}", words, datatype)
        if place.levels is None:
            return
        low, high = self._spans[place.name]
        if max(-low, high) > FLOAT32:
            raise EngineError(f"{place.name}: its sums do not fit in float32, which QONNX graphs compute in")
        self._editor.widen(self._at[place.name], low, high)

    def _thresholds(self, node: str, stored: IntArray | None, changed: IntArray | None) -> None:
        """Other thresholds for a MultiThreshold, where they are others."""
        if changed is not None and changed is not stored:
            low, high = min(int(changed.min()), 0), max(int(changed.max()), 0)
            self._editor.constant(f"{node}_values", changed, smallest_type(low, high))

    def _stream(self, place: Place) -> None:
        """Activations at a place."""
        tensor = self._at[place.name]
        for change in self._changes:
            if change.place != place.name or not isinstance(change, HeldActivations | FlippedActivation):
                continue
            if place.name == INPUT and tensor == GRAPH_INPUT:
                tensor = self._editor.name_input(tensor)
            if isinstance(change, HeldActivations):
                mask = np.ones((1, *place.shape), np.float32)
                mask[(slice(None), *change.box)] = 0
                mask = self._as(tensor, mask)
                operators = [Operator("Mul", mask), Operator("Add", (1 - mask) * np.float32(change.value))]
                self._editor.insert(tensor, operators, PREFIX + _name(place.name))
            else:
                where = np.zeros((self._images, *place.shape), np.int64)
                image = slice(None) if self._first_frame is None else change.frame - self._first_frame
                if isinstance(image, slice) or 0 <= image < self._images:
                    where[(image, *change.index)] = 1
                    masks = change.register.masks(change.bit, change.to)
                    self._bits(tensor, change.register, masks, where, place.name)
        self.tensors[place.name] = tensor

    def _tensor(self, place: Place) -> str:
        """The tensor that holds the stream at a place."""
        if place.position == -1:
            return self._editor.output_of("input_thresholds") or GRAPH_INPUT
        if place.name == self._scores:
            return GRAPH_OUTPUT
        thresholds = place.unit is not None and place.unit.thresholds is not None
        node = f"{place.name}_thresholds" if thresholds else _name(place.name)
        tensor = self._editor.output_of(node)
        assert tensor is not None
        return tensor

    def _bits(
        self, tensor: str, register: Register, masks: tuple[int, int, int], where: npt.NDArray[np.int64], place: str
    ) -> None:
        """Apply the masks of a register to the words of ``tensor`` where ``where`` is 1."""
        keep, put, invert = masks
        where = self._as(tensor, where)
        operators = [
            Operator("Sub", np.array(register.offset, np.float32)),
            Operator("Div", np.array(register.step, np.float32)),
            TO_INTEGER,
            Operator("BitwiseAnd", np.where(where == 1, keep, -1), integer=True),
            Operator("BitwiseOr", put * where, integer=True),
            Operator("BitwiseXor", invert * where, integer=True),
            TO_FLOAT,
            Operator("Mul", np.array(register.step, np.float32)),
            Operator("Add", np.array(register.offset, np.float32)),
        ]
        nothing = {"Sub": 0, "Div": 1, "Mul": 1, "Add": 0, "BitwiseAnd": -1, "BitwiseOr": 0, "BitwiseXor": 0}
        needed = [o for o in operators if o.constant is None or np.any(o.constant != nothing[o.kind])]
        self._editor.insert(tensor, needed, PREFIX + _name(place))

    def _as(self, tensor: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values [N, C, H, W] in as many dimensions as a tensor has."""
        return values.reshape(len(values), *self._editor.shape(tensor)[1:])


def _name(place: str) -> str:
    """A place in the name of a node, as the writer spells it."""
    return place.replace(".", "_")
