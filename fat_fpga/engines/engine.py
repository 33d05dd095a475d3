"""What an engine is: a way to execute networks. It opens a session for a network, and the session does the work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from fat_fpga.engines.present import Present
from fat_fpga.engines.session import Session
from fat_fpga.errors import EngineError
from fat_fpga.faults import AnySubject, Subject
from fat_fpga.network import Network


class Engine(ABC):
    """A way to execute networks, fault-free and under faults. All engines give the same answer to the last bit.

    A subclass registers itself (`fat_fpga.engines.registry.register`) and is then known by name everywhere.

    Attributes:
        name: the word that ``--engine`` takes.
        forms: how it may be written, for messages: ``("torch", "torch:cuda")``.
    """

    name: ClassVar[str]
    forms: ClassVar[tuple[str, ...]]

    @classmethod
    def of(cls, option: str) -> Engine:
        """The engine with an option, the text behind the colon in ``name:option``; empty where there is none.

        Raises:
            EngineError: there is no such option, or the engine cannot run on this machine.
        """
        if option:
            raise EngineError(f"the {cls.name} engine takes no option, got '{option}': write {' or '.join(cls.forms)}")
        return cls()

    def with_threads(self, threads: int) -> Engine:
        """The engine on so many threads of the CPU; itself where it has no such number."""
        return self

    @property
    def threshold_logics(self) -> Mapping[str, str]:
        """How layers find levels (`Network.threshold_logics`) in the hardware that the engine is; empty where it does
        what the network says."""
        return {}

    def open(self, network: AnySubject) -> Session:
        """A session on ``network``. What is expensive to make of a network is kept: opening it again is cheap.

        A network with a fault in it for good is executed with that fault, in every run.

        Raises:
            EngineError: the engine cannot execute this network, or something that it needs is not installed.
        """
        if isinstance(network, Subject):
            raise EngineError(
                f"the {self.name} engine executes integer networks, and {network.name} is none: take the "
                f"{network.engine} engine, which is the default for it"
            )
        session = self._open(network.fault_free)
        return Present(session, network) if network.fault else session

    @abstractmethod
    def _open(self, network: Network) -> Session:
        """A session on a network without a fault in it."""
