"""The torch engine by name; what it does is in ``torch_session.py``."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.extras import advice
from fat_fpga.network import Network

_ROWS = {"cpu": 1024, "cuda": 4096}  # of a batch of faults; some 5 GB for CNV


@register
class TorchEngine(Engine):
    """Exact campaigns in PyTorch.

    Args:
        device: ``cpu`` or ``cuda``.
        rows: faults times images that are computed at once; fewer take less memory.

    Raises:
        EngineError: there is no such device, or PyTorch is not installed or cannot use it here.
    """

    name = "torch"
    forms = ("torch", "torch:cuda")

    def __init__(self, device: str = "cpu", rows: int | None = None) -> None:
        if device not in _ROWS:
            raise EngineError(f"the torch engine runs on cpu or cuda, not on '{device}'")
        try:
            import torch
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise EngineError(f"the torch engine needs PyTorch: {advice('train')}") from error
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("torch:cuda: PyTorch finds no CUDA device here; use torch, which runs on the CPU")
        self.device = torch.device(device)
        self.rows = rows or _ROWS[device]

    def with_threads(self, threads: int) -> Engine:
        """Of all torch engines in this process: PyTorch has one number for all."""
        import torch

        torch.set_num_threads(threads)
        return self

    @classmethod
    def of(cls, option: str) -> Engine:
        return cls(option or "cpu")

    def _open(self, network: Network) -> Session:
        from fat_fpga.engines.torch_session import TorchSession

        return TorchSession(self.name, network, self.device, self.rows)
