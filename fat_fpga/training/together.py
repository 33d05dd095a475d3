"""Several trainings at once on one device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch

from fat_fpga.training.run import TrainingRun


def train_together(
    runs: Sequence[TrainingRun], report: Callable[[TrainingRun, dict[str, Any]], None] = lambda run, metrics: None
) -> None:
    """Train all ``runs`` to their last epoch, a step of each in turn.

    On a GPU each network has a stream of its own, so their kernels overlap: a small network alone leaves most of the
    device idle. On a CPU it takes as long as one after the other, and a training ends with the same weights as alone.
    On a GPU sums have no fixed order, and the networks draw from one generator: the weights are as good, not the same.

    Args:
        runs: of `training_run`.
        report: is called after each epoch with the run and the epoch's metrics.
    """
    turn = deque((run, run.go_on(), torch.get_rng_state()) for run in runs)
    try:
        while turn:
            run, steps, state = turn.popleft()
            torch.set_rng_state(state)
            for metrics in steps:
                if metrics is not None:
                    report(run, metrics)
                turn.append((run, steps, torch.get_rng_state()))
                break
    finally:
        for run in runs:
            run.end()
