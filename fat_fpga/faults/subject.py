"""What takes faults and is no integer network: it brings places of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy.typing as npt

from fat_fpga.network import Network
from fat_fpga.network.layers import Shape

if TYPE_CHECKING:
    from fat_fpga.faults.place import Place


class SubjectInput(Protocol):
    """What data a subject takes."""

    @property
    def shape(self) -> Shape:
        """Channels, height, width of one row; axes that the data do not have are 1."""

    def taken(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows [N, ...] as the subject takes them; DataError where it does not."""


class Subject(ABC):
    """Something other than a `Network` that campaigns put faults into, as a PyTorch module.

    It has a name, an identity, places and classes, and the names that both kinds share are those of `Network`.

    Attributes:
        name: what to call it in tables.
        engine: name of the engine that executes it.
        fault: text of a fault that is in it for good: none ever is.
        outputs: what outputs are worth where they are no class scores: they always are.
    """

    name: str
    engine: ClassVar[str]
    fault: ClassVar[str] = ""
    outputs: ClassVar[None] = None

    @property
    def fault_free(self) -> Subject:
        """Itself."""
        return self

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over all that decides the function."""

    @property
    @abstractmethod
    def memory_fingerprint(self) -> str:
        """SHA-256 over the function and over how its words stand in bits."""

    @property
    @abstractmethod
    def classes(self) -> int:
        """Number of classes."""

    @property
    @abstractmethod
    def input(self) -> SubjectInput:
        """What data it takes."""

    @property
    @abstractmethod
    def places(self) -> Mapping[str, Place]:
        """Every place by name, in order; the input first."""

    @abstractmethod
    def unknown(self, name: str) -> str:
        """What to say of a place that it does not have: names that are near."""


AnySubject = Network | Subject
"""What campaigns put faults into."""
