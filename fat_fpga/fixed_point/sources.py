"""Float networks from files, checkpoints and modules."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import onnx

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.files import readable
from fat_fpga.fixed_point.float_model import FloatModel, read_float_model
from fat_fpga.foreign_module import is_module, load_module
from fat_fpga.models import zoo
from fat_fpga.network.files import CHECKPOINTS
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.load import read_model

if TYPE_CHECKING:
    from torch import nn


@checked
def open_float_model(source: str, weights_file: str | None = None, image_shape: Shape | None = None) -> FloatModel:
    """The float network that ``source`` names.

    Args:
        source: an ``.onnx`` file of floats; ``module:PACKAGE:FACTORY``, see `fat_fpga.foreign_module.load_module`; or a
            checkpoint of ``fat-fpga train``.
        weights_file: of a module.
        image_shape: channels, height, width of an image; a module does not tell.

    Raises:
        ModelError: there is no such network, or it cannot be read.
        TrainingError: no readable checkpoint.
    """
    if is_float_module(source):
        return exported(*open_module(source, weights_file, image_shape))
    if weights_file is not None:
        raise ModelError("--weights-file is for a model module:PACKAGE:FACTORY; an .onnx file has its weights in it")
    bundled = zoo.bundled_or_file(source)
    if bundled is not None:
        raise ModelError(f"the bundled network {bundled} is quantised already: expected one of floats")
    path = Path(source)
    return read_float_model(read_model(path), readable(path.stem))


@checked
def open_module(
    source: str, weights_file: str | None = None, image_shape: Shape | None = None
) -> tuple[nn.Module, str, Shape]:
    """The float module that ``source`` names, what to call it, and the shape of its images.

    Args:
        source: ``module:PACKAGE:FACTORY``, or a checkpoint of ``fat-fpga train``.
        weights_file, image_shape: of a module, as of `open_float_model`.

    Raises:
        ModelError: there is no such module, or it is quantised.
        TrainingError: no readable checkpoint.
    """
    if not is_module(source):
        if weights_file is not None:
            raise ModelError("--weights-file is for a model module:PACKAGE:FACTORY; a checkpoint has its weights in it")
        return _trained(Path(source))
    if image_shape is None:
        raise ModelError(f"{source}: a module does not tell the shape of an image: give --image-shape C,H,W")
    return load_module(source, weights_file), source.rpartition(":")[2], image_shape


def is_float_module(source: str) -> bool:
    """Whether `open_module` reads what ``source`` names."""
    return is_module(source) or _is_checkpoint(source)


def _is_checkpoint(source: str) -> bool:
    path = Path(source)
    return path.suffix in CHECKPOINTS and path.is_file()


def _trained(path: Path) -> tuple[nn.Module, str, Shape]:
    """The network of a checkpoint of ``fat-fpga train``."""
    from fat_fpga.models import build
    from fat_fpga.training.checkpoint import read_checkpoint

    checkpoint = read_checkpoint(path)
    model = build(checkpoint.identity["model"], checkpoint.identity["classes"])
    checkpoint.load_into(model, None, path)
    if not model.spec.is_float:
        raise ModelError(f"{path}: the network {model.spec.name} is quantised already: expected one of floats")
    return model.eval(), model.spec.name, model.spec.topology.input_shape


def exported(module: nn.Module, name: str, image_shape: Shape) -> FloatModel:
    """The float network that a module of PyTorch is, for images of this shape; ModelError where it cannot be read."""
    from fat_fpga.models.export import export_qonnx

    with TemporaryDirectory() as folder:
        export_qonnx(module, file := Path(folder) / "model.onnx", (1, *image_shape))
        return read_float_model(onnx.load(file), name)
