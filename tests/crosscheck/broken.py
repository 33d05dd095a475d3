"""Engines that are wrong, or refuse, on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fat_fpga.engines import Outcome, Session
from fat_fpga.engines.block import Streams
from fat_fpga.engines.images import Images, Labels
from fat_fpga.engines.reference import ReferenceEngine, ReferenceSession
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network


class BrokenEngine(ReferenceEngine):
    """The reference engine, but for what it is told to spoil.

    Args:
        spoil: changes the streams of a fault in place.
        predict: which fault gets another predicted class for the last image.
        refuses: kinds of fault that it does not take; blind: kinds whose streams it does not show.
    """

    def __init__(
        self,
        spoil: Callable[[AnyFault | None, Streams], None] = lambda fault, streams: None,
        predict: AnyFault | None = None,
        refuses: Sequence[str] = (),
        blind: Sequence[str] = (),
    ) -> None:
        self.spoil, self.predict, self.refused, self.blind = spoil, predict, refuses, blind

    def _open(self, network: Network) -> Session:
        return BrokenSession(self, network)


class BrokenSession(ReferenceSession):
    def __init__(self, engine: BrokenEngine, network: Network) -> None:
        super().__init__(engine.name, network)
        self._engine = engine

    def run(self, images: Images, labels: Labels, faults: Sequence[AnyFault], **options: Any) -> Outcome:
        for fault in faults:
            if fault.kind in self._engine.refused:
                raise EngineError(f"no {fault.kind} here")
        outcome = super().run(images, labels, faults, **options)
        assert outcome.predictions is not None
        table = outcome.predictions.copy()
        for f, fault in enumerate(faults):
            if fault == self._engine.predict:
                table[f, -1] += 1
        return replace(outcome, predictions=table)

    def trace(self, images: Images, fault: AnyFault | None = None, **options: Any) -> Streams:
        if fault is not None and fault.kind in self._engine.blind:
            raise EngineError("no windows")
        streams = {place: np.array(stream) for place, stream in super().trace(images, fault, **options).items()}
        self._engine.spoil(fault, streams)
        return streams
