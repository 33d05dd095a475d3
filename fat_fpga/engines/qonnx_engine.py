"""The qonnx engine by name; what it does is in ``qonnx_session.py``."""

from __future__ import annotations

from fat_fpga.engines.engine import Engine
from fat_fpga.engines.registry import register
from fat_fpga.engines.session import Session
from fat_fpga.network import Network


@register
class QonnxEngine(Engine):
    name = "qonnx"
    forms = ("qonnx",)

    def _open(self, network: Network) -> Session:
        from fat_fpga.engines.qonnx_session import QonnxSession

        return QonnxSession(self.name, network)
