"""Fixed point executed in float32 by onnxruntime, one session for all formats: for a search, which tries many."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import DataError, ModelError
from fat_fpga.fixed_point.decided import Decision
from fat_fpga.fixed_point.emitter import Emitter
from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.formats import Formats
from fat_fpga.fixed_point.q_format import QFormat
from fat_fpga.fixed_point.quantise import formats_in_front, rounded_bias
from fat_fpga.fixed_point.step import Product
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.pixels import Normalise, Pixels, entry_of, input_layout

BATCH = 250
Feeds = dict[str, npt.NDArray[np.float32]]


class Simulation:
    """A float network on some images: with its own weights, and with those of any formats.

    Sums are added up in float32. Where they have more than 24 bits, the last ones may be off; what is written in the
    end is measured on integers.

    Args:
        model: the float network.
        data: images with labels.
        pixels, image_shape, normalise: as of `fat_fpga.network.load_network`.
        threads: of onnxruntime; 0 for all cores.
    """

    def __init__(
        self, model: FloatModel, data: Dataset, pixels: Pixels = "auto", image_shape: Shape | None = None,
        normalise: Normalise | None = None, threads: int = 0,
    ) -> None:  # fmt: skip
        data.need_labels("an accuracy")
        self._model, self.count, self._labels = model, len(data), data.labels
        graph = model.graph
        layout = input_layout(graph, image_shape)
        if data.images.shape[1:] != layout.shape:
            raise DataError(f"{data.name}: images are {list(data.images.shape[1:])}, {model.name} takes "
                            f"{list(layout.shape)}")  # fmt: skip
        real = entry_of(graph, pixels, normalise, layout.shape[0]).real(data.images)
        self._rows = np.ascontiguousarray(real.reshape(len(real), *graph.input_shape), dtype=np.float32)
        self._decision = Decision(model)
        self._floats = _session(_Plain(model), threads)
        self._fixed = _session(_Fixed(model), threads)

    def float_correct(self) -> int:
        """How many images the float network classifies correctly."""
        return self._correct(self._floats, {})

    def correct(self, formats: Formats) -> int:
        """How many images the network classifies correctly in fixed point."""
        feeds: Feeds = {}
        front = formats_in_front(self._model, formats)
        for layer in self._model.activated:
            feeds |= _word_feeds(layer, formats.activations_of(layer))
        for layer, product in self._model.products.items():
            form = formats.weights_of(layer)
            feeds[f"{layer}.weight"] = (form.quantise(product.weights) * form.step).astype(np.float32)
            feeds[f"{layer}.bias"] = rounded_bias(product, form, front[layer]).astype(np.float32)
        return self._correct(self._fixed, feeds)

    def _correct(self, session: Any, feeds: Feeds) -> int:
        name, found = self._model.graph.input, 0
        batch = BATCH if self._model.graph.batch == 1 else self._model.graph.batch
        for start in range(0, self.count, batch):
            rows = self._rows[start : start + batch]
            short = batch - len(rows) if self._model.graph.batch > 1 else 0
            rows = np.concatenate([rows, np.zeros((short, *rows.shape[1:]), np.float32)]) if short else rows
            output = session.run([self._decision.output], {name: rows, **feeds})[0]
            labels = self._labels[start : start + batch]
            found += int(np.sum(self._decision.classes(output)[: len(labels)] == labels))
        return found


def _word_feeds(layer: str, form: QFormat) -> Feeds:
    values = {"inverse": 1 / form.step, "low": form.low, "high": form.high, "step": form.step}
    return {f"{layer}.{key}": np.array(value, np.float32) for key, value in values.items()}


class _Free(Emitter):
    """A file that takes any number of images, and its parameters as inputs."""

    def __init__(self, model: FloatModel) -> None:
        super().__init__(model)
        self.inputs: list[onnx.ValueInfoProto] = []

    def taken(self, name: str, axes: int) -> str:
        """An input with any sizes."""
        if all(known.name != name for known in self.inputs):
            self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * axes))
        return name

    def whole(self) -> onnx.ModelProto:
        """The finished model; where it takes one image at a time, it takes any number now."""
        graph = self.model.graph
        self.emit()
        shapes = {node.input[1] for node in self.nodes if node.op_type == "Reshape" and graph.batch == 1}
        for name in shapes & set(self.constants):
            if self.constants[name].size > 1 and self.constants[name][0] == 1:
                self.constants[name] = np.concatenate([[0], self.constants[name][1:]]).astype(np.int64)
        sizes = [None if graph.batch == 1 else graph.batch, *graph.input_shape]
        image = helper.make_tensor_value_info(graph.input, graph.input_type, sizes)
        found = self.finish([image, *self.inputs], [])
        for output in found.graph.output:
            output.type.tensor_type.ClearField("shape")
        return found


class _Plain(_Free):
    """The float network itself, batch norms folded in."""

    def words(self, source: str, target: str, layer: str) -> None:
        self.node("Identity", [source], target, target)

    def weights(self, layer: str, product: Product) -> str:
        return self.constant(f"{layer}.weight", product.weights)

    def bias(self, layer: str, product: Product) -> str:
        return self.constant(f"{layer}.bias", product.bias)


class _Fixed(_Free):
    """Words are rounded values; weights, and what words are, come with each call."""

    def words(self, source: str, target: str, layer: str) -> None:
        inverse, low, high, step = (self.taken(f"{layer}.{key}", 0) for key in ("inverse", "low", "high", "step"))
        scaled = self.node("Mul", [source, inverse], f"{target}_scaled", f"{target}_scale")
        rounded = self.node("Round", [scaled], f"{target}_rounded", f"{target}_round")
        above = self.node("Max", [rounded, low], f"{target}_above", f"{target}_max")
        below = self.node("Min", [above, high], f"{target}_below", f"{target}_min")
        self.node("Mul", [below, step], target, target)

    def weights(self, layer: str, product: Product) -> str:
        return self.taken(f"{layer}.weight", product.weights.ndim)

    def bias(self, layer: str, product: Product) -> str:
        return self.taken(f"{layer}.bias", 1)


def _session(emitter: _Free, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    content = emitter.whole().SerializeToString()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has many
        raise ModelError(
            f"{emitter.model.name}: onnxruntime does not execute it: {' '.join(str(error).split())}"
        ) from error
