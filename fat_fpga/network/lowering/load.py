"""Opening an ONNX file for lowering."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
from onnx import external_data_helper

from fat_fpga.errors import ModelError
from fat_fpga.files import readable
from fat_fpga.models import zoo
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.built_in import check_fault_free, fault_in, without_fault
from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.lowering.walk import lower_with_sites
from fat_fpga.network.network import Network


def load(
    path: Path, name: str | None = None, pixels: Pixels = "auto", image_shape: Shape | None = None,
    normalise: Normalise | None = None, outputs: Outputs = "auto",
) -> Network:  # fmt: skip
    """See `fat_fpga.network.load_network`."""
    return load_with_sites(path, name, pixels, image_shape, normalise, outputs)[0]


def load_bundled(bundled: str, name: str | None = None) -> Network:
    """A network that comes with the package."""
    model = onnx.load_from_string(zoo.read_onnx(bundled))
    return lower_model(model, name or bundled, bundled)[0]


def load_with_sites(
    path: Path, name: str | None = None, pixels: Pixels = "auto", image_shape: Shape | None = None,
    normalise: Normalise | None = None, outputs: Outputs = "auto",
) -> tuple[Network, Sites]:  # fmt: skip
    """The network in a file, and where its parts are in the file's model."""
    model = read_model(path)
    return lower_model(model, name or readable(path.stem), str(path), pixels, image_shape, normalise, outputs)


def read_model(path: Path) -> onnx.ModelProto:
    """The model in a file, with what it keeps in files beside it; ModelError where that cannot be read."""
    if path.exists() and not path.is_file():
        raise ModelError(
            f"cannot read network file {path}: it is {'a folder' if path.is_dir() else 'a device or a pipe'}"
        )
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise ModelError(f"cannot read network file {path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf and onnx have many
        raise ModelError(f"{path} is not an ONNX file, or is damaged ({error}): export or copy it again") from error
    _load_data_beside(model, path)
    return model


def lower_model(
    model: onnx.ModelProto, name: str, where: str, pixels: Pixels = "auto", image_shape: Shape | None = None,
    normalise: Normalise | None = None, outputs: Outputs = "auto",
) -> tuple[Network, Sites]:  # fmt: skip
    """The network that a model is, whose fault is told apart; ``where`` the model is from stands in messages."""
    try:
        fault = fault_in(model)
        model = without_fault(model) if fault else model
        network, sites = lower_with_sites(model, name, pixels, image_shape, normalise, outputs)
        if fault:
            check_fault_free(model, network.fingerprint)
        return replace(network, fault=fault) if fault else network, sites
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def tensors_of(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Every constant tensor of a model."""
    return [*model.graph.initializer, *(a.t for node in model.graph.node for a in node.attribute if a.HasField("t"))]


def _load_data_beside(model: onnx.ModelProto, path: Path) -> None:
    """Load the tensors that a model keeps in other files; ModelError where these cannot be read."""
    outside = [tensor for tensor in tensors_of(model) if external_data_helper.uses_external_data(tensor)]
    names = {entry.value for tensor in outside for entry in tensor.external_data if entry.key == "location"}
    for name in sorted(names):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelError(
                f"{path}: its weights are in the file '{name}': a file outside the model's folder is not read"
            )
        if not (path.parent / name).is_file():
            raise ModelError(f"{path}: its weights are in the file '{name}', which must lie beside it and does not")
    try:
        external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # onnx has many
        what = " ".join(str(error).split())
        raise ModelError(f"{path}: its weights in the file '{', '.join(sorted(names))}' are damaged: {what}") from error
