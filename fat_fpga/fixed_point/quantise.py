"""A float network in fixed point: a QONNX file whose scales are powers of two."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.fixed_point.emitter import QONNX, Emitter
from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.formats import Formats
from fat_fpga.fixed_point.q_format import QFormat
from fat_fpga.fixed_point.step import Floats, Product
from fat_fpga.fixed_point.words import KEPT
from fat_fpga.foreign import ModelProto

SUMS = 2**31
"""Accumulators are below it in magnitude."""
PROPERTY = "fat_fpga.formats"
"""Key under which a file keeps its formats, as JSON."""


@dataclass(frozen=True)
class LayerRow:
    """What became of a layer.

    Attributes:
        name: of the layer.
        weights: format of the weights; None where it has none.
        activations: format of the activations; None where they are the scores.
        count: how many weights it has.
        largest: largest magnitude among the float weights, batch norm folded in.
        clipped: how many weights are beyond the ends of the format, and became the end.
        sum_bits: bits that hold every sum, for any words in front; 0 where it has no weights.
    """

    name: str
    weights: QFormat | None
    activations: QFormat | None
    count: int = 0
    largest: float = 0.0
    clipped: int = 0
    sum_bits: int = 0


@dataclass(frozen=True, eq=False)
class Quantised:
    """A network in fixed point.

    Attributes:
        model: QONNX; `fat_fpga.network.load_network` reads it.
        formats: of its layers.
        rows: one for each layer, in order.
    """

    model: ModelProto
    formats: Formats
    rows: tuple[LayerRow, ...]


@checked
def quantise(model: FloatModel, formats: Formats) -> Quantised:
    """Turn a float network into fixed point.

    Weights are rounded to the nearest word of their format, halves to the even one; what lies beyond the ends becomes
    the end. Biases are rounded to the step of the sums that they are added to. Activations are rounded in the same
    way as weights; the sums of the last product stay as they are.

    Raises:
        ModelError: a layer of ``formats`` does not exist, sums that do not fit in 32 bits, streams of different formats
            that are concatenated.
    """
    formats.check_layers(model.products, model.activated)
    emitter = _Quantiser(model, formats)
    emitter.emit()
    made = emitter.finish([emitter.input], [helper.make_opsetid(QONNX, 1)])
    properties = {entry.key: entry.value for entry in model.graph.model.metadata_props}
    helper.set_model_props(made, properties | {PROPERTY: json.dumps(formats.to_dict())})
    return Quantised(made, formats, tuple(emitter.row(layer) for layer in model.layers))


class _Quantiser(Emitter):
    """Words and weights are what a Quant node makes."""

    def __init__(self, model: FloatModel, formats: Formats) -> None:
        super().__init__(model)
        self._formats, self._front, self._rows = formats, formats_in_front(model, formats), dict[str, LayerRow]()
        image = model.graph.input  # few of its words occur; lowering knows which, and refuses sums of them
        self._on_input = {step.name for step in model.steps if image in step.node.input}

    def row(self, layer: str) -> LayerRow:
        """What became of a layer."""
        activations = self._formats.activations_of(layer) if layer in self.model.activated else None
        row = self._rows.get(layer, LayerRow(layer, None, None))
        return LayerRow(layer, row.weights, activations, row.count, row.largest, row.clipped, row.sum_bits)

    def words(self, source: str, target: str, layer: str) -> None:
        self._quant(source, target, self._formats.activations_of(layer), target)

    def weights(self, layer: str, product: Product) -> str:
        form = self._formats.weights_of(layer)
        integers = form.quantise(product.weights)
        self._note(layer, product, form, integers)
        stored = self.constant(f"{layer}.weight", integers * form.step)
        return self._quant(stored, f"{layer}.weight_words", form, f"{layer}.weight_quant")

    def bias(self, layer: str, product: Product) -> str:
        if not product.bias.any():
            return ""
        return self.constant(
            f"{layer}.bias", rounded_bias(product, self._formats.weights_of(layer), self._front[layer])
        )

    def _quant(self, source: str, target: str, form: QFormat, name: str) -> str:
        """A Quant node of a format."""
        values = {"scale": form.step, "zero": 0.0, "bits": float(form.bits)}
        inputs = [self.constant(f"{target}_{key}", value) for key, value in values.items()]
        options: dict[str, Any] = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        return self.node("Quant", [source, *inputs], target, name, QONNX, **options)

    def _note(self, layer: str, product: Product, form: QFormat, integers: npt.NDArray[np.int64]) -> None:
        """Keep what became of a product; ModelError for sums that do not fit."""
        front = self._front[layer]
        sizes = np.abs(product.by_channel(integers)).sum(axis=1)
        biases = np.abs(rounded_bias(product, form, front) / (form.step * front.step))
        reach = int((sizes * -front.low + biases).max())
        if reach >= SUMS and layer not in self._on_input:
            raise ModelError(
                f"{self.model.name}: layer '{layer}': sums of {form} weights and {front} activations reach {reach:,}, "
                "which does not fit in 32 bits: take fewer bits"
            )
        nearest = np.rint(product.weights / form.step)
        clipped = int(np.sum((nearest > form.high) | (nearest < form.low)))
        largest = float(np.abs(product.weights).max(initial=0))
        self._rows[layer] = LayerRow(layer, form, None, integers.size, largest, clipped, reach.bit_length() + 1)


def rounded_bias(product: Product, weights: QFormat, front: QFormat) -> Floats:
    """Biases as multiples of the step of sums, of weights and of the words in front; float64 [M]."""
    step = weights.step * front.step
    return np.rint(product.bias / step) * step


def formats_in_front(model: FloatModel, formats: Formats) -> dict[str, QFormat]:
    """The format of the words that each product reads, by its layer.

    Raises:
        ModelError: a concatenation joins words of different formats.
    """
    found = {tensor: formats.activations_of(layer) for tensor, layer in model.words.items()}
    front = {}
    for step in model.steps:
        known = [found[name] for name in model.graph.moving(step.node) if name in found]
        if step.node.op_type == "Concat" and len(set(known)) > 1:
            raise ModelError(
                f"{model.name}: node '{step.node.name}' (Concat) joins words of {' and '.join(map(str, set(known)))}: "
                "give the layers in front of it one format of activations"
            )
        if step.product is not None:
            if not known:
                raise ModelError(f"{model.name}: layer '{step.name}' reads what is no word of any format")
            front[step.name] = known[0]
        elif known and step.node.op_type in (*KEPT, "Relu") and step.node.output[0] not in found:
            found[step.node.output[0]] = known[0]
    return front
