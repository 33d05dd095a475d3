"""Networks that are in memory already: an ONNX model, with or without qonnx's wrapper, or a Brevitas network."""

from __future__ import annotations

import copy
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnx import external_data_helper

from fat_fpga.errors import ModelError
from fat_fpga.extras import advice
from fat_fpga.foreign import Model, ModelWrapper, Module
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.load import lower_model, tensors_of
from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels
from fat_fpga.network.network import Network


def load_model(
    model: Model,
    name: str | None,
    pixels: Pixels,
    image_shape: Shape | None,
    normalise: Normalise | None = None,
    outputs: Outputs = "auto",
) -> Network:
    """See `fat_fpga.network.load_network`; the model is left as it is."""
    if isinstance(model, Module):
        name = name or type(model).__name__
        model = _exported(model, name, image_shape)
    wrapped = isinstance(model, ModelWrapper)
    own = onnx.ModelProto()
    own.CopyFrom(model.model if wrapped else model)
    name = name or own.graph.name or "model"
    outside = [tensor.name for tensor in tensors_of(own) if external_data_helper.uses_external_data(tensor)]
    if outside:
        raise ModelError(
            f"{name}: the values of {outside[0]} are in a file beside the model's: read the model with onnx.load, "
            "which reads that file, too, or give load_network the path"
        )
    return lower_model(own, name, name, pixels, image_shape, normalise, outputs)[0]


def _exported(module: Module, name: str, image_shape: Shape | None) -> onnx.ModelProto:
    """A Brevitas network as QONNX."""
    if image_shape is None:
        raise ModelError(f"{name}: a torch module does not tell the shape of an image: give image_shape=(3, 32, 32)")
    try:
        from fat_fpga.models.export import export_qonnx
    except ModuleNotFoundError as error:
        raise ModelError(f"exporting {name} needs the package {error.name}: {advice('train')}") from error
    if any(parameter.device.type != "cpu" for parameter in module.parameters()):
        module = copy.deepcopy(module).cpu()
    with TemporaryDirectory() as folder:
        export_qonnx(module, path := Path(folder) / "model.onnx", (1, *image_shape))
        return onnx.load(path)
