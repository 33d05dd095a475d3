"""Sweeps: errors at several rates, many samples of each (Reagen et al., Ares, DAC 2018).

A sweep is a campaign over patterns (`fat_fpga.faults.Pattern`): rates x samples x scopes, in a run file like any other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from math import ceil, expm1, floor, inf, log10, sqrt
from typing import Any

from fat_fpga.campaign.intervals import student
from fat_fpga.campaign.origin import PATTERNS, SWEEP, Origin
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.selection import Selection
from fat_fpga.errors import CampaignError, FaultError
from fat_fpga.faults import AnySubject, Pattern, check_faults, fault_model, parse_fault, places
from fat_fpga.faults.pattern import EVERY, JOIN, WITH

SCOPES = ("network", "layer", "structure")
ERRORS = {
    "flip": ".bit[*] ^ 1",
    "stuck0": ".bit[*] = 0",
    "stuck1": ".bit[*] = 1",
    "erase": " = 0",
    "uniform": " = uniform",
    "masked": ".bit[*] = masked",
}
"""What an error does, and its text form behind the index."""
BURSTS = "flip"
"""Errors that may hit neighbouring cells."""
PROTECTED = ("flip", "stuck0", "stuck1")
"""Errors of bits, which a code protects against."""
FIRST = 10
"""Samples of each point before anything is known of it."""
STEP = 1_000_000
"""Samples of one seed are numbered from seed x STEP on."""
DIGITS = 3
"""Of rates in a grid."""
ADDED = ("burst", "protection", "scrubbing")
"""Attributes that sweeps of older files have not; they are kept where they say something."""


@dataclass(frozen=True)
class Scrubbing:
    """A memory that is written anew after each interval, so that errors add up no longer than that.

    Attributes:
        upsets: of each bit in an hour, on average.
        intervals: in hours, ascending.
    """

    upsets: float
    intervals: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.upsets < inf:
            raise CampaignError(f"a rate of upsets is above 0, in each bit and hour, got {self.upsets:g}")
        if not self.intervals or not all(0 < hours < inf for hours in self.intervals):
            raise CampaignError("scrubbing takes at least one interval, each above 0 hours")
        check_rates(self.rates)

    @property
    def rates(self) -> tuple[float, ...]:
        """Probability that a bit is wrong at the end of each interval.

        Upsets of a bit are a Poisson process, and an even number of them leaves it as it was:
        (1 - exp(-2 x upsets x interval)) / 2.
        """
        return tuple(-expm1(-2 * self.upsets * hours) / 2 for hours in self.intervals)


@dataclass(frozen=True)
class Sweep:
    """Errors at several rates.

    >>> sweep = Sweep(("weight",), rate_grid(1e-6, 1e-2), samples=150, scope="layer")

    Attributes:
        kinds: of fault, whose cells are hit.
        rates: ascending, each 0 to 1.
        samples: of each rate, at most.
        scope: ``network``: one curve, with errors in all kinds at once; ``structure``: a curve for each kind;
            ``layer``: a curve for each layer and kind.
        errors: what an error does, a key of ``ERRORS``.
        layers: only these; None for all.
        until: stop a point when its mean accuracy is known to plus or minus so many points (95 %); None to take all
            samples.
        seed: which samples.
        burst: so many neighbouring cells of a memory are flipped by one error.
        protection: of the memories among the kinds, as `Protection` has it: ``secded[64]``; empty for none.
        scrubbing: what the rates follow from; None where they were given.
    """

    kinds: tuple[str, ...]
    rates: tuple[float, ...]
    samples: int = 150
    scope: str = "network"
    errors: str = "flip"
    layers: tuple[str, ...] | None = None
    until: float | None = None
    seed: int = 0
    burst: int = 1
    protection: str = ""
    scrubbing: Scrubbing | None = None

    def __post_init__(self) -> None:
        check_rates(self.rates)
        if self.scrubbing is not None and self.scrubbing.rates != self.rates:
            raise CampaignError("the rates of a sweep with scrubbing are those at the end of its intervals")
        if self.burst > 1 and self.errors != BURSTS:
            raise CampaignError(f"a burst is of errors '{BURSTS}', got '{self.errors}'")
        if self.protection and self.errors not in PROTECTED:
            raise CampaignError(f"a code protects against errors {', '.join(PROTECTED)}, got '{self.errors}'")
        for kind in self.kinds:
            fault_model(kind)
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise FaultError(f"a sweep takes some kinds of fault, each once, got {', '.join(self.kinds) or 'none'}")
        if self.scope not in SCOPES:
            raise CampaignError(f"unknown scope '{self.scope}': choose among {', '.join(SCOPES)}")
        if self.errors not in ERRORS:
            raise CampaignError(f"unknown errors '{self.errors}': choose among {', '.join(ERRORS)}")
        if not 1 <= self.samples <= STEP:
            raise CampaignError(f"a sweep takes 1 to {STEP:,} samples of each rate, got {self.samples:,}")
        if self.until is not None and not 0 < self.until <= 100:
            raise CampaignError(f"an interval is above 0 and at most 100 points, got {self.until:g}")

    def cells(self, network: AnySubject) -> list[str]:
        """What is hit, for each curve: ``*/weight[*].bit[*] ^ 1``; FaultError where there are no such cells."""
        where = JOIN.join(self.layers or (EVERY,))
        if self.scope == "network":
            found = [f"{where}/{JOIN.join(self.kinds)}"]
        elif self.scope == "structure":
            found = [f"{where}/{kind}" for kind in self.kinds]
        else:
            enumerated = [place.name for place in places(network).values() if place.enumerated]
            found = [f"{layer}/{kind}" for kind in self.kinds for layer in self.layers or enumerated]
        texts = [f"{cells}[{EVERY}]{ERRORS[self.errors]}{self._more(cells)}" for cells in found]
        if (self.protection or self.burst > 1) and not any(map(self._more, found)):
            what = f"protection '{self.protection}'" if self.protection else "burst"
            raise FaultError(f"the {what} is of words in memories, and {' and '.join(self.kinds)} has none")
        if self.scope == "layer" and self.layers is None:
            texts = [text for text in texts if _exists(network, text)]
            if not texts:
                raise FaultError(f"{network.name} has no layer with cells of {' or '.join(self.kinds)}")
        for text in texts:
            check_faults(network, [_pattern(text, 0.0, 0)])
        return texts

    def _more(self, cells: str) -> str:
        """Burst and protection of a curve, where it has memories."""
        kinds = cells.rpartition("/")[2].split(JOIN)
        if not any(fault_model(kind).traits.stored for kind in kinds):
            return ""
        burst = f" burst[{self.burst}]" if self.burst > 1 else ""
        return burst + (f" {WITH} {self.protection}" if self.protection else "")

    def patterns(self, network: AnySubject, numbers: Mapping[tuple[str, float], int] | None = None) -> list[Pattern]:
        """All patterns, or so many samples of each point."""
        start = self.seed * STEP
        return [
            _pattern(cells, rate, start + sample)
            for cells in self.cells(network)
            for rate in self.rates
            for sample in range(self.samples if numbers is None else numbers[cells, rate])
        ]

    @property
    def entry(self) -> str:
        """As `Origin` keeps it."""
        given, nothing = asdict(self), {each.name: each.default for each in fields(self)}
        return json.dumps({name: value for name, value in given.items() if name not in ADDED or value != nothing[name]})

    @classmethod
    def read(cls, entry: str | None) -> Sweep:
        """From ``entry``; CampaignError if it is none."""
        try:
            content: dict[str, Any] = json.loads(entry or "")
            for name in ("kinds", "rates", "layers"):
                content[name] = None if content[name] is None else tuple(content[name])
            if content.get("scrubbing") is not None:
                scrubbing = content["scrubbing"]
                content["scrubbing"] = Scrubbing(scrubbing["upsets"], tuple(scrubbing["intervals"]))
            return cls(**content)
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise CampaignError(f"a sweep must have kinds, rates and samples, got {(entry or 'none')[:60]}") from error

    def selection(self, network: AnySubject, numbers: Mapping[tuple[str, float], int] | None = None) -> Selection:
        """The campaign; with ``numbers`` so many samples of each point."""
        found = self.patterns(network, numbers)
        origin = Origin(
            SWEEP,
            ",".join(dict.fromkeys(f"{PATTERNS}{pattern.kind}" for pattern in found)),
            ",".join(dict.fromkeys(name for pattern in found for name in pattern.layers)),
            plan=self.entry,
            sample=len(found),
            seed=self.seed,
        )
        return Selection(found, origin)


class UntilInterval:
    """Rounds of a sweep: every point starts with a few samples, and gets more until its interval is met."""

    def __init__(self, sweep: Sweep, network: AnySubject) -> None:
        self._sweep, self._network = sweep, network

    def first(self) -> Selection:
        sweep = self._sweep
        count = sweep.samples if sweep.until is None else min(FIRST, sweep.samples)
        points = [(cells, rate) for cells in sweep.cells(self._network) for rate in sweep.rates]
        return sweep.selection(self._network, dict.fromkeys(points, count))

    def of(self, run: Run) -> Selection:
        if run.origin.source != SWEEP or run.origin.plan != self._sweep.entry:
            raise CampaignError(
                f"{run.title} holds another campaign: {run.origin.describe(run.asked)}, of other rates, samples, scope "
                "or errors. Continue with what it was started with, or name another output file"
            )
        return self._sweep.selection(self._network, _numbers(run.asked_faults))

    def more(self, run: Run) -> Selection | None:
        sweep = self._sweep
        if sweep.until is None:
            return None
        found = accuracies(run)
        numbers = {point: _wanted(own, sweep.until, sweep.samples) for point, own in found.items()}
        if all(numbers[point] == len(own) for point, own in found.items()):
            return None
        return sweep.selection(self._network, numbers)


def accuracies(run: Run) -> dict[tuple[str, float], list[float]]:
    """Accuracies in percent of each point, by cells and rate, in the order of the samples."""
    found: dict[tuple[str, float], list[float]] = {}
    for result in run.results:
        pattern = result.pattern
        found.setdefault((pattern.what, pattern.rate), []).append(100 * result.correct / run.images)
    return found


def half_interval(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean of samples; infinite for a single one."""
    count = len(values)
    if count < 2:
        return float("inf")
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return student(count - 1) * sqrt(variance / count)


