"""Writing the integer network as a QONNX file in FINN form."""

from __future__ import annotations

from pathlib import Path

import onnx

from fat_fpga.errors import ModelError
from fat_fpga.files import replacing
from fat_fpga.network.network import Network
from fat_fpga.network.writer import Writer
from fat_fpga.network.written_layers import write_layer


def write(network: Network, path: Path) -> None:
    """See `fat_fpga.network.write_qonnx`."""
    data = to_qonnx(network).SerializeToString()
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def to_qonnx(network: Network) -> onnx.ModelProto:
    """The network as an ONNX model; see `fat_fpga.network.write_qonnx`."""
    if network.fault:
        raise ModelError(f"{network.name} has the fault {network.fault} in it: write the network without it")
    writer = Writer(network)
    for position, layer in enumerate(network.layers):
        writer.read(network.inputs[layer.name][0])
        write_layer(layer, writer, position)
        writer.made(layer.name)
    return writer.model()
