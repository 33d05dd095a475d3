"""SPFM, LFM and PMHF (ISO 26262-5), DC and SFF (IEC 61508), with the sampling error of campaigns carried through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from fat_fpga.arguments import checked
from fat_fpga.campaign import Estimate, Run
from fat_fpga.errors import SafetyError
from fat_fpga.safety.elements import Element, elements_of
from fat_fpga.safety.fit import Fit

TARGETS = {"B": (90.0, 60.0, 1e-7), "C": (97.0, 80.0, 1e-7), "D": (99.0, 90.0, 1e-8)}
"""By ASIL: least SPFM and LFM in percent, and what PMHF must be below, in failures an hour (ISO 26262-5)."""
GROUPS = {"transient": (True, False), "permanent": (False, True), "all": (True, True)}


@dataclass(frozen=True)
class Rates:
    """Failure rates in FIT.

    Attributes:
        total: of the elements and of their safety mechanisms.
        safe: faults that do not violate the goal, or are corrected without a word.
        detected: dangerous faults that a mechanism catches, and tells of.
        undetected: dangerous faults that nothing catches: single-point and residual faults.
        latent: faults that wait for a second one: corrected without a word, or in a mechanism and not found.
        pairs: faults an hour of an element and of its mechanism together, in a lifetime.
    """

    total: float
    safe: float
    detected: float
    undetected: float
    latent: float
    pairs: float

    @property
    def spfm(self) -> float:
        """Single-point fault metric in percent: 1 - (single-point + residual) / total."""
        return 100 * (1 - self.undetected / self.total) if self.total else 100.0

    @property
    def lfm(self) -> float:
        """Latent-fault metric in percent: 1 - latent / (total - single-point - residual)."""
        left = self.total - self.undetected
        return 100 * (1 - self.latent / left) if left > 0 else 100.0

    @property
    def pmhf(self) -> float:
        """Failures an hour that violate the goal: residual ones, and pairs of a mechanism's latent fault and one that
        it would have caught (ISO 26262-10, 8.3)."""
        return 1e-9 * self.undetected + self.pairs

    @property
    def dc(self) -> float:
        """Diagnostic coverage in percent: detected / all dangerous."""
        dangerous = self.detected + self.undetected
        return 100 * self.detected / dangerous if dangerous else 100.0

    @property
    def sff(self) -> float:
        """Safe failure fraction in percent: (safe + detected) / total."""
        all_of_them = self.safe + self.detected + self.undetected
        return 100 * (self.safe + self.detected) / all_of_them if all_of_them else 100.0


FIGURES: dict[str, Callable[[Rates], float]] = {
    "undetected": lambda rates: rates.undetected,
    "SPFM": lambda rates: rates.spfm,
    "LFM": lambda rates: rates.lfm,
    "PMHF": lambda rates: rates.pmhf,
    "DC": lambda rates: rates.dc,
    "SFF": lambda rates: rates.sff,
}


@dataclass(frozen=True, eq=False)
class Assessment:
    """Safety metrics of a network.

    Attributes:
        elements: the rows of the table.
        fit: rates, mechanisms and goal.
        runs: the campaigns.
    """

    elements: tuple[Element, ...]
    fit: Fit
    runs: tuple[Run, ...]

    def rates(self, group: str = "all", factors: Sequence[tuple[float, float]] | None = None) -> Rates:
        """The failure rates of ``transient``, ``permanent`` or ``all`` faults.

        Args:
            factors: vulnerability of each element to transient and permanent faults, in place of the estimates.
        """
        chosen, factors = GROUPS[group], factors or [self._values(element) for element in self.elements]
        total = safe = detected = undetected = latent = 0.0
        covered: dict[str, float] = {}
        for element, own in zip(self.elements, factors, strict=True):
            mechanism = element.mechanism
            coverage = (mechanism.transient, mechanism.permanent) if mechanism else (0.0, 0.0)
            told = mechanism.told if mechanism else 1.0
            both = zip(chosen, (element.transient, element.permanent), own, coverage, strict=True)
            for wanted, rate, factor, caught in both:
                if not wanted:
                    continue
                dangerous = rate * factor
                silent = dangerous * caught * (1 - told)
                total += rate
                safe += rate - dangerous + silent
                latent += silent
                detected += dangerous * caught * told
                undetected += dangerous * (1 - caught)
                if mechanism:
                    covered[mechanism.name] = covered.get(mechanism.name, 0.0) + dangerous * caught
        pairs = 0.0
        for mechanism in self.fit.mechanisms:
            waiting = mechanism.fit * (1 - mechanism.tested)
            pairs += 1e-18 * covered.get(mechanism.name, 0.0) * waiting * self.fit.lifetime
            if chosen[1] and mechanism.name in covered:
                total += mechanism.fit
                safe += mechanism.fit
                latent += waiting
        return Rates(total, safe, detected, undetected, latent, pairs)

    def figure(self, name: str, group: str = "all") -> Estimate:
        """One of `FIGURES`, with an interval that carries the sampling errors of all vulnerability factors.

        Each factor in turn is set to either end of its own 95 % interval; the distances add up as squares (MOVER, Zou
        and Donner 2008, for any function). Rates and coverages are taken as exact.
        """
        return self._estimate(lambda factors: FIGURES[name](self.rates(group, factors)))

    def vulnerability(self, group: str = "all") -> Estimate:
        """AVF: the share of all failures of the elements that would violate the goal if nothing watched, 0 to 1."""
        chosen = GROUPS[group]

        def share(factors: Sequence[tuple[float, float]]) -> float:
            total = dangerous = 0.0
            for element, own in zip(self.elements, factors, strict=True):
                for wanted, rate, factor in zip(chosen, (element.transient, element.permanent), own, strict=True):
                    total += wanted * rate
                    dangerous += wanted * rate * factor
            return dangerous / total if total else 0.0

        return self._estimate(share)

    def of_structure(self, structure: str) -> Assessment:
        """The same of the elements of one structure."""
        return replace(self, elements=tuple(each for each in self.elements if each.structure == structure))

    def _estimate(self, measure: Callable[[Sequence[tuple[float, float]]], float]) -> Estimate:
        best = [self._values(element) for element in self.elements]
        value = measure(best)
        down = up = 0.0
        for number, element in enumerate(self.elements):
            for moved in _ends(element):
                ends = []
                for end in moved:
                    factors = [*best]
                    factors[number] = end
                    ends.append(measure(factors) - value)
                down += min(*ends, 0.0) ** 2
                up += max(*ends, 0.0) ** 2
        return Estimate(value, max(0.0, value - sqrt(down)), value + sqrt(up))

    def meets(self, asil: str, group: str = "all") -> dict[str, bool]:
        """Whether SPFM, LFM and PMHF keep the targets of an ASIL, at the worse end of their intervals."""
        spfm, lfm, pmhf = TARGETS[asil]
        return {
            "SPFM": self.figure("SPFM", group).low >= spfm,
            "LFM": self.figure("LFM", group).low >= lfm,
            "PMHF": self.figure("PMHF", group).high < pmhf,
        }

    def executions_between_failures(self) -> Estimate | None:
        """Mean executions of the network between two violations; None where the FIT file does not tell how many it has
        in an hour. An end may be infinite."""
        if self.fit.executions is None:
            return None
        found = self.figure("PMHF")
        times = [self.fit.executions / value if value > 0 else float("inf") for value in found]
        return Estimate(times[0], times[2], times[1])

    @staticmethod
    def _values(element: Element) -> tuple[float, float]:
        transient, permanent = element.vulnerability
        return transient.value, permanent.value


def _ends(element: Element) -> list[list[tuple[float, float]]]:
    """The ends that each independent factor of an element may have; one factor where both are of the same faults."""
    transient, permanent = element.vulnerability
    if element.same:
        return [[(transient.low, permanent.low), (transient.high, permanent.high)]]
    return [
        [(transient.low, permanent.value), (transient.high, permanent.value)],
        [(transient.value, permanent.low), (transient.value, permanent.high)],
    ]


@checked
def assess(runs: Sequence[Run], fit: Fit, luts: Mapping[str, float] | None = None) -> Assessment:
    """Work out the safety metrics of a network from campaigns and sweeps on it.

    Args:
        luts: of the logic of each layer, as `read_resources` gives them; bits of channels and PEs follow from them.

    Raises:
        SafetyError: the runs do not fit together or say too little, or the FIT file lacks rates; it says which.
    """
    if not runs:
        raise SafetyError("no run: a safety table is made of at least one campaign")
    return Assessment(tuple(elements_of(runs, fit, luts)), fit, tuple(runs))
