"""The module engine by name; what it does is in ``session.py``."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.extras import advice, installed
from fat_fpga.faults import AnySubject
from fat_fpga.network import Network

PLAIN = "plain"
ROWS = 64


@register
class ModuleEngine(Engine):
    """PyTorch modules as they are; the default of `fat_fpga.modules.ModuleSubject`.

    Args:
        plain: take no short cut.
        rows: images of a batch.

    Raises:
        EngineError: PyTorch is not installed.
    """

    name = "module"
    forms = ("module", "module:plain")

    def __init__(self, plain: bool = False, rows: int = ROWS) -> None:
        if not installed("torch"):
            raise EngineError(f"the module engine needs PyTorch: {advice('train')}")
        if rows < 1:
            raise EngineError(f"a batch has at least one image, got {rows}")
        self.plain, self.rows = plain, rows

    @classmethod
    def of(cls, option: str) -> Engine:
        if option not in ("", PLAIN):
            raise EngineError(f"the module engine takes the option {PLAIN}, got '{option}'")
        return cls(option == PLAIN)

    def with_threads(self, threads: int) -> Engine:
        """Of PyTorch in this process."""
        import torch

        torch.set_num_threads(threads)
        return self

    def open(self, network: AnySubject) -> Session:
        from fat_fpga.modules.session import ModuleSession
        from fat_fpga.modules.subject import ModuleSubject

        if not isinstance(network, ModuleSubject):
            raise EngineError(
                f"the module engine executes PyTorch modules, and {network.name} is an integer network: take native, "
                "torch or another engine"
            )
        return ModuleSession(self.name, network, self.rows, self.plain)

    def _open(self, network: Network) -> Session:
        return self.open(network)
