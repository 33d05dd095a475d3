"""Campaigns side by side: what Tables II, III and IV of Zahid et al. 2020 are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fat_fpga.arguments import checked
from fat_fpga.campaign import Result, Run, Spread, at_voters
from fat_fpga.errors import CampaignError
from fat_fpga.reports.words import words


@dataclass(frozen=True, eq=False)
class Entry:
    """What one run says about one kind of fault.

    Attributes:
        position: of the run among those given, from 0.
        name: what to call the run in tables and figures.
        run: the campaign.
        kind: of the faults.
        results: the run's finished faults of this kind, layers in network order; never empty.
    """

    position: int
    name: str
    run: Run
    kind: str
    results: tuple[Result, ...]

    def __repr__(self) -> str:
        return f"<Entry {self.name}: {self.kind}, {len(self.results):,} faults>"

    @cached_property
    def spread(self) -> Spread:
        """Over all the faults: minimum and variance are the columns of the paper's tables."""
        return Spread.within(self.run, self.results)

    @cached_property
    def layers(self) -> dict[str, Spread]:
        """Over the faults of each layer, all stuck values together; layers in network order."""
        groups: dict[str, list[Result]] = {}
        for result in self.results:
            groups.setdefault(result.layer, []).append(result)
        return {layer: Spread.within(self.run, own) for layer, own in groups.items()}

    @cached_property
    def outside(self) -> Spread | None:
        """Over the faults outside of voters' outputs; None where no fault is at one, or all are."""
        outside, behind = at_voters(self.run, self.results)
        return Spread.within(self.run, outside) if outside and behind else None

    @cached_property
    def voters(self) -> Spread | None:
        """Over the faults of voters' outputs, which the voter does not protect; None where there are none."""
        behind = at_voters(self.run, self.results)[1]
        return Spread.within(self.run, behind) if behind else None

    @property
    def drop(self) -> float:
        """What the worst fault costs: error-free accuracy less the minimum, in percentage points."""
        return 100 * (self.run.error_free - self.spread.worst.correct) / self.run.images


@dataclass(frozen=True, eq=False)
class Section:
    """All runs that hold faults of one kind, in the order in which they were given."""

    kind: str
    entries: tuple[Entry, ...]

    def __repr__(self) -> str:
        return f"<Section {self.kind}: {len(self.entries)} runs>"

    @cached_property
    def layers(self) -> list[str]:
        """The layers that occur, by their depth: how many matrix-vector units precede them in their network."""
        depth: dict[str, int] = {}
        for entry in self.entries:
            units = 0
            for row in entry.run.layers:
                depth[row.name] = min(units, depth.get(row.name, units))
                units += row.is_unit
        occurring = dict.fromkeys(layer for entry in self.entries for layer in entry.layers)
        return sorted(occurring, key=lambda layer: depth.get(layer, -1))

    @property
    def same_data(self) -> bool:
        """Whether all runs are on the same images and labels."""
        return len({entry.run.identity.dataset_fingerprint for entry in self.entries}) == 1

    def lacking(self, entry: Entry) -> list[str]:
        """Layers of the entry's own network in which other runs have faults, and it has none."""
        last = words(self.kind).last_layer
        own = {row.name for row in entry.run.layers if row.levels or (row.is_unit and last)}
        return [layer for layer in self.layers if layer in own and layer not in entry.layers]

    def partial(self, entry: Entry) -> bool:
        """Whether the entry's faults are drawn or given, and not the same faults as all the others have."""
        return not entry.run.origin.whole and not self.same_faults

    @cached_property
    def same_faults(self) -> bool:
        """Whether all runs have the very same faults."""
        return len({entry.run.identity.fault_list for entry in self.entries}) == 1

    @cached_property
    def rankings(self) -> list[list[Entry]]:
        """For each data set its runs, from the highest minimum accuracy to the lowest; equals in the order given.

        Left out are runs whose minimum may fall with the faults they lack: unfinished ones, samples, lists that
        somebody gave, and those that skip a layer. Samples or lists of the very same faults are ranked.
        """
        by_data: dict[str, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: -entry.spread.min):
            if entry.run.complete and not self.lacking(entry) and not self.partial(entry):
                by_data.setdefault(entry.run.identity.dataset_fingerprint, []).append(entry)
        return [ranking for ranking in by_data.values() if len(ranking) > 1]

    @property
    def leaders(self) -> list[Entry]:
        """On each data set of two runs or more the one with the highest minimum accuracy, or all that share it."""
        return [e for ranking in self.rankings for e in ranking if e.spread.min == ranking[0].spread.min]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side.

    Attributes:
        runs, names: in the order given.
        sections: one for each kind of fault, in order of first appearance.
        same_data: whether all runs are on the same images and labels.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    sections: tuple[Section, ...]
    same_data: bool

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.runs)} runs: {', '.join(self.names)}>"


