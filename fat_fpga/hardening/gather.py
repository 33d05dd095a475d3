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
from fat_fpga.faults.place import tried
from fat_fpga.hardening.criticality import Criticality
from fat_fpga.hardening.plan import CHANNEL, PE, Expected
from fat_fpga.hardening.ties import ties
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
        wanted = [(group, int(value)) for group in groups for value in tried(layer.levels)]
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


@dataclass(frozen=True)
class Part:
    """A unit whose channels are to be grouped, alone or in one order with others.

    Attributes:
        ranked: channels, most critical first.
        critical: how many of them miss the target on their own.
        weight: what a row of it costs, to weigh units against each other.
        whole: whether all of its PEs need copies where one does.
    """

    unit: str
    ranked: tuple[int, ...]
    critical: int
    pe: int
    weight: int = 1
    whole: bool = False

    @property
    def folds(self) -> int:
        return len(self.ranked) // self.pe

    def groups(self, order: Sequence[int]) -> Groups:
        """Channels of each lane where the channels are in some order."""
        return tuple(tuple(order[lane :: self.pe]) for lane in range(self.pe))


def search(unit: str, ranked: Sequence[int], critical: int, pe: int, target: int, judge: Judge) -> Gathered:
    """As `search_together`, for a unit alone."""
    return search_together([Part(unit, tuple(ranked), critical, pe)], target, judge)[unit]


def search_together(parts: Sequence[Part], target: int, judge: Judge) -> dict[str, Gathered]:
    """One order of channels for units that are tied, with the fewest rows that need copies, among those that are tried.

    Tried are: no permutation; and for each unit, and each ranking (of all units together, then of each), all channels
    in order of criticality, lane after lane; and, from K = ceil(critical / folds) up, K lanes filled with the most
    critical channels and the others dealt out, until every dealt lane keeps the target or no improvement is possible.
    Of equals the first.
    """
    order = tuple(range(len(parts[0].ranked)))

    def failing(part: Part, order: Sequence[int]) -> int:
        count = _failing(judge(part.unit, part.groups(order)), target)
        return part.pe if part.whole and count else count

    def tried(order: Sequence[int]) -> tuple[int, tuple[int, ...], list[int]]:
        counts = [failing(part, order) for part in parts]
        price = sum(count * part.folds * part.weight for count, part in zip(counts, parts, strict=True))
        return price, tuple(order), counts

    best = start = tried(order)
    for number, part in enumerate(parts):
        for ranked, critical in _rankings(parts, part):
            if best[0]:
                best = min(best, tried(order_of(gathered(ranked, part.pe, part.pe))), key=lambda found: found[0])
            lanes = -(-critical // part.folds)
            while lanes < best[2][number]:
                best = min(best, tried(order_of(gathered(ranked, part.pe, lanes))), key=lambda found: found[0])
                lanes += 1
    found = {}
    for number, part in enumerate(parts):
        groups = part.groups(best[1])
        found[part.unit] = Gathered(groups, best[2][number], start[2][number], judge(part.unit, groups))
    return found


def _rankings(parts: Sequence[Part], own: Part) -> list[tuple[tuple[int, ...], int]]:
    """Rankings of the channels to try for a unit, with the number of critical ones: that of the most critical channels
    of all units, then its own."""
    if len(parts) == 1:
        return [(own.ranked, own.critical)]
    places = [{channel: place for place, channel in enumerate(part.ranked)} for part in parts]
    critical = {channel for part in parts for channel in part.ranked[: part.critical]}
    joint = sorted(own.ranked, key=lambda c: (c not in critical, min(place[c] for place in places), c))
    return [(tuple(joint), len(critical)), (own.ranked, own.critical)]


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
    found = _search_all(criticality, network, folds, target, judge)
    orders, worst, changed, expected = {}, {}, {}, []
    for unit in criticality.design[:-1]:
        name, pe, own = unit.name, folds[unit.name].pe, found[unit.name]
        orders[name] = order_of(own.groups)
        least = []
        for lane, group in enumerate(own.groups):
            counts = {value: count for (g, value), count in own.counts.items() if g == group}
            least.append(min((correct, -other) for correct, other in counts.values()))
            expected += [Expected(str(Fault(name, PE, (lane,), v, of=pe)), *counts[v]) for v in counts]
        worst[name] = np.array([correct for correct, _ in least], np.int64)
        changed[name] = np.array([-other for _, other in least], np.int64)
    run = criticality.run
    return (
        Criticality(run, PE, criticality.design, worst, changed, tuple(expected), (), criticality.network),
        orders,
        found,
    )


def _search_all(
    criticality: Criticality, network: Network, folds: Mapping[str, Fold], target: int, judge: Judge
) -> dict[str, Gathered]:
    """What the search finds for every unit; units whose order nothing can change stay as they are."""
    parts = {}
    for unit in criticality.design[:-1]:
        ranked, critical = criticality.ranked(unit.name), criticality.forced(unit.name, target)
        whole, weight = unit.groups > 1, unit.built_inputs * unit.pixels
        parts[unit.name] = Part(unit.name, tuple(ranked), critical, folds[unit.name].pe, weight, whole)
    known, found = ties(network), dict[str, Gathered]()
    for together in known.together:
        found |= search_together([parts[name] for name in together], target, judge)
    for name in known.fixed:
        part = parts[name]
        groups = natural(len(part.ranked), part.pe)
        counts = judge(name, groups)
        failing = _failing(counts, target)
        failing = part.pe if part.whole and failing else failing
        found[name] = Gathered(groups, failing, failing, counts)
    return {unit.name: found[unit.name] for unit in criticality.design[:-1]}