def _wanted(values: Sequence[float], until: float, most: int) -> int:
    """Samples of a point: those that it has, or more where its interval is not met."""
    half = half_interval(values)
    if half <= until:
        return len(values)
    fitting = ceil(len(values) * min(4.0, (half / until) ** 2))
    return min(most, max(len(values) + 1, fitting))


def check_rates(rates: Sequence[float]) -> None:
    """CampaignError unless there are rates, ascending, each a probability."""
    if not rates:
        raise CampaignError("a sweep takes at least one rate")
    wrong = [rate for rate in rates if not 0 <= rate <= 1]
    if wrong:
        raise CampaignError(f"a rate is a probability, 0 to 1, got {wrong[0]:g}")
    for before, after in pairwise(rates):
        if after <= before:
            raise CampaignError(f"rates ascend, and {after:g} follows {before:g}")


def rate_grid(low: float, high: float, per_decade: int = 3) -> tuple[float, ...]:
    """Rates from ``low`` to ``high``, evenly spaced on a logarithmic scale, so many in each decade.

    Raises:
        CampaignError: the ends are no rates above 0, or do not ascend.
    """
    if not 0 < low < high <= 1:
        raise CampaignError(
            f"a grid of rates goes from one above 0 up to a larger one, at most 1, got {low:g}:{high:g}"
        )
    first, last = ceil(log10(low) * per_decade - 1e-9), floor(log10(high) * per_decade + 1e-9)
    inner = [10 ** (number / per_decade) for number in range(first, last + 1)]
    return tuple(sorted({float(f"{rate:.{DIGITS - 1}e}") for rate in (low, *inner, high)}))


def _pattern(cells: str, rate: float, sample: int) -> Pattern:
    found = parse_fault(f"{cells} ~ {rate!r} @ sample[{sample}]")
    assert isinstance(found, Pattern)
    return found


def _exists(network: AnySubject, cells: str) -> bool:
    try:
        check_faults(network, [_pattern(cells, 0.0, 0)])
    except FaultError:
        return False
    return True


def _numbers(texts: Sequence[str]) -> dict[tuple[str, float], int]:
    found: Counter[tuple[str, float]] = Counter()
    for text in texts:
        pattern = parse_fault(text)
        assert isinstance(pattern, Pattern)
        found[pattern.what, pattern.rate] += 1
    return dict(found)
