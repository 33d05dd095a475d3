"""Engines by name; each is imported only when asked for."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.errors import EngineError
from fat_fpga.extras import advice, installed

NAMES = ("native", "reference", "torch", "qonnx", "file", "finn")


def default_judges() -> list[str]:
    """Engines that a cross-check takes by default: those that are installed here."""
    return ["native", "torch" if installed("torch") else "reference", "qonnx"]


def get(name: str = "native") -> Engine:
    """The engine called ``name``; ``torch:cuda`` is the torch engine on a GPU, ``file:PATH`` executes the file that the
    network comes from, ``board:FOLDER`` is a board, or a simulated one.

    Raises:
        EngineError: there is no such engine, or it cannot run on this machine.
        BoardError: there is no such board, or it is not what its description says.
    """
    engine, _, option = name.partition(":")
    if engine == "torch":
        return _torch(option or "cpu")
    if engine == "board" and option:
        from fat_fpga.board import open_board

        return open_board(option).engine
    if engine == "file":
        return _file(option)
    if option or engine not in NAMES:
        raise EngineError(f"unknown engine '{name}': known are {', '.join(NAMES)}, torch:cuda and board:FOLDER")
    if engine == "reference":
        from fat_fpga.engines.reference import ReferenceEngine

        return ReferenceEngine()
    if engine == "qonnx":
        from fat_fpga.engines.qonnx_engine import QonnxEngine

        return QonnxEngine()
    if engine == "finn":
        from fat_fpga.finn.engine import FinnEngine

        return FinnEngine()
    from fat_fpga.engines.native_engine import NativeEngine

    return NativeEngine()


def _torch(device: str) -> Engine:
    try:
        from fat_fpga.engines.torch_engine import TorchEngine
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise EngineError(f"the torch engine needs PyTorch: {advice('train')}") from error
    return TorchEngine(device)


def _file(path: str) -> Engine:
    if not path:
        raise EngineError("the file engine needs the network's file: file:PATH")
    from fat_fpga.engines.file_engine import FileEngine

    return FileEngine(path)
