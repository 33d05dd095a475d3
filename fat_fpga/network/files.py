"""Reading and writing network files. The ONNX packages are loaded when a file is, not before."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.network.layers import Shape
from fat_fpga.network.network import Network

if TYPE_CHECKING:
    from fat_fpga.network.lowering.pixels import Pixels


@checked
def load_network(
    path: str | PathLike[str],
    name: str | None = None,
    *,
    pixels: Pixels = "auto",
    image_shape: Shape | None = None,
) -> Network:
    """Read a QONNX file and lower it to integers.

    Three forms of file give the same network: straight from Brevitas's ``export_qonnx``, the same behind qonnx's
    ``cleanup``, and FINN form (integer weights, MultiThreshold). Files of QuantizeLinear and DequantizeLinear are read
    as well. A `fat_fpga.errors.ModelWarning` tells what can be executed, but may not be meant.

    Args:
        name: what to call the network; the file's stem by default.
        pixels: what the file expects of a pixel. ``auto`` takes ``raw`` where the file annotates its input as UINT8,
            has it as an integer type, or divides it by 255 or 256 at once; else ``unit``: the float32 quotient of pixel
            and 255, as torchvision's ToTensor gives it.
        image_shape: channels, height, width of an image, where the file's input is flat, as [N, 784], and does not
            tell. A flat input that the file reshapes at once has the shape that it is reshaped to; any other flat
            input of F values is taken as an image of [F, 1, 1].

    Raises:
        ModelError: there is no such file, it is not ONNX, or it cannot be executed exactly on integers; the message
            names the node, its operator and the reason.
    """
    from fat_fpga.network.lowering.load import load

    return load(Path(path), name, pixels, image_shape)


@checked
def write_qonnx(network: Network, path: str | PathLike[str]) -> None:
    """Write a network as a QONNX file in FINN form.

    The file takes pixels 0..255 (annotated UINT8) in a float32 tensor [1, C, H, W] and yields the class scores,
    float32 [1, classes]. qonnx executes it to the same integers at every layer, and loading it gives the same network.
    The file appears whole or not at all.

    Raises:
        ModelError: the input table of the network does not ascend, which thresholds cannot express.
        OSError: the file cannot be written.
    """
    from fat_fpga.network.write import write

    write(network, Path(path))
