"""Opening an ONNX file for lowering."""

from __future__ import annotations

from pathlib import Path

import onnx

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.pixels import Pixels
from fat_fpga.network.lowering.walk import lower
from fat_fpga.network.network import Network


def load(path: Path, name: str | None = None, pixels: Pixels = "auto", image_shape: Shape | None = None) -> Network:
    """See `fat_fpga.network.load_network`."""
    try:
        model = onnx.load(path)
    except OSError as error:
        raise ModelError(f"cannot read network file {path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf and onnx have many
        raise ModelError(f"{path} is not an ONNX file, or is damaged: {error}") from error
    try:
        return lower(model, name or path.stem, pixels, image_shape)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
