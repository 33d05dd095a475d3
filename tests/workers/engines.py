"""Engines for workers: slow ones, wrong ones."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from fat_fpga.engines import Outcome, Session
from fat_fpga.engines.reference import ReferenceEngine, ReferenceSession
from fat_fpga.network import Network


class Slow(ReferenceEngine):
    """The reference engine, with a pause in every run that has faults."""

    name = "slow"

    def __init__(self, pause: float = 0.1) -> None:
        self.pause = pause

    def _open(self, network: Network) -> Session:
        return SlowSession(self, network)


class SlowSession(ReferenceSession):
    def __init__(self, engine: Slow, network: Network) -> None:
        super().__init__(engine.name, network)
        self.pause = engine.pause

    def run(self, images: Any, labels: Any, faults: Any, **options: Any) -> Outcome:
        time.sleep(self.pause if len(faults) else 0)
        return super().run(images, labels, faults, **options)


class UntilKilled(ReferenceEngine):
    """The reference engine, which ends a run with faults only after another worker was killed.

    Args:
        file: one byte for each kill.
        kills: after so many it does not wait any more.
    """

    name = "until-killed"

    def __init__(self, file: Path, kills: int) -> None:
        self.file, self.kills = file, kills

    def _open(self, network: Network) -> Session:
        return UntilKilledSession(self, network)

    def wait(self) -> None:
        before = now = self.file.stat().st_size
        while now == before and now < self.kills:
            time.sleep(0.02)
            now = self.file.stat().st_size


class UntilKilledSession(ReferenceSession):
    def __init__(self, engine: UntilKilled, network: Network) -> None:
        super().__init__(engine.name, network)
        self.engine = engine

    def run(self, images: Any, labels: Any, faults: Any, **options: Any) -> Outcome:
        if len(faults):
            self.engine.wait()
        return super().run(images, labels, faults, **options)


class WrongElsewhere(ReferenceEngine):
    """Gives another class for the first image in every process but the one that it is made in."""

    name = "wrong"

    def __init__(self) -> None:
        self.process = os.getpid()

    def _open(self, network: Network) -> Session:
        return WrongSession(self.name, network) if os.getpid() != self.process else ReferenceSession(self.name, network)


class WrongSession(ReferenceSession):
    def run(self, *arguments: Any, **options: Any) -> Outcome:
        outcome = super().run(*arguments, **options)
        outcome.golden[0] ^= 1
        return outcome


class Unsendable(ReferenceEngine):
    """Has something that cannot be pickled."""

    name = "unsendable"

    def __init__(self) -> None:
        self.lock = threading.Lock()
