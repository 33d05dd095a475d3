"""What a campaign runs in a worker: faults on some consecutive images, in a session that is opened once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine, Outcome, Session
from fat_fpga.errors import CampaignError, ModelWarning
from fat_fpga.faults import AnyFault, AnySubject, memory_fingerprint
from fat_fpga.network import Network
from fat_fpga.workers import Job, Words, Work


class Asked(NamedTuple):
    """What a task asks: faults on the images from ``first`` up to ``stop``."""

    faults: Sequence[AnyFault]
    first: int
    stop: int


@dataclass(frozen=True, eq=False)
class CampaignJob(Job):
    """What all chunks have in common.

    Attributes:
        network_fingerprint, dataset_fingerprint: as the campaign's run file has them.
        counting: what is counted beside right and changed classes.
    """

    network: AnySubject
    dataset: Dataset
    engine: Engine
    network_fingerprint: str
    dataset_fingerprint: str
    counting: tuple[str, ...] = ()

    @classmethod
    def of(cls, network: AnySubject, dataset: Dataset, engine: Engine, counting: Sequence[str] = ()) -> CampaignJob:
        return cls(network, dataset, engine, fingerprint(network), dataset.fingerprint, tuple(counting))

    @property
    def words(self) -> Words:
        return Words(
            f"the {self.engine.name} engine",
            "--chunk gives them fewer faults at a time",
            "what is finished is saved, the same command continues",
        )

    def session(self, threads: int) -> Session:
        """A session; CampaignError where network or data are not those that were sent."""
        if fingerprint(self.network) != self.network_fingerprint:
            raise CampaignError(f"it has {self.network.name} with another fingerprint than the campaign's network")
        if self.dataset.fingerprint != self.dataset_fingerprint:
            raise CampaignError(f"it has {self.dataset.name} with another fingerprint than the campaign's data set")
        with warnings.catch_warnings():  # the process of the campaign has told them
            warnings.simplefilter("ignore", ModelWarning)
            return self.engine.with_threads(threads).open(self.network)

    def open(self, threads: int) -> Work:
        session, data = self.session(threads), self.dataset

        def outcome(asked: Asked) -> Outcome:
            part = slice(asked.first, asked.stop)
            return session.run(
                data.images[part],
                data.labels[part],
                asked.faults,
                first_frame=asked.first,
                frames=len(data.images),
                counting=self.counting,
            )

        return outcome


def fingerprint(network: AnySubject) -> str:
    """Of all that a fault can meet, and of what is in the network for good."""
    logic = network.threshold_logic if isinstance(network, Network) else ""
    return f"{network.fingerprint} {memory_fingerprint(network)} {logic}"
