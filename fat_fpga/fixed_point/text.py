"""Networks in fixed point as tables."""

from __future__ import annotations

from fat_fpga.fixed_point.minimal import Trial
from fat_fpga.fixed_point.quantise import Quantised
from fat_fpga.text import align, percent

HEAD = ["layer", "weights", "activations", "number of weights", "largest |weight|", "clipped", "bits of sums"]


def table(quantised: Quantised) -> str:
    """One row for each layer, and how many bits all weights have."""
    rows = [HEAD]
    for row in quantised.rows:
        form = ["-"] * 5
        if row.weights is not None:
            form = [str(row.weights), f"{row.count:,}", f"{row.largest:.4g}", f"{row.clipped:,}", str(row.sum_bits)]
        weights, *rest = form
        rows.append([row.name, weights, "sums" if row.activations is None else str(row.activations), *rest])
    weighted = [row for row in quantised.rows if row.weights is not None]
    count = sum(row.count for row in weighted)
    bits = sum(row.count * row.weights.bits for row in weighted if row.weights is not None)
    return f"{align(rows, left=(0, 1, 2))}\n\n{count:,} weights, {bits:,} bits of them"


def trial_text(trial: Trial, needed: int, count: int) -> str:
    """A trial of a search in a line."""
    formats = f"{trial.formats.weights} weights, {trial.formats.activations} activations"
    if " of " in trial.what:
        kind, _, layer = trial.what.partition(" of ")
        form = trial.formats.weights_of(layer) if kind == "weights" else trial.formats.activations_of(layer)
        formats = f"{trial.what} {form}"
    found = f"{trial.correct:,} of {count:,} images ({percent(100 * trial.correct / count)} %)"
    return f"{formats}: {found}, {'enough' if trial.enough else f'{needed - trial.correct:,} too few'}"
