"""The engine that executes a fixed-point network by the float module that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fat_fpga.engines.block import Block, Streams
from fat_fpga.engines.engine import Engine
from fat_fpga.engines.outcome import Outcome
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnyFault
from fat_fpga.faults.activation import ActivationUpset
from fat_fpga.faults.fault import single_or_set
from fat_fpga.modules.batch import Batch, recorded
from fat_fpga.modules.edits import Edit, edits_of
from fat_fpga.modules.engine import PLAIN, ModuleEngine
from fat_fpga.modules.fixed.given import given, integers
from fat_fpga.modules.formats.fixed import Fixed
from fat_fpga.modules.replay import Replay
from fat_fpga.modules.session import ModuleSession
from fat_fpga.network import Network
from fat_fpga.network.network import INPUT

if TYPE_CHECKING:
    from fat_fpga.modules.fixed.addresses import Addresses
    from fat_fpga.modules.subject import ModuleSubject

ROWS = 16
"""Images of a batch: sums are exact, so any number gives the same."""


class FixedModuleEngine(Engine):
    """Executes one network, by a module. `fat_fpga.modules.fixed.pair.FixedPair.engine` makes it.

    Args:
        network: the only one that it executes.
        subject: the module in float64.
        addresses: where the faults of the network are in it.
        plain: take no short cut.
    """

    name = "module"
    forms = ("module", f"module:{PLAIN}")

    def __init__(self, network: Network, subject: ModuleSubject, addresses: Addresses, plain: bool = False) -> None:
        self._network, self._subject, self._addresses = network, subject, addresses
        self._inner = ModuleEngine(plain, ROWS)

    def with_threads(self, threads: int) -> Engine:
        """Of PyTorch in this process."""
        self._inner.with_threads(threads)
        return self

    def _open(self, network: Network) -> Session:
        if network.fingerprint != self._network.fingerprint:
            raise EngineError(f"this engine executes {self._network.name} alone, and {network.name} is another")
        session = self._inner.open(self._subject)
        assert isinstance(session, ModuleSession)
        return FixedModuleSession(network, session, self._addresses)


class FixedModuleSession(Session):
    """Executes a network by a module.

    Args:
        network: what faults and streams are named after.
        inner: of the module.
        addresses: where the faults of the network are in it.
    """

    def __init__(self, network: Network, inner: ModuleSession, addresses: Addresses) -> None:
        super().__init__(FixedModuleEngine.name, network)
        self._inner, self._addresses = inner, addresses
        self._kept: tuple[Block, Batch, Replay] | None = None

    def refuses(self, fault: AnyFault) -> str | None:
        """Why the module does not have this fault."""
        try:
            self._of_module(fault)
        except EngineError as error:
            return str(error)
        return None

    def prepare(self, faults: Sequence[AnyFault]) -> list[AnyFault]:
        return self._inner.prepare([self._of_module(fault) for fault in faults])

    def compute(self, block: Block, asked: list[AnyFault]) -> Outcome:
        return self._inner.compute(block, asked)

    def show(self, block: Block, fault: AnyFault | None) -> Streams:
        """The streams that modules give as words."""
        subject, count = self._inner.module, len(block.images)
        streams = {place: found for place, found in self._addresses.streams.items() if found.place != INPUT}
        with subject.loaded():
            batch, run = self._run(block)
            edits: list[Edit] = []
            if fault is not None:
                own = self._of_module(fault)
                edits = edits_of(subject, own, block.first_frame, count, batch.first_row)
            with given(subject.modules, {found.place for found in streams.values()}) as seen:
                run.output(edits) if edits else run.anew()
        rows = slice(batch.first_row, batch.first_row + count)
        shown: Streams = {}
        for place, found in streams.items():
            form = subject.sites[found.place, ActivationUpset.kind].format
            assert isinstance(form, Fixed)
            words = integers(seen[found.place, found.call][rows], form.fraction)
            shown[place] = words.cpu().numpy().astype(np.int32).reshape(count, *found.dims)
        return shown

    def _run(self, block: Block) -> tuple[Batch, Replay]:
        """The batch of a block, and a run on it in which everything is computed; kept for further faults on it."""
        kept = self._kept
        if kept is None or (kept[0].first_frame, len(kept[0].images)) != (block.first_frame, len(block.images)) or (
            kept[0].images != block.images
        ).any():  # fmt: skip
            batch = Batch.of(self._inner.module, block.images, block.first_frame, self._inner.rows)
            run = Replay(self._inner.module, batch.tensor, recorded(self._inner.module, batch.tensor), reuse=False)
            kept = self._kept = block, batch, run
        return kept[1], kept[2]

    def _blocks(self, images: int, first_frame: int) -> list[slice]:
        return self._inner._blocks(images, first_frame)

    def _of_module(self, fault: AnyFault) -> AnyFault:
        return single_or_set(self._addresses.fault(part) for part in fault.faults)
