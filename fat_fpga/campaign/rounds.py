"""Campaigns whose list of faults grows until what they are to say is known well enough.

The list of each round begins with that of the round before, so nothing is computed twice; the run file is written anew
with the longer list, whole or not at all. Which faults a round takes follows from the plan and from the counts in the
file alone, so a campaign that was stopped continues with the same ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from fat_fpga.arguments import checked
from fat_fpga.campaign.identity import Identity, ordered
from fat_fpga.campaign.run import Run
from fat_fpga.campaign.runner import run_campaign
from fat_fpga.campaign.sample_plan import SamplePlan
from fat_fpga.campaign.selection import Selection
from fat_fpga.campaign.store import grow
from fat_fpga.datasets.in_memory import LabelledImages, as_dataset
from fat_fpga.engines import Engine, default_engine, get
from fat_fpga.faults import AnySubject, FaultSpace


class Rounds(Protocol):
    """What decides on the faults of each round."""

    def first(self) -> Selection:
        """The faults of the first round."""

    def of(self, run: Run) -> Selection:
        """The faults that a run file holds, again; CampaignError where it is of another plan."""

    def more(self, run: Run) -> Selection | None:
        """A longer list, which begins with that of a finished run; None where it is known enough."""


class UntilMargin:
    """Rounds of a `SamplePlan`."""

    def __init__(self, plan: SamplePlan, space: FaultSpace, network: AnySubject) -> None:
        self._plan, self._space, self._network = plan, space, network

    def first(self) -> Selection:
        return self._plan.selection(self._space, self._network)

    def of(self, run: Run) -> Selection:
        return self._plan.selection_of(run, self._space)

    def more(self, run: Run) -> Selection | None:
        return self._plan.more(run, self._space)


@checked
def run_in_rounds(
    network: AnySubject,
    dataset: LabelledImages,
    rounds: Rounds,
    path: str | os.PathLike[str],
    engine: str | Engine | None = None,
    counting: Sequence[str] = (),
    **options: Any,
) -> Run:
    """Run a campaign, and again with more faults, until ``rounds`` asks for no more.

    Continues where an earlier call with the same network, data and plan was stopped.

    >>> plan = SamplePlan(margin=1, confidence=99, by=("layer", "bit"), aware=True)
    >>> rounds = UntilMargin(plan, fault_space(network, "weight"), network)          # doctest: +SKIP
    >>> run = run_in_rounds(network, load_data("cifar10:data"), rounds, "weights.run")  # doctest: +SKIP

    Args:
        path: the run file.
        counting, options: as `run_campaign` takes them.

    Raises:
        CampaignError: as `run_campaign`, and where the file is of another plan.
    """
    path, dataset = Path(path), as_dataset(dataset)
    engine = get(engine or default_engine(network)) if engine is None or isinstance(engine, str) else engine
    selection = rounds.of(Run.open(path)) if path.exists() else rounds.first()
    while True:
        run = run_campaign(network, dataset, selection, path, engine, counting=counting, **options)
        longer = rounds.more(run)
        if longer is None:
            return run
        selection = longer
        faults = ordered(network, selection.faults)
        grow(
            path,
            Identity.of(network, dataset, faults, tuple(filter(None, run.identity.counting.split(",")))),
            selection.origin,
            faults,
            engine.name,
        )
