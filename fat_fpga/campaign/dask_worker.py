"""What a campaign runs in a worker process of Dask: a session that is opened once, and chunks of faults in it.

What comes to a worker comes as bytes, which are looked into after the worker is known to have the same fat_fpga.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import NamedTuple

from fat_fpga import __version__
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Engine, Outcome, Session
from fat_fpga.errors import CampaignError, ModelWarning
from fat_fpga.faults import AnyFault, memory_fingerprint
from fat_fpga.network import Network


class Code(NamedTuple):
    """Which fat_fpga a process has.

    Attributes:
        version: of the package.
        sources: SHA-256 over its Python sources: two checkouts of one version may differ.
    """

    version: str
    sources: str

    def __str__(self) -> str:
        return f"{self.version} ({self.sources[:8]})"


class Part(NamedTuple):
    """What a worker gives back: faults on some consecutive images.

    Attributes:
        outcome: of the faults on these images.
        seconds: that computing took.
        worker: address of the worker.
    """

    outcome: Outcome
    seconds: float
    worker: str


@dataclass(frozen=True, eq=False)
class Job:
    """What a worker needs once.

    Attributes:
        key: of this campaign.
        network_fingerprint, dataset_fingerprint: as the campaign's run file has them.
    """

    key: str
    network: Network
    dataset: Dataset
    engine: Engine
    network_fingerprint: str
    dataset_fingerprint: str

    @classmethod
    def of(cls, key: str, network: Network, dataset: Dataset, engine: Engine) -> Job:
        return cls(key, network, dataset, engine, fingerprint(network), dataset.fingerprint)

    def open(self, threads: int) -> Session:
        """A session; CampaignError where network or data are not those that were sent."""
        if fingerprint(self.network) != self.network_fingerprint:
            raise CampaignError(f"it has {self.network.name} with another fingerprint than the campaign's network")
        if self.dataset.fingerprint != self.dataset_fingerprint:
            raise CampaignError(f"it has {self.dataset.name} with another fingerprint than the campaign's data set")
        with warnings.catch_warnings():  # the process of the campaign has told them
            warnings.simplefilter("ignore", ModelWarning)
            return self.engine.with_threads(threads).open(self.network)


_LOCK = Lock()
_OPEN: dict[str, tuple[Job, Session]] = {}  # of the latest campaign alone, by its key


def fingerprint(network: Network) -> str:
    """Of all that a fault can meet, and of what is in the network for good."""
    return f"{network.fingerprint} {memory_fingerprint(network)}"


@cache
def _sources() -> str:
    folder, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code() -> Code:
    """That of this process."""
    return Code(__version__, _sources())


def hold(blob: bytes) -> bytes:
    """Keep a pickled `Job` among the workers; one that is lost with its worker is made again from the task."""
    return blob


def compute(expected: tuple[str, str], key: str, blob: bytes, faults: bytes, first: int, stop: int) -> Part:
    """Faults on the images from ``first`` up to ``stop``; one call at a time computes, on the worker's threads.

    Args:
        expected: the `Code` of the campaign.
        key: of the campaign.
        blob: the pickled `Job`.
        faults: pickled.

    Raises:
        CampaignError: the worker has another fat_fpga, network or data set.
    """
    from distributed import get_worker

    worker = get_worker()
    own, wanted = code(), Code(*expected)
    if own != wanted:
        raise CampaignError(refusal(worker.address, own, wanted))
    with _LOCK:
        try:
            job, session = _opened(key, blob, worker.state.nthreads)
        except CampaignError as error:
            raise CampaignError(f"the worker {worker.address} is refused: {error}") from None
        images, asked = job.dataset.images, pickle.loads(faults)
        started = perf_counter()
        outcome = session.run(
            images[first:stop], job.dataset.labels[first:stop], asked, first_frame=first, frames=len(images)
        )
        return Part(outcome, perf_counter() - started, worker.address)


def refusal(worker: str, found: Code, expected: Code) -> str:
    """Why a worker is refused that has another fat_fpga."""
    return f"the worker {worker} is refused: it has fat_fpga {found}, this campaign is run by fat_fpga {expected}"


def pickled(faults: Sequence[AnyFault]) -> bytes:
    """Faults as `compute` takes them."""
    return pickle.dumps(list(faults), protocol=pickle.HIGHEST_PROTOCOL)


def _opened(key: str, blob: bytes, threads: int) -> tuple[Job, Session]:
    if key not in _OPEN:
        _OPEN.clear()
        job: Job = pickle.loads(blob)
        _OPEN[key] = job, job.open(threads)
    return _OPEN[key]
