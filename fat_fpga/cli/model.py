"""What a MODEL argument means."""

from __future__ import annotations

import argparse
import os
import tempfile
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.engines import Engine
    from fat_fpga.network import Network

CHECKPOINTS = (".pt", ".pth", ".ckpt")
"""How files of PyTorch are called, which hold weights and no graph."""


def load_model(args: argparse.Namespace, faulty: bool = False) -> Network:
    """The network in the file ``args.model``, or the bundled one of that name; a file goes before a name.

    Args:
        faulty: whether one with a fault built in will do.

    Raises:
        ModelError: neither exists, or the file is none that can be lowered.
    """
    network = _load(args)
    if network.fault and not faulty:
        raise ModelError(
            f"{args.model} has the fault {network.fault} built in: give the model without it (campaign, crosscheck, "
            "trace, info and faults take it as it is)"
        )
    return network


def _load(args: argparse.Namespace) -> Network:
    from fat_fpga.network import load_network

    if Path(args.model).suffix == ".npz":  # of a board's folder; needs no ONNX
        from fat_fpga.board.network_file import read_network

        return read_network(args.model)
    if Path(args.model).suffix in CHECKPOINTS and Path(args.model).is_file():
        raise ModelError(
            f"{args.model} is a checkpoint of PyTorch: write a model file first, with fat-fpga export {args.model} "
            f"-o {Path(args.model).stem}.onnx for one of fat-fpga train, or else with Brevitas's export_qonnx"
        )
    if is_file(args.model):
        return load_network(args.model, pixels=args.pixels, image_shape=args.image_shape)
    return load_bundled(bundled_name(args.model, f"file '{args.model}'"))


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is something that can be read; a folder cannot, so one may be called as a bundled network."""
    return Path(path).exists() and not Path(path).is_dir()


def bundled_name(text: str, otherwise: str) -> str:
    """The bundled network that ``text`` names, with hyphens or underscores.

    Raises:
        ModelError: there is none; ``otherwise`` is what else was looked for in vain.
    """
    from fat_fpga.models import zoo

    name = text.replace("-", "_")
    if name not in zoo.bundled():
        near = get_close_matches(name, zoo.bundled(), 1)
        raise ModelError(
            f"no {otherwise}, and no bundled network of that name: there are {', '.join(zoo.bundled()) or 'none'}"
            + (f"; did you mean {near[0]}?" if near else "")
        )
    return name


def get_engine(args: argparse.Namespace, name: str) -> Engine:
    """The engine called ``name``; ``file`` executes the file ``args.model``, or the file of the bundled network.

    Raises:
        EngineError: there is no such engine.
        ModelError: the model is no ONNX file.
    """
    from fat_fpga.engines import get

    if name != "file":
        return get(name, getattr(args, "threads", None))
    from fat_fpga.engines.file_engine import FileEngine
    from fat_fpga.models import zoo

    path = Path(args.model)
    if path.suffix == ".npz":
        raise ModelError(f"{path} is no ONNX file, which the file engine executes")
    if is_file(path):
        return FileEngine(path, args.pixels, args.image_shape)
    bundled = bundled_name(args.model, f"file '{args.model}'")
    with tempfile.TemporaryDirectory() as folder:
        zoo.write_onnx(bundled, path := Path(folder) / f"{bundled}.onnx")
        return FileEngine(path)


def load_bundled(name: str) -> Network:
    """The network that comes with the package under this name."""
    from fat_fpga.models import zoo
    from fat_fpga.network import load_network

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        zoo.write_onnx(name, path)
        return load_network(path)
