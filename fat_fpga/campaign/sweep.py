"""Sweeps: errors at several rates, many samples of each (Reagen et al., Ares, DAC 2018).

A sweep is a campaign over patterns (`fat_fpga.faults.Pattern`): rates x samples x scopes, in a run file like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fat_fpga.campaign.origin import PATTERNS, SWEEP, Origin
from fat_fpga.campaign.rates import Scrubbing, check_rates
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
STEP = 1_000_000
"""Samples of one seed are numbered from seed x STEP on."""
ADDED = ("burst", "protection", "scrubbing")
"""Attributes that sweeps of older files have not; they are kept where they say something."""


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
