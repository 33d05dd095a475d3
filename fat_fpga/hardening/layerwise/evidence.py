"""What runs say of the faults in each layer: the accuracy under the worst of each threat.

A threat is a kind of single fault (``channel``), or errors at a rate (``weight[*].bit[*] ^ 1 ~ 0.001``). A run without
measures says what each threat does to each layer, runs with measures what is left of it. Nothing is assumed about what
a measure does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fat_fpga.campaign import Result, Run
from fat_fpga.campaign.origin import PATTERNS
from fat_fpga.errors import PlanError
from fat_fpga.faults import fault_model
from fat_fpga.faults.pattern import EVERY, JOIN
from fat_fpga.faults.protection import OnDetect, Protection
from fat_fpga.hardening.layerwise.measure import Measures

WORST, MEAN = "worst", "mean"
"""What counts of the samples of a sweep."""
CODED = "weight"
"""The kind of fault whose memory the codes of plans are over."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Runs of one network with the same measures.

    Attributes:
        measures: what the network had.
        golden: images correct without faults.
        outcomes: images correct under the worst fault, by layer and threat; with `MEAN` a mean over samples.
        channels: physical output channels of each layer.
        protection: the code of its sweeps, as they had it; None without.
        fingerprint: of the network.
    """

    measures: Measures
    golden: int
    outcomes: Mapping[tuple[str, str], Fraction]
    channels: Mapping[str, int]
    protection: Protection | None
    fingerprint: str

    @property
    def threats(self) -> list[str]:
        """In the order of the runs."""
        return list(dict.fromkeys(threat for _, threat in self.outcomes))


def evidence(measures: Measures, runs: Sequence[Run], judge: str = WORST, up_to: float | None = None) -> Evidence:
    """What runs of one network say.

    Args:
        measures: what the network had in these runs.
        judge: of errors at a rate, ``worst`` sample or ``mean`` of the samples.
        up_to: errors at higher rates are left out.

    Raises:
        PlanError: the runs are unfinished, of several networks or data, with errors in several layers at once, or with
            another code than ``measures`` say.
    """
    first = runs[0]
    found: dict[tuple[str, str], list[int]] = {}
    codes: list[Protection | None] = []
    for run in runs:
        _check(run, first)
        for result in run.results:
            layer, threat, rate, code = _threat(run, result)
            if rate is None or up_to is None or rate <= up_to:
                found.setdefault((layer, threat), []).append(result.correct)
            if rate is not None and code not in codes and (code or CODED in result.kind.removeprefix(PATTERNS)):
                codes.append(code)
    if not found:
        raise PlanError(f"no errors of {first.title} have a rate of at most {up_to:g}")
    protection = _code_of(measures, codes, first)
    patterned = {threat for _, threat in found if " ~ " in threat}
    outcomes = {
        key: Fraction(sum(own), len(own)) if judge == MEAN and key[1] in patterned else Fraction(min(own))
        for key, own in found.items()
    }
    channels = {row.name: row.channels for row in first.layers}
    return Evidence(measures, first.error_free, outcomes, channels, protection, first.identity.network_fingerprint)


def check_alike(base: Run, others: Iterable[Run]) -> None:
    """PlanError unless runs are on the same images."""
    for run in others:
        if run.identity.dataset_fingerprint != base.identity.dataset_fingerprint or run.images != base.images:
            raise PlanError(
                f"{run.title} is on {run.images:,} images of {run.identity.dataset}, {base.title} on {base.images:,} "
                f"of {base.identity.dataset}: measures are compared on the same images"
            )


def _check(run: Run, first: Run) -> None:
    if run.outputs is not None:
        raise PlanError(f"{run.title} is on a network whose outputs are no classes: a promise is an accuracy")
    if not run.complete:
        raise PlanError(f"{run.title} is unfinished, {run.done:,} of {run.asked:,} faults: finish it first")
    if run.identity.network_fingerprint != first.identity.network_fingerprint:
        raise PlanError(
            f"{run.title} is on {run.identity.network} ({run.identity.network_fingerprint[:8]}), {first.title} on "
            f"{first.identity.network} ({first.identity.network_fingerprint[:8]}): runs with the same measures are on "
            "one network"
        )
    check_alike(first, [run])


def _threat(run: Run, result: Result) -> tuple[str, str, float | None, Protection | None]:
    """Layer, threat, rate and code of a fault."""
    several = f"{run.title} has errors in several layers at once, {result.fault}: take --scope layer"
    if not result.kind.startswith(PATTERNS):
        if result.members:
            raise PlanError(several)
        return result.layer, result.kind, None, None
    pattern = result.pattern
    if pattern.layer == EVERY or JOIN in pattern.layer:
        raise PlanError(several)
    if pattern.protection is not None and any(k != CODED for k in pattern.kinds if fault_model(k).traits.stored):
        raise PlanError(f"{run.title} has a code over {pattern.kind}: plans price codes over {CODED} memories alone")
    text = f"{pattern.errors.removeprefix(pattern.layer + '/')} ~ {pattern.rate:g}"
    return pattern.layer, text, pattern.rate, pattern.protection


def _code_of(measures: Measures, codes: Sequence[Protection | None], first: Run) -> Protection | None:
    """The one code that sweeps of weights had; PlanError where it is not the one of the measures."""
    found = [code for code in codes if code is not None]
    names = {code.code for code in found} if len(found) == len(codes) else {"", *(code.code for code in found)}
    if measures.code and (names != {measures.code} or len(found) > 1):
        was = ", ".join(map(str, found)) or "none"
        raise PlanError(
            f"{measures} needs one sweep of weights at least, with --protect {measures.code} and one size of words; "
            f"{first.title} and its like have {was}"
        )
    if found and not measures.code:
        raise PlanError(f"{first.title} has {found[0]}, and is given as {measures}")
    if found and found[0].detected is OnDetect.RELOAD:
        raise PlanError(f"{first.title} has words written anew from outside: what does that is not priced here")
    if found and found[0].code == "parity" and found[0].detected is not OnDetect.ERASE:
        raise PlanError(f"{first.title} has parity that tells of errors and does nothing: take --on-detect erase")
    return found[0] if found else None
