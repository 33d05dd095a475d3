"""Reading a run file: a campaign's results, finished or not."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fat_fpga.arguments import checked
from fat_fpga.campaign.content import read
from fat_fpga.campaign.header import Header, Session
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.campaign.predictions import Predictions
from fat_fpga.campaign.result import Result
from fat_fpga.engines.counts import Counts
from fat_fpga.faults.registry import MODELS, is_ours, meets_thresholds
from fat_fpga.network.operators.threshold_logic import COUNT
from fat_fpga.text import html_table, percent

if TYPE_CHECKING:
    import pandas

__all__ = ["Result", "Run", "Session"]


@dataclass(frozen=True, eq=False)
class Run(Header):
    """A snapshot of a run file; the file is closed again.

    Attributes:
        path: the file; None for a campaign in memory.
        results: the finished faults, layers in network order.
        counts: what else was counted of each result, int64 [F] by name: outcome classes, wrong images of each class;
            see `fat_fpga.engines.counts`. Empty where the campaign was not asked to.
        asked_faults: text forms of all faults of the list, done or not.
        predictions: the class of each image under each finished fault, where the campaign kept them.
        identity, origin, error_free, created, finished, version, layers, sessions, labels, golden: see `Header`.
    """

    path: Path | None
    results: tuple[Result, ...]
    counts: Counts = field(default_factory=dict)
    asked_faults: Sequence[str] = ()
    predictions: Predictions | None = None

    def __repr__(self) -> str:
        what, where = self.identity, "in memory" if self.path is None else self.path
        return (
            f"<Run {where}: {what.network} on {what.dataset}, {self.images:,} images, "
            f"{self.done:,} of {self.asked:,} faults>"
        )

    def _repr_html_(self) -> str:
        """For notebooks: accuracy under fault for each kind, layer and effect."""
        from fat_fpga.campaign.statistics import statistics

        if self.has_patterns:
            return self._sweep_html()
        rows = [["faults", "layer", "effect", "done", "mean %", "min %", "worst fault"]]
        for group in statistics(self):
            spread = group.spread
            accuracies = (f"{value:.2f}" for value in (spread.mean, spread.min))
            count = f"{len(group.results):,}"
            rows.append([group.kind, group.layer, group.effect, count, *accuracies, spread.worst.fault])
        return html_table(rows, f"{self!r}, error-free {percent(self.error_free_accuracy)} %")

    def _sweep_html(self) -> str:
        """Mean accuracy at each rate."""
        from fat_fpga.campaign.sweep_rounds import accuracies

        rows = [["errors in", "rate", "samples", "mean %", "min %"]]
        for (cells, rate), found in accuracies(self).items():
            mean = sum(found) / len(found)
            rows.append([cells, f"{rate:.2e}", f"{len(found):,}", f"{mean:.2f}", f"{min(found):.2f}"])
        return html_table(rows, f"{self!r}, error-free {percent(self.error_free_accuracy)} %")

    @property
    def has_patterns(self) -> bool:
        """Whether its faults are errors at a rate: a sweep, or a list of patterns."""
        return self.origin.kinds.startswith(PATTERNS)

    @property
    def title(self) -> str:
        """What to call the run in messages and tables: its file."""
        return "the run in memory" if self.path is None else str(self.path)

    @property
    def thresholds(self) -> str:
        """How its hardware finds levels (`Network.threshold_logic`), where its faults are in threshold memories, else
        empty; in files of older versions, which do not keep it, it counts."""
        words = re.findall(r"\w+", self.origin.kinds)
        counted = any(kind in words and is_ours(kind) and meets_thresholds(kind) for kind in MODELS)
        return self.identity.thresholds or (COUNT if counted else "")

    @classmethod
    @checked
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Read and check a run file; CampaignError if it is none, or not as a campaign left it.

        Works at any time, also while a campaign writes it.
        """
        path = Path(path)
        content = read(path)
        header = {f.name: getattr(content.header, f.name) for f in fields(content.header)}
        run = cls(
            **header,
            path=path,
            results=content.results,
            counts=content.counts,
            asked_faults=content.texts,
            predictions=content.predictions,
        )
        # as the cached properties would have them
        run.__dict__.update(correct=content.correct, changed=content.changed)
        return run

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

    def to_pandas(self) -> pandas.DataFrame:
        """A table with one row for each finished fault, in the order of ``results``.

        Columns: ``fault`` (text form), ``layer`` and ``kind`` (categories), the typed parts of the address as `Result`
        has them (Int32, ``flip`` boolean; missing where a kind has no such part, and for sets), ``correct`` and
        ``changed`` (images, int64), ``accuracy`` (percent) and ``drop`` (percentage points; float64);
        where the outputs are no classes, ``mean_deviation`` and ``largest_deviation`` (real values; float64), too.
        ``attrs`` names model, data and fault list.

        Raises:
            CampaignError: pandas is not installed.
        """
        from fat_fpga.campaign.table import to_pandas

        return to_pandas(self)

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
