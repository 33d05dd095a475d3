"""Which channels share a PE: permuting output channels so that few PEs need copies.

Output channels may stand in any order, as long as the layer behind reads its inputs in the same one: the function
stays. Under a folding a stuck PE takes all channels of its lane at once. What that costs does not follow from what each
channel costs alone, so every grouping that is considered is tried: all channels of a lane stuck together, in the
network as it is, on all images. That is exactly PE p stuck in the reordered network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fat_fpga.campaign.progress import Bar
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import Session
from fat_fpga.faults import AnyFault, Fault
from fat_fpga.faults.fault import single_or_set
from fat_fpga.hardening.criticality import Criticality
from fat_fpga.hardening.plan import CHANNEL, PE, Expected
from fat_fpga.hardening.values import check_model
from fat_fpga.network import Network
from fat_fpga.network.folding import Fold

Group = tuple[int, ...]
"""The channels of one lane, one for each fold."""
Groups = tuple[Group, ...]
Judge = Callable[[str, Sequence[Group]], dict[tuple[Group, int], tuple[int, int]]]
"""Images correct and changed for each group of a unit and each stuck value."""


def natural(channels: int, pe: int) -> Groups:
    """Lanes without permutation: channel c on PE ``c mod pe``."""
    return tuple(tuple(range(lane, channels, pe)) for lane in range(pe))


def gathered(ranked: Sequence[int], pe: int, full: int) -> Groups:
    """The most critical channels fill ``full`` lanes, one lane after the other; the rest is dealt out in turn.

    With ``full = ceil(n / folds)`` the n most critical channels are in the fewest lanes that can hold them.
    """
    folds = len(ranked) // pe
    first = [tuple(ranked[lane * folds : (lane + 1) * folds]) for lane in range(full)]
    rest = ranked[full * folds :]
    return (*first, *(tuple(rest[lane :: pe - full]) for lane in range(pe - full)))


def order_of(groups: Groups) -> tuple[int, ...]:
    """The channel at each position, for lanes ``position mod PE``."""
    return tuple(group[fold] for fold in range(len(groups[0])) for group in groups)


@dataclass
class Trial:
    """Tries groups of channels stuck together; each once.

    Attributes:
        session: an engine, opened for the network.
        dataset: what to try it on.
        progress: show a progress bar on standard error.
    """

    session: Session
    dataset: Dataset
    progress: bool = False
    _known: dict[tuple[str, Group, int], tuple[int, int]] = field(default_factory=dict, repr=False)

    def __call__(self, unit: str, groups: Sequence[Group]) -> dict[tuple[Group, int], tuple[int, int]]:
        layer = next(layer for layer in self.session.network.units if layer.name == unit)
        assert layer.levels is not None
        wanted = [(group, int(value)) for group in groups for value in layer.levels.values]
        missing = [(g, v) for g, v in wanted if (unit, tuple(sorted(g)), v) not in self._known]
        if missing:
            faults = [_stuck(unit, group, value) for group, value in missing]
            images, labels = self.dataset.images, self.dataset.labels
            label = f"{unit}: {len(faults):,} {'trial' if len(faults) == 1 else 'trials'} of stuck lanes"
            with Bar(len(faults), 0, len(images), self.progress, label, tell_saved=False) as bar:
                outcome = self.session.run(
                    images, labels, faults, progress=lambda done: bar.at_work(len(faults) * done)
                )
                bar.saved(len(faults))
            for (g, v), correct, changed in zip(missing, outcome.correct, outcome.changed, strict=True):
                self._known[unit, tuple(sorted(g)), v] = int(correct), int(changed)
        return {(g, v): self._known[unit, tuple(sorted(g)), v] for g, v in wanted}


def _stuck(unit: str, group: Group, value: int) -> AnyFault:
    return single_or_set(Fault(unit, CHANNEL, (channel,), value) for channel in sorted(group))


@dataclass(frozen=True)
class Gathered:
    """What the search found for one unit.

    Attributes:
        groups: channels of each lane.
        failing: lanes that need copies for the target.
        before: lanes that need copies without permutation.
        counts: images correct and changed, for each lane and stuck value.
    """

    groups: Groups
    failing: int
    before: int
    counts: dict[tuple[Group, int], tuple[int, int]]


def search(unit: str, ranked: Sequence[int], critical: int, pe: int, target: int, judge: Judge) -> Gathered:
    """The grouping with the fewest lanes that need copies, among those that are tried.

    Tried are: no permutation; all channels in order of criticality, lane after lane; and, from K = ceil(critical /
    folds) up, K lanes filled with the most critical channels and the others dealt out, until every dealt lane keeps the
    target or no improvement is possible. Of equals the first.

    Args:
        ranked: channels, most critical first.
        critical: how many of them miss the target on their own.
    """
    channels, folds = len(ranked), len(ranked) // pe

    def tried(groups: Groups) -> tuple[int, Groups]:
        return _failing(judge(unit, groups), target), groups

    start = tried(natural(channels, pe))
    best = start
    if best[0]:
        best = min(best, tried(gathered(ranked, pe, pe)), key=lambda found: found[0])
    lanes = -(-critical // folds)
    while lanes < best[0]:
        best = min(best, tried(gathered(ranked, pe, lanes)), key=lambda found: found[0])
        lanes += 1
    failing, groups = best
    return Gathered(groups, failing, start[0], judge(unit, groups))


def _failing(counts: Mapping[tuple[Group, int], tuple[int, int]], target: int) -> int:
    return len({group for (group, _), (correct, _) in counts.items() if correct < target})


def gather(
    criticality: Criticality, network: Network, folds: Mapping[str, Fold], target: int, judge: Judge
) -> tuple[Criticality, dict[str, tuple[int, ...]], dict[str, Gathered]]:
    """Permute every unit for a target, from a campaign of single channels.

    Returns:
        What is known of the PEs of the reordered network, the order of the channels of each unit, and what the search
        found.

    Raises:
        PlanError: the network is not the one of the campaign.
    """
    check_model(criticality.run, network)
    found, orders, worst, changed, expected = {}, {}, {}, {}, []
    for unit in criticality.design[:-1]:
        name, pe = unit.name, folds[unit.name].pe
        own = search(name, criticality.ranked(name), criticality.forced(name, target), pe, target, judge)
        found[name], orders[name] = own, order_of(own.groups)
        least = []
        for lane, group in enumerate(own.groups):
            counts = {value: count for (g, value), count in own.counts.items() if g == group}
            least.append(min((correct, -other) for correct, other in counts.values()))
            expected += [Expected(str(Fault(name, PE, (lane,), v, of=pe)), *counts[v]) for v in counts]
        worst[name] = np.array([correct for correct, _ in least], np.int64)
        changed[name] = np.array([-other for _, other in least], np.int64)
    run = criticality.run
    return Criticality(run, PE, criticality.design, worst, changed, tuple(expected)), orders, found
