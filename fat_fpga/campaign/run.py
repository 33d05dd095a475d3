"""Reading a run file: a campaign's results, finished or not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.database import connect, readable_errors
from fat_fpga.campaign.identity import Identity
from fat_fpga.campaign.layer_table import LayerRow
from fat_fpga.campaign.origin import Origin

_FRAME = re.compile(r" @ frame\[\d+\]")
_EFFECT = re.compile(r" [=^] [+-]?\d+" + f"(?:{_FRAME.pattern})?")


@dataclass(frozen=True, slots=True)
class Result:
    """One finished fault.

    Attributes:
        fault: its text form; ``parse_fault`` reads it.
        layer, kind: of the fault; for several at once ``conv1+conv3`` and ``set of channel+pixel``.
        index: of the fault: ``17``, ``3,4``, or ``5 of 32`` for a PE.
        effect: ``= +1``, ``bit[9] = 1``, ``bit[0] ^ 1``, or ``bit[0] ^ 1 @ frame[12]``.
        correct: images classified correctly under the fault.
        changed: images whose predicted class differs from the fault-free one.
    """

    fault: str
    layer: str
    kind: str
    index: str
    effect: str
    correct: int
    changed: int

    @property
    def lasting(self) -> str:
        """The effect without the image that a transient falls on."""
        return _FRAME.sub("", self.effect)

    @property
    def address(self) -> str:
        """Where the fault sits, without its effect: ``conv1/channel[17]``, ``conv1/weight[17,3,1,2].bit[0]``."""
        return _EFFECT.sub("", self.fault)


class Session(NamedTuple):
    """One time that somebody worked on the campaign: when, with what, how many faults, in how many seconds."""

    started: str
    engine: str
    version: str
    faults: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Run:
    """A snapshot of a run file; the file is closed again.

    Attributes:
        path: the file.
        identity: model, data set and fault list, by name and hash.
        origin: how the fault list came about.
        error_free: images that the fault-free network classifies correctly.
        created, finished: ISO 8601, UTC; ``finished`` is None while faults are missing.
        version: of fat_fpga, that made the file.
        layers: the network, layer by layer.
        results: the finished faults, layers in network order.
        sessions: who worked on it, in order.
        labels: int64 [N].
        golden: int32 [N], predicted classes of the fault-free network.
    """

    path: Path
    identity: Identity
    origin: Origin
    error_free: int
    created: str
    finished: str | None
    version: str
    layers: tuple[LayerRow, ...]
    results: tuple[Result, ...]
    sessions: tuple[Session, ...]
    labels: npt.NDArray[np.int64]
    golden: npt.NDArray[np.int32]

    def __repr__(self) -> str:
        what = self.identity
        return (
            f"<Run {self.path}: {what.network} on {what.dataset}, {self.images:,} images, "
            f"{self.done:,} of {self.asked:,} faults>"
        )

    @classmethod
    @checked
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Read a run file; CampaignError if it is none. Works at any time, also while a campaign writes it."""
        path = Path(path)
        connection = connect(path)
        try:
            with readable_errors(path):
                connection.execute("BEGIN")
                meta = dict(connection.execute("SELECT key, value FROM meta"))
                layers = connection.execute("SELECT * FROM layer ORDER BY position").fetchall()
                images = connection.execute("SELECT label, predicted FROM image ORDER BY position").fetchall()
                results = connection.execute(
                    'SELECT fault, layer, kind, "index", effect, correct, changed FROM fault '
                    "WHERE correct IS NOT NULL ORDER BY position"
                )
                rows = tuple(_result(*row) for row in results)
                sessions = connection.execute(
                    "SELECT started, engine, version, faults, seconds FROM session ORDER BY id"
                ).fetchall()
        finally:
            connection.close()
        own = {key: meta.pop(key) for key in ("error_free", "created", "finished", "version")}
        origin = Origin.of_entries({field.name: meta.pop(field.name) for field in fields(Origin) if field.name in meta})
        table = np.array(images, np.int64).reshape(-1, 2)
        return cls(
            path=path,
            identity=Identity(**meta),
            origin=origin,
            layers=tuple(map(LayerRow._make, layers)),
            results=rows,
            sessions=tuple(map(Session._make, sessions)),
            labels=table[:, 0],
            golden=table[:, 1].astype(np.int32),
            **own,
        )

    @property
    def images(self) -> int:
        """Number of images N."""
        return self.identity.images

    @property
    def asked(self) -> int:
        """Number of faults that the campaign is to do."""
        return self.identity.asked

    @property
    def done(self) -> int:
        """Number of faults that have a result."""
        return len(self.results)

    @property
    def complete(self) -> bool:
        """Whether every fault has a result."""
        return self.done == self.asked

    @property
    def error_free_accuracy(self) -> float:
        """Accuracy of the fault-free network, in percent."""
        return 100 * self.error_free / self.images

    @cached_property
    def correct(self) -> npt.NDArray[np.int64]:
        """Images classified correctly under each finished fault, [F], in the order of ``results``."""
        return np.array([r.correct for r in self.results], np.int64)

    @cached_property
    def changed(self) -> npt.NDArray[np.int64]:
        """Images whose class each finished fault changes, [F], in the order of ``results``."""
        return np.array([r.changed for r in self.results], np.int64)

    @cached_property
    def accuracy(self) -> npt.NDArray[np.float64]:
        """Accuracy under each finished fault in percent, [F], in the order of ``results``."""
        return 100 * self.correct / self.images


def _result(fault: str, layer: str, kind: str, index: str, effect: str, correct: int, changed: int) -> Result:
    """One row; words that come back in thousands of rows are kept once."""
    return Result(fault, intern(layer), intern(kind), index, intern(effect), correct, changed)
