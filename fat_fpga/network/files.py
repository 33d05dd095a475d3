"""Reading and writing network files. The ONNX packages are loaded when a file is, not before."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.arguments import checked
from fat_fpga.errors import ModelError
from fat_fpga.foreign import Model
from fat_fpga.network.layers import Shape
from fat_fpga.network.network import Network
from fat_fpga.network.network_file import read_network

if TYPE_CHECKING:
    from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels

CHECKPOINTS = (".pt", ".pth", ".ckpt")
"""How files of PyTorch are called, which hold weights and no graph."""


@checked
def load_network(
    source: str | PathLike[str] | Model,
    name: str | None = None,
    *,
    pixels: Pixels = "auto",
    image_shape: Shape | None = None,
    normalise: Normalise | None = None,
    outputs: Outputs = "auto",
) -> Network:
    """Read a network and lower it to integers.

    >>> load_network("cnv_w1a1")
    <Network cnv_w1a1: 3x32x32 pixels, 11 layers, 10 classes>

    Three forms of file give the same network: straight from Brevitas's ``export_qonnx``, the same behind qonnx's
    ``cleanup``, and FINN form (integer weights, MultiThreshold). Files of QuantizeLinear and DequantizeLinear are read
    as well. A `fat_fpga.errors.ModelWarning` tells what can be executed, but may not be meant.

    Args:
        source: a QONNX file; the ``.npz`` of a board's folder (`fat_fpga.network.network_file`), which needs no ONNX;
            the name of a bundled network, if there is no such file; or a model in memory, which is left as it is:
            ``onnx.ModelProto``, qonnx's ``ModelWrapper``, or a Brevitas network as ``torch.nn.Module``, which is
            exported in evaluation mode and needs ``image_shape`` and the extra ``train``.
        name: what to call the network; by default the file's stem, the bundled network's name, the class of a module or
            the name of a graph.
        pixels: what the file expects of a pixel. ``auto`` takes ``raw`` where the file annotates its input as UINT8,
            has it as an integer type, or divides it by 255 or 256 at once; else ``unit``: the float32 quotient of pixel
            and 255, as torchvision's ToTensor gives it. ``none``: no pixels, but integers of the datatype that the
            file gives its input, or real values; a QONNX datatype, as ``INT8``: integers of it. ``auto`` takes that
            for an annotation other than UINT8, for int8, and for inputs [N, C, L].
        image_shape: channels, height, width of an image, where the file's input is flat, as [N, 784], and does not
            tell, and of a torch module. A flat input that the file reshapes at once has the shape that it is
            reshaped to; any other flat input of F values is taken as an image of [F, 1, 1].
        normalise: means and standard deviations, one number or one for each channel: the file takes
            ``(pixel / 255 - mean) / std`` in float32, as torchvision's Normalize gives it.
        outputs: ``classes``, or ``values``, which are no class scores: a regression, an autoencoder. ``auto`` takes
            values where the output has height or width.

    Raises:
        ModelError: there is no such file or bundled network, it is not ONNX, or it cannot be executed exactly on
            integers; the message names the node, its operator and the reason.
    """
    if not isinstance(source, str | PathLike):
        from fat_fpga.network.in_memory import load_model

        return load_model(source, name, pixels, image_shape, normalise, outputs)
    path = Path(source)
    if path.suffix == ".npz":
        network = read_network(path)
        return replace(network, name=name) if name else network
    if path.suffix in CHECKPOINTS and path.is_file():
        raise ModelError(
            f"{path} is a checkpoint of PyTorch: write a model file first, with fat-fpga export {path} "
            f"-o {path.stem}.onnx for one of fat-fpga train, or else with Brevitas's export_qonnx"
        )
    from fat_fpga.models import zoo
    from fat_fpga.network.lowering.load import load, load_bundled

    bundled = zoo.bundled_or_file(source)
    return load(path, name, pixels, image_shape, normalise, outputs) if bundled is None else load_bundled(bundled, name)


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
