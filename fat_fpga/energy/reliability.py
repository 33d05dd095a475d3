"""Probability of a bit fault by the energy of a memory: p = exp(-a eta)."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike

from fat_fpga.arguments import checked
from fat_fpga.errors import EnergyError

PAPER = 12.8
"""The paper's a: 65 nm SRAM cells at 0.5 V and 1.1 V (section III)."""
COLUMNS = ("energy", "probability")


@dataclass(frozen=True)
class Reliability:
    """How likely a bit of a memory is wrong when it is operated at a share eta of the energy of a reliable one.

    Attributes:
        a: above 0; p = exp(-a eta).
    """

    a: float = PAPER

    def __post_init__(self) -> None:
        if not (math.isfinite(self.a) and self.a > 0):
            raise EnergyError(f"the a of p = exp(-a eta) is a number above 0, got {self.a:g}")

    def probability(self, energy: float) -> float:
        """p at a share of energy, 0 to 1."""
        if not 0 <= energy <= 1:
            raise EnergyError(f"a share of energy is 0 to 1, got {energy:g}")
        return math.exp(-self.a * energy)

    def energy(self, probability: float) -> float:
        """The share of energy at which a bit is wrong with this probability; 1 for probabilities below that at 1."""
        if not 0 <= probability <= 1:
            raise EnergyError(f"a probability is 0 to 1, got {probability:g}")
        return 1.0 if probability <= 0 else min(1.0, -math.log(probability) / self.a)


@checked
def fit(energies: Sequence[float], probabilities: Sequence[float]) -> Reliability:
    """The a with the least sum of squared relative errors of p, as the paper fits it.

    Args:
        energies: shares of the energy of a reliable memory, above 0, at most 1.
        probabilities: of a wrong bit at each of them, above 0, below 1; they fall as the energy rises.

    Raises:
        EnergyError: numbers out of range, or probabilities that do not fall.
    """
    from scipy.optimize import least_squares

    if len(energies) != len(probabilities) or not energies:
        raise EnergyError(
            f"a fit needs a probability for each energy, got {len(energies)} energies, {len(probabilities)} others"
        )
    rows = sorted(zip(map(float, energies), map(float, probabilities), strict=True))
    for energy, probability in rows:
        if not (0 < energy <= 1 and 0 < probability < 1):
            raise EnergyError(
                f"energies are shares above 0, at most 1, and probabilities above 0, below 1; got energy {energy:g} "
                f"with probability {probability:g}"
            )
    for (low, more), (high, less) in pairwise(rows):
        if not (low < high and less < more):
            raise EnergyError(
                f"the probability must fall as the energy rises, got {more:g} at energy {low:g} and {less:g} at "
                f"energy {high:g}"
            )

    def errors(a: Sequence[float]) -> list[float]:
        return [math.exp(-a[0] * energy) / probability - 1 for energy, probability in rows]

    start = sum(-math.log(probability) / energy for energy, probability in rows) / len(rows)
    found = least_squares(errors, [start], bounds=(1e-9, math.inf), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    return Reliability(float(found.x[0]))


@checked
def read_table(path: str | PathLike[str], nominal: float = 1.0) -> tuple[list[float], list[float]]:
    """Energies and probabilities from CSV with columns ``energy`` and ``probability``; other columns are left.

    Args:
        nominal: energy of the reliable memory, in the unit of the file.

    Raises:
        EnergyError: no such file, or no such columns, or what is no number.
    """
    if not nominal > 0:
        raise EnergyError(f"the energy of the reliable memory is above 0, got {nominal:g}")
    energies, probabilities = [], []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:  # noqa: PTH123
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise EnergyError(
                    f"{path}: expected CSV with columns {' and '.join(COLUMNS)}, got {', '.join(rows.fieldnames or ())}"
                )
            for number, row in enumerate(rows, start=2):
                try:
                    energies.append(float(row["energy"]) / nominal)
                    probabilities.append(float(row["probability"]))
                except (TypeError, ValueError) as error:
                    raise EnergyError(
                        f"{path}: line {number}: expected numbers, got {row['energy']} and {row['probability']}"
                    ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no CSV"
        raise EnergyError(f"{path}: cannot be read as a table of energies ({reason})") from error
    return energies, probabilities
