"""What a campaign says, in MLflow and Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run, measures, overall
from fat_fpga.tracking import TRACKERS, Value


def parameters_of(run: Run) -> dict[str, Value]:
    """What makes a run the one that it is."""
    what = run.identity
    return {
        "network": what.network, "network_fingerprint": what.network_fingerprint, "dataset": what.dataset,
        "dataset_fingerprint": what.dataset_fingerprint, "images": run.images, "fault_list": what.fault_list,
        "faults": run.asked, "kinds": run.origin.kinds,
    }  # fmt: skip


def summary_of(run: Run) -> dict[str, float]:
    """Accuracies in percent, and the worst and the mean of each measure beyond."""
    spread = overall(run)
    found = {"error_free": run.error_free_accuracy, "worst": spread.min, "mean": spread.mean, "done": float(run.done)}
    for measure in measures(run)[1:]:
        worst, mean = int(measure.values.min()), float(measure.values.mean())
        found |= {f"{measure.name}_worst": measure.figure(worst), f"{measure.name}_mean": measure.figure(mean)}
    return found


@checked
def track(run: Run, names: Sequence[str]) -> None:
    """Give the parameters of a run and its summary to trackers, keys of `fat_fpga.tracking.TRACKERS`."""
    title = run.identity.network if run.path is None else run.path.stem
    for name in names:
        tracker = TRACKERS[name](None, title, parameters_of(run))
        try:
            tracker.log(summary_of(run))
        finally:
            tracker.close()
