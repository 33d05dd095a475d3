"""What a MODEL argument means."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.errors import ModelError

if TYPE_CHECKING:
    from fat_fpga.engines import Engine
    from fat_fpga.network import Network


def load_model(args: argparse.Namespace, faulty: bool = False, *engines: Engine) -> Network:
    """The network that ``args.model`` is for `fat_fpga.network.load_network`, with thresholds as it was built
    (``--thresholds``).

    Args:
        faulty: whether one with a fault built in will do.
        engines: what executes it.

    Raises:
        ModelError: neither exists, or the file is none that can be lowered; or ``--thresholds`` does not fit it.
    """
    from fat_fpga.foreign_module import is_module
    from fat_fpga.network import load_network

    if is_module(args.model):
        raise ModelError(f"{args.model} is a PyTorch module, which campaign, sweep and faults take, and this does not")
    network = load_network(
        args.model, pixels=args.pixels, image_shape=args.image_shape, normalise=args.normalise, outputs=args.outputs
    )
    if network.fault and not faulty:
        raise ModelError(
            f"{args.model} has the fault {network.fault} built in: give the model without it (campaign, crosscheck, "
            "trace, info and faults take it as it is)"
        )
    return _as_built(network, args.model, getattr(args, "thresholds", None), engines)


def _as_built(network: Network, model: str, how: str | None, engines: Sequence[Engine]) -> Network:
    """The network with thresholds as ``--thresholds`` or a build says."""
    from fat_fpga.network.as_built import read_logics

    if how is not None and Path(how).is_dir():
        logics = read_logics(how, network.fingerprint)
        if logics is None:
            raise ModelError(
                f"--thresholds {how}: expected the folder of a board or FINN build of {network.name}, with board.json "
                "or thresholds.json of this network in it"
            )
        return network.with_threshold_logic(logics)
    if how is not None:
        try:
            return network.with_threshold_logic(how)
        except ModelError as error:
            raise ModelError(f"--thresholds: {error}; or the folder of a build") from error
    for engine in engines:
        if engine.threshold_logics:
            return network.with_threshold_logic(engine.threshold_logics)
    logics = read_logics(Path(model).parent, network.fingerprint) if Path(model).is_file() else None
    return network if logics is None else network.with_threshold_logic(logics)


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
    bundled = zoo.bundled_or_file(args.model)
    if bundled is None:
        return FileEngine(path, args.pixels, args.image_shape, args.normalise, args.outputs)
    with tempfile.TemporaryDirectory() as folder:
        zoo.write_onnx(bundled, path := Path(folder) / f"{bundled}.onnx")
        return FileEngine(path)
