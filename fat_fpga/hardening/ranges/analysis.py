"""Activations with and without faults, as histograms over their magnitude.

Source: Hoang, Hanif, Shafique, FT-ClipAct, DATE 2020, section III: faults of weights show as activations of high
intensity.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fat_fpga.arguments import checked
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import FaultError
from fat_fpga.files import replacing
from fat_fpga.hardening.ranges.profile import outputs, unbounded
from fat_fpga.modules import ModuleSubject
from fat_fpga.modules.edits import edits_of
from fat_fpga.modules.injection import held

EDGES = (0.0, *(10.0 ** (number / 2) for number in range(-6, 79)), float("inf"))
"""Two bins in each decade of float32; the first one has what is below 1e-3, the last one what is above 1e39."""
HISTOGRAM_COLUMNS = ("activation", "rate", "from", "to", "values")


@dataclass(frozen=True, eq=False)
class Histogram:
    """Magnitudes of what an activation gives.

    Attributes:
        counts: values in each bin of ``EDGES``, int64; infinite ones in the last.
        nan: values that are NaN.
    """

    counts: npt.NDArray[np.int64]
    nan: int

    def beyond(self, bound: float) -> float:
        """Share of the values in bins that begin at the bound or above it, and of NaN."""
        far = int(self.counts[np.array(EDGES[:-1]) >= bound].sum()) + self.nan
        return far / max(1, int(self.counts.sum()) + self.nan)


@checked
def histograms(subject: ModuleSubject, data: Dataset, sweep: Sweep) -> dict[float, dict[str, Histogram]]:
    """Histograms of every activation without a bound, by rate; rate 0 is without faults.

    Args:
        sweep: errors of parameters; the samples of a rate are added up.

    Raises:
        ModelError: the module has no such activation.
        FaultError: the errors are others than those of parameters, which do not depend on the image.
    """
    unbounded(subject.module)
    with subject.loaded():
        found: dict[float, dict[str, Histogram]] = {0.0: _run(subject, data, {})}
    for pattern in sweep.patterns(subject):
        edits = edits_of(subject, pattern, 0, len(data), 0)
        if any(edit.site.name not in subject.tensors for edit in edits):
            raise FaultError(f"histograms are of errors in parameters, got {pattern}")
        with subject.loaded(), held(subject.tensors, edits):
            found[pattern.rate] = _run(subject, data, found.get(pattern.rate, {}))
    return found


def _run(subject: ModuleSubject, data: Dataset, before: Mapping[str, Histogram]) -> dict[str, Histogram]:
    counts = {name: one.counts.copy() for name, one in before.items()}
    nan = {name: one.nan for name, one in before.items()}

    def see(name: str, output: Tensor) -> None:
        values = output.detach().abs().double().cpu().numpy().ravel()
        number = np.isnan(values)
        nan[name] = nan.get(name, 0) + int(number.sum())
        own = np.histogram(np.minimum(values[~number], np.finfo(np.float64).max), EDGES)[0]
        counts[name] = counts.get(name, np.zeros(len(EDGES) - 1, np.int64)) + own

    for _ in outputs(subject, data.images, see):
        pass
    return {name: Histogram(counts[name], nan[name]) for name in counts}


def write_histograms(found: Mapping[float, Mapping[str, Histogram]], path: Path) -> None:
    """CSV with a row for each bin that has values, and for NaN."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HISTOGRAM_COLUMNS)
        for rate, rows in found.items():
            for name, one in rows.items():
                for low, high, count in zip(EDGES, EDGES[1:], one.counts.tolist(), strict=False):
                    if count:
                        writer.writerow((name, rate, f"{low:.4g}", f"{high:.4g}", count))
                if one.nan:
                    writer.writerow((name, rate, "nan", "nan", one.nan))


def beyond_text(found: Mapping[float, Mapping[str, Histogram]], largest: Mapping[str, float]) -> str:
    """Share of values clearly beyond the largest one without faults, of each activation at each rate."""
    from fat_fpga.text import align

    rates: Sequence[float] = list(found)
    table = [["activation", "ACT_max", *(f"{rate:.0e}" if rate else "no faults" for rate in rates)]]
    for name, bound in largest.items():
        table.append([name, f"{bound:.4g}", *(f"{found[rate][name].beyond(bound):.1e}" for rate in rates)])
    return f"share of values beyond ACT_max, in bins of half a decade\n{align(table)}"
