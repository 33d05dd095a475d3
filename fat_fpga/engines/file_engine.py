"""The file engine by name; what it does is in ``file_session.py``."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.network import Network
from fat_fpga.network.layers import Shape

if TYPE_CHECKING:
    from fat_fpga.network.lowering.pixels import Normalise, Outputs, Pixels


@register
class FileEngine(Engine):
    """Executes a QONNX file.

    Args:
        path: the file.
        pixels, image_shape, normalise, outputs: as for `fat_fpga.network.load_network`.

    Attributes:
        network: what the file is, without a fault that is in it.

    Raises:
        ModelError: the file cannot be read or lowered.
    """

    name = "file"
    forms = ("file:PATH",)

    def __init__(
        self, path: str | PathLike[str], pixels: Pixels = "auto", image_shape: Shape | None = None,
        normalise: Normalise | None = None, outputs: Outputs = "auto",
    ) -> None:  # fmt: skip
        from fat_fpga.engines.file_session import File

        self._file = File.read(Path(path), pixels, image_shape, normalise, outputs)
        self.network = self._file.network

    @classmethod
    def of(cls, option: str) -> Engine:
        if not option:
            raise EngineError("the file engine needs the network's file: file:PATH")
        return cls(option)

    def _open(self, network: Network) -> Session:
        from fat_fpga.engines.file_session import FileSession

        return FileSession(self.name, network, self._file)
