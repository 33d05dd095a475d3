"""Opening a board by its folder: a real one where there is a bitstream, else the simulated one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fat_fpga.arguments import checked
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.description import Description
from fat_fpga.board.device import Device
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import THRESHOLDS
from fat_fpga.board.pynq_device import PynqDevice
from fat_fpga.board.session import BoardSession
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.errors import BoardError
from fat_fpga.network.network import Network
from fat_fpga.network.network_file import read_network

FOLDERS = "FAT_FPGA_BOARDS"
"""Environment variable: where folders of boards are looked for, beside the current one."""


@dataclass(frozen=True)
class Board:
    """An accelerator that is ready.

    Attributes:
        network: what runs on it.
        device: the board, or the simulated one.
        engine: runs faults on it; an engine of `fat_fpga.campaign.run_campaign`.
        simulated: whether it is simulated.
    """

    network: Network
    device: Device
    engine: BoardEngine
    simulated: bool

    @property
    def session(self) -> BoardSession:
        """The engine, opened for the network that runs on the board."""
        session = self.engine.open(self.network)
        assert isinstance(session, BoardSession)
        return session


@checked
def open_board(folder: str | os.PathLike[str], channels_by: str = THRESHOLDS) -> Board:
    """Program and check the board in ``folder``: ``board.json``, ``network.npz``, and a bitstream or ``libboard.so``.

    Args:
        folder: a path, or a name in the folder that FAT_FPGA_BOARDS names. The bitstream is there or, as in FINN's
            deployment packages, in ``bitfile``.
        channels_by: how channels are stuck where a unit has both means: ``thresholds``, or ``saboteur``.

    Raises:
        BoardError: there is no such board, or it is not what its description says.
        ModelError: the network file is damaged.
    """
    places = [Path(folder), Path(os.environ.get(FOLDERS, ".")) / folder]
    found = next((place for place in places if (place / "board.json").is_file()), None)
    if found is None:
        raise BoardError(
            f"no board.json in {' or '.join(map(str, places))}: a build writes it; name its folder, or set {FOLDERS}"
        )
    description = Description.read(found / "board.json")
    bitfiles = sorted([*found.glob("*.bit"), *found.glob("bitfile/*.bit")])
    if len(bitfiles) > 1:
        raise BoardError(f"{found} has {len(bitfiles)} bitstreams, expected one: {', '.join(map(str, bitfiles))}")
    device: Device = PynqDevice(bitfiles[0], description) if bitfiles else SimulatedBoard(found)
    engine = BoardEngine(Accelerator(device, description, channels_by))
    network = read_network(found / "network.npz").with_threshold_logic(description.threshold_logics)
    return Board(network, device, engine, not bitfiles)
