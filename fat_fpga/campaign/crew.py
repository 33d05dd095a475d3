"""Who computes the chunks of a campaign. The campaign gives chunks and takes results; it alone writes the run file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Outcome, Session
from fat_fpga.faults import AnyFault

Tell = Callable[[int, str], None]
"""Called with the faulty inferences that are finished beyond those of taken chunks, and words on the crew."""


class Portion(NamedTuple):
    """How much work a chunk is to be.

    Attributes:
        faults: how many, at least one.
        parts: into how many runs of consecutive images it is cut.
    """

    faults: int
    parts: int = 1


@dataclass(frozen=True, eq=False)
class Chunk:
    """A finished chunk.

    Attributes:
        positions: of its faults in the ordered fault list.
        outcome: of these faults on all images.
        seconds: that one worker would have computed it all in.
    """

    positions: Sequence[int]
    outcome: Outcome
    seconds: float


class Crew(ABC):
    """Computes chunks of faults; several at a time where there are several workers. A context manager."""

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:  # noqa: B027
        """Let go of what is not taken."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether a chunk was given that is not taken yet."""

    @property
    @abstractmethod
    def free(self) -> bool:
        """Whether it should be given another chunk now."""

    @abstractmethod
    def portion(self, waiting: int, size: int) -> Portion:
        """What the next chunk should be.

        Args:
            waiting: faults that are not given yet.
            size: faults that one worker does in the time that a chunk should take.
        """

    @abstractmethod
    def give(self, positions: Sequence[int], faults: Sequence[AnyFault], parts: int) -> None:
        """Have these faults done, in so many parts."""

    @abstractmethod
    def take(self, tell: Tell) -> Chunk:
        """The chunk that is finished next; each that was given is returned once.

        Raises:
            CampaignError: the crew cannot go on.
        """


class Alone(Crew):
    """This process: one chunk at a time, computed when it is taken."""

    def __init__(self, session: Session, dataset: Dataset, counting: Sequence[str] = ()) -> None:
        self._session, self._dataset, self._counting = session, dataset, counting
        self._given: tuple[Sequence[int], Sequence[AnyFault]] | None = None

    @property
    def busy(self) -> bool:
        return self._given is not None

    @property
    def free(self) -> bool:
        return self._given is None

    def portion(self, waiting: int, size: int) -> Portion:
        return Portion(min(waiting, size))

    def give(self, positions: Sequence[int], faults: Sequence[AnyFault], parts: int) -> None:
        assert self._given is None and parts == 1, "one chunk at a time, on all images"  # noqa: PT018
        self._given = positions, faults

    def take(self, tell: Tell) -> Chunk:
        assert self._given is not None, "nothing was given"
        positions, faults = self._given
        started = perf_counter()
        outcome = self._session.run(
            self._dataset.images,
            self._dataset.labels,
            faults,
            progress=lambda images: tell(len(faults) * images, ""),
            counting=self._counting,
        )
        self._given = None
        return Chunk(positions, outcome, perf_counter() - started)
