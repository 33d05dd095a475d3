"""Opening an ONNX file for lowering."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx

from fat_fpga.errors import ModelError
from fat_fpga.network.layers import Shape
from fat_fpga.network.lowering.built_in import check_fault_free, fault_in, without_fault
from fat_fpga.network.lowering.pixels import Pixels
from fat_fpga.network.lowering.sites import Sites
from fat_fpga.network.lowering.walk import lower_with_sites
from fat_fpga.network.network import Network


def load(path: Path, name: str | None = None, pixels: Pixels = "auto", image_shape: Shape | None = None) -> Network:
    """See `fat_fpga.network.load_network`."""
    return load_with_sites(path, name, pixels, image_shape)[0]


def load_with_sites(
    path: Path, name: str | None = None, pixels: Pixels = "auto", image_shape: Shape | None = None
) -> tuple[Network, Sites, onnx.ModelProto]:
    """The network in a file, where its parts are in the file's model, and that model."""
    try:
        model = onnx.load(path)
    except OSError as error:
        raise ModelError(f"cannot read network file {path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf and onnx have many
        raise ModelError(f"{path} is not an ONNX file, or is damaged: {error}") from error
    try:
        fault = fault_in(model)
        model = without_fault(model) if fault else model
        network, sites = lower_with_sites(model, name or path.stem, pixels, image_shape)
        if fault:
            check_fault_free(model, network.fingerprint)
        return replace(network, fault=fault) if fault else network, sites, model
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
