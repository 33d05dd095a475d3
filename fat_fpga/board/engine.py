"""The board engine by name; what it does is in ``session.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.errors import EngineError
from fat_fpga.network import Network

if TYPE_CHECKING:
    from fat_fpga.board.accelerator import Accelerator
    from fat_fpga.board.session import BoardSession
    from fat_fpga.board.voter import Disagreement


@register
class BoardEngine(Engine):
    """Runs faults on a board; give it to `fat_fpga.campaign.run_campaign` as the engine.

    A board holds one network, and does one thing at a time: whoever opens it gets the same session.
    """

    name = "board"
    forms = ("board:FOLDER",)

    def __init__(self, accelerator: Accelerator) -> None:
        from fat_fpga.board.session import Log

        self.accelerator = accelerator
        self._log = Log()
        self._session: BoardSession | None = None

    @classmethod
    def of(cls, option: str) -> Engine:
        from fat_fpga.board.opening import open_board

        if not option:
            raise EngineError("the board engine needs the folder of a board: board:FOLDER")
        return open_board(option).engine

    @property
    def threshold_logics(self) -> Mapping[str, str]:
        return self.accelerator.description.threshold_logics

    @property
    def disagreements(self) -> dict[str, dict[str, list[Disagreement]]]:
        """What voters saw, by fault and by voter; only where copies disagreed."""
        return self._log.disagreements

    @property
    def restarts(self) -> list[str]:
        """Why the board was programmed anew, each time."""
        return self._log.restarts

    def _open(self, network: Network) -> BoardSession:
        from fat_fpga.board.session import BoardSession

        opened = BoardSession(self.name, network, self.accelerator, self._log)
        if self._session is None:
            self._session = opened
        return self._session