@checked
def compare(
    runs: Sequence[Run], names: Sequence[str] | None = None, *, allow_different_data: bool = False
) -> Comparison:
    """Set campaigns side by side, kind of fault by kind of fault.

    >>> from fat_fpga.campaign import Run
    >>> runs = [Run.open("sat.run"), Run.open("fat.run")]                  # doctest: +SKIP
    >>> (channel,) = compare(runs, ["SAT", "FAT"]).sections                # doctest: +SKIP
    >>> for entry in channel.entries:                                      # doctest: +SKIP
    ...     print(entry.name, entry.run.error_free_accuracy, entry.spread.min, entry.spread.variance)

    Args:
        runs: at least two; their networks may differ. Unfinished ones take part with the faults that are done.
        names: one for each run, unique among the runs with faults of one kind; by default the networks' names, and
            where these are equal the names of the run files.
        allow_different_data: admit runs on different images, as Table II does.

    Raises:
        CampaignError: fewer than two runs, one without a finished fault, different data, no kind of fault that two runs
            share, or names that are too few, too many or not unique.
    """
    if len(runs) < 2:
        raise CampaignError(f"a comparison takes at least two runs, got {len(runs)}")
    for run in runs:
        if not run.done:
            raise CampaignError(f"{run.title} has no finished fault to compare: let the campaign run for a while")
    if len({run.outputs is None for run in runs}) > 1:
        values = next(run for run in runs if run.outputs is not None)
        raise CampaignError(f"{values.title} has outputs that are no classes, and others have classes: no comparison")
    same_data = len({run.identity.dataset_fingerprint for run in runs}) == 1
    if not same_data and not allow_different_data:
        raise CampaignError(f"the runs are on different data ({_data(runs)}): allow it with --allow-different-data")
    kinds = [list(dict.fromkeys(result.kind for result in run.results)) for run in runs]
    count = Counter(kind for own in kinds for kind in own)
    if max(count.values()) < 2:
        each = ", ".join(f"{run.title} has {' and '.join(own)} faults" for run, own in zip(runs, kinds, strict=True))
        raise CampaignError(f"nothing to compare, no two runs have the same kind of fault: {each}")
    names = _default_names(runs, kinds) if names is None else _checked_names(names, runs, kinds)
    sections = []
    for kind in count:
        entries = tuple(
            Entry(position, name, run, kind, tuple(result for result in run.results if result.kind == kind))
            for position, (name, run, own) in enumerate(zip(names, runs, kinds, strict=True))
            if kind in own
        )
        sections.append(Section(kind, entries))
    return Comparison(tuple(runs), tuple(names), tuple(sections), same_data)


def _data(runs: Sequence[Run]) -> str:
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.identity.dataset_fingerprint, run)
    return ", ".join(
        f"{run.title} on {run.identity.dataset}, {run.images:,} images [{run.identity.dataset_fingerprint[:8]}]"
        for run in first.values()
    )


def _checked_names(names: Sequence[str], runs: Sequence[Run], kinds: Sequence[Sequence[str]]) -> Sequence[str]:
    if len(names) != len(runs):
        raise CampaignError(f"expected one name for each of the {len(runs)} runs, got {len(names)}: {', '.join(names)}")
    for (name, kind), count in Counter((n, k) for n, own in zip(names, kinds, strict=True) for k in own).items():
        if count > 1:
            raise CampaignError(f"names must tell runs apart, but {count} runs with {kind} faults are called '{name}'")
    return names


def _default_names(runs: Sequence[Run], kinds: Sequence[Sequence[str]]) -> list[str]:
    """The shortest of network, network and file, network, file and number that is unique among runs of one kind."""
    names = [run.identity.network for run in runs]
    files = [_with_file(run) for run in runs]
    for longer in (files, [f"{file} #{i}" for i, file in enumerate(files, 1)]):
        count = Counter((name, kind) for name, own in zip(names, kinds, strict=True) for kind in own)
        shared = [max(count[name, kind] for kind in own) > 1 for name, own in zip(names, kinds, strict=True)]
        names = [new if twice else name for name, new, twice in zip(names, longer, shared, strict=True)]
    return names


def _with_file(run: Run) -> str:
    network = run.identity.network
    if run.path is None:
        return network
    file = run.path.stem
    return file if network in file else f"{network} ({file})"
