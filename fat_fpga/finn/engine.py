"""The finn engine by name; what it does is in ``session.py``."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError, FinnError
from fat_fpga.network import Network


@register
class FinnEngine(Engine):
    """Raises EngineError at once where FINN is not installed."""

    name = "finn"
    forms = ("finn",)

    def __init__(self) -> None:
        from fat_fpga.finn.setup import prepare

        try:
            prepare()
        except FinnError as error:
            raise EngineError(f"the finn engine: {error}") from error

    def _open(self, network: Network) -> Session:
        from fat_fpga.finn.session import FinnSession

        return FinnSession(self.name, network)
