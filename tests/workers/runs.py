"""Campaigns that tests run on workers, the serial ones they must equal, and what happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.faults import AnyFault, fault_space
from tests.campaign.tiny import tiny_data, tiny_network


def faults_of(kind: str, images: int, count: int = 60) -> list[AnyFault]:
    """All, or so many of them."""
    return [*fault_space(tiny_network(), kind, frames=images).sample(count, seed=1)]


def serial(path: Path, faults: list[AnyFault], images: int = 30) -> Run:
    return run_campaign(tiny_network(), tiny_data(images), faults, path / "serial.run", "reference")


def check_equal(run: Run, expected: Run) -> None:
    """Row by row, timing columns aside; no fault done twice."""
    assert run.results == expected.results
    assert run.finished
    assert sum(session.faults for session in run.sessions) == run.asked
    assert (run.golden == expected.golden).all()


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs ``act`` in a thread beside the block; its event says that the block has ended."""
    over = threading.Event()
    thread = threading.Thread(target=act, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def wait_for(path: Path, faults: int, over: threading.Event) -> bool:
    """Until so many faults are in a run file; False where the block ends before."""
    while not path.exists() or Run.open(path).done < faults:
        if over.wait(0.05):
            return False
    return True
