"""Standard ONNX operators that take float tensors to the integers behind them, change these, and go back.

All of them are in operator set 9, so that a file's own operator set, and with it what its nodes mean, can stay.
Integers are int64, real values between are float64: every step is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fat_fpga.network.lowering.built_in import PREFIX

LIFT = 45
"""2**LIFT, or a little more, is added before a division of integers, so that it rounds down."""


@dataclass(frozen=True)
class Value:
    """A tensor that has been added: its name, element type and shape with the batch."""

    name: str
    kind: int
    shape: tuple[int, ...]


class IntegerNodes:
    """Adds nodes behind one tensor of ``model`` at a time: `open`, then any of the others, then `close`.

    Args:
        model: changed in place; its value_info names the shape of every tensor.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self._shapes = {
            value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
            for value in (*self.graph.input, *self.graph.output, *self.graph.value_info)
        }
        self.renamed: dict[str, str] = {}  # the graph's input, where its readers read another tensor now
        self._new: list[onnx.NodeProto] = []
        self._at = 0
        self._count = 0

    def producer(self, tensor: str) -> onnx.NodeProto | None:
        """The node that yields a tensor; None for the graph's input."""
        return next((node for node in self.graph.node if tensor in node.output), None)

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant; its name."""
        name = self._name("constant")
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def open(self, tensor: str) -> Value:
        """The tensor as its node yields it; all that read it will read what `close` puts in its place."""
        tensor = self.renamed.get(tensor, tensor)
        before = self._name(tensor)
        nodes = list(self.graph.node)
        producer = self.producer(tensor)
        if producer is None:  # the graph's input keeps its name, its readers get the other one
            for node in nodes:
                node.input[:] = [before if name == tensor else name for name in node.input]
            self._at, self._result = 0, before
            self.renamed[tensor], before = before, tensor
        else:
            producer.output[:] = [before if name == tensor else name for name in producer.output]
            self._at, self._result = nodes.index(producer) + 1, tensor
        return self._value(before, TensorProto.FLOAT, self._shapes[tensor])

    def close(self, before: Value, real: Value | np.float32, where: npt.NDArray[np.bool_]) -> None:
        """Put ``real`` in place of the opened tensor where a mask is set, of its shape, or of one image."""
        mask = where.astype(np.float32)
        if isinstance(real, Value):
            changed = self._add("Mul", [real.name, self.constant(mask)], before.kind, before.shape).name
        else:
            changed = self.constant(mask * real)
        kept = self._add("Mul", [before.name, self.constant(1 - mask)], before.kind, before.shape)
        self._add("Add", [kept.name, changed], before.kind, before.shape, self._result)
        for offset, node in enumerate(self._new):
            self.graph.node.insert(self._at + offset, node)
        self._new = []

    def to_integer(self, real: Value, bias: float, scale: float) -> Value:
        """The nearest integer of ``(real - bias) / scale``."""
        wide = self._cast(real, TensorProto.DOUBLE)
        shifted = self._with("Sub", wide, np.float64(bias))
        steps = self._with("Div", shifted, np.float64(scale))
        nearest = self._add("Floor", [self._with("Add", steps, np.float64(0.5)).name], wide.kind, wide.shape)
        return self._cast(nearest, TensorProto.INT64)

    def to_real(self, integer: Value, bias: float, scale: float) -> Value:
        """``integer * scale + bias``, rounded to float32 as the file would: the product, then the sum."""
        product = self._with("Mul", self._cast(integer, TensorProto.DOUBLE), np.float64(scale))
        rounded = self._cast(product, TensorProto.FLOAT)
        return self._with("Add", rounded, np.float32(bias)) if bias else rounded

    def with_bit(self, word: Value, bit: int, top: bool, to: int | None) -> Value:
        """A word with a bit held at ``to``, or inverted; a ``top`` bit is the sign, and all bits above it."""
        upper = self._halved(word, bit)
        lower = self.plus(word, self.times(upper, -(1 << bit)))
        if top:
            changed = self._with("Sub", self.times(upper, -1), np.int64(1)) if to is None else self._filled(upper, -to)
            return self.plus(lower, self.times(changed, 1 << bit))
        is_set = self.plus(upper, self.times(self._halved(upper, 1), -2))
        wanted = self._with("Add", self.times(is_set, -1), np.int64(1)) if to is None else self._filled(is_set, to)
        return self.plus(word, self.times(self.plus(wanted, self.times(is_set, -1)), 1 << bit))

    def above(self, integer: Value, bound: int) -> Value:
        """1 where an integer is larger than ``bound``, else 0."""
        larger = self._add(
            "Greater", [integer.name, self.constant(np.array(bound, np.int64))], TensorProto.BOOL, integer.shape
        )
        return self._cast(larger, TensorProto.INT64)

    def plus(self, first: Value, second: Value) -> Value:
        """The sum of two integers."""
        return self._add("Add", [first.name, second.name], first.kind, first.shape)

    def shifted(self, integer: Value, by: int) -> Value:
        """An integer plus a number."""
        return self._with("Add", integer, np.int64(by)) if by else integer

    def times(self, integer: Value, factor: int | npt.NDArray[np.int64]) -> Value:
        """An integer times a number, or times numbers of its shape without the batch."""
        values = np.asarray(factor, np.int64)
        return self._with("Mul", integer, values[None] if values.ndim else values)

    def divided(self, integer: Value, by: int) -> Value:
        """An integer, a multiple of ``by`` or to be rounded down, divided by it."""
        if by == 1:
            return integer
        lifted = -(-(1 << LIFT) // by)
        quotient = self._with("Div", self._with("Add", integer, np.int64(lifted * by)), np.int64(by))
        return self._with("Sub", quotient, np.int64(lifted))

    def gathered(self, tensor: str, order: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Value:
        """The elements of a tensor in another order and shape (both without the batch)."""
        batch = self._shapes[tensor][0]
        flat_shape = self.constant(np.array([batch, -1], np.int64))
        flat = self._add("Reshape", [tensor, flat_shape], TensorProto.FLOAT, (batch, order.size))
        moved = self._add("Gather", [flat.name, self.constant(order.astype(np.int64))], flat.kind, flat.shape, axis=1)
        target = self.constant(np.array([batch, *shape], np.int64))
        return self._add("Reshape", [moved.name, target], TensorProto.FLOAT, (batch, *shape))

    def _halved(self, integer: Value, times: int) -> Value:
        return self.divided(integer, 1 << times)

    def _filled(self, like: Value, value: int) -> Value:
        return self._with("Add", self.times(like, 0), np.int64(value))

    def _with(self, operator: str, value: Value, constant: Any) -> Value:
        return self._add(operator, [value.name, self.constant(np.asarray(constant))], value.kind, value.shape)

    def _cast(self, value: Value, kind: int) -> Value:
        return self._add("Cast", [value.name], kind, value.shape, to=kind)

    def _add(
        self, operator: str, inputs: list[str], kind: int, shape: tuple[int, ...], output: str = "", **options: Any
    ) -> Value:
        name = self._name(operator.lower())
        self._new.append(helper.make_node(operator, inputs, [output or name], name=name, **options))
        return self._value(output or name, kind, shape)

    def _value(self, name: str, kind: int, shape: tuple[int, ...]) -> Value:
        if name not in self._shapes:
            self.graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
            self._shapes[name] = shape
        return Value(name, kind, shape)

    def _name(self, text: str) -> str:
        self._count += 1
        return f"{PREFIX}{self._count}_{text}"
