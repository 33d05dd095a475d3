"""The claims of Ares (Reagen et al., DAC 2018) on bundled networks: steepness, layers, weights and activations.

    python -m benchmarks.ares tfc_w2a2 --data mnist:DIR -o runs
    python -m benchmarks.ares cnv_w1a1 --data cifar10:DIR --rates 1e-6:1e-1:2 -o runs

Three sweeps for each network: errors in all weights, in the weights of each layer, and in all activations. They are run
files; a run that was stopped continues. The table at the end is what ``docs/rates.md`` shows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fat_fpga.campaign import Run
from fat_fpga.campaign.rates import rate_grid
from fat_fpga.campaign.rounds import run_in_rounds
from fat_fpga.campaign.sweep import Sweep
from fat_fpga.campaign.sweep_rounds import UntilInterval
from fat_fpga.datasets import load
from fat_fpga.engines.counts import ERRORS
from fat_fpga.network import load_network
from fat_fpga.reports.curves import LOSSES, Curve, curves
from fat_fpga.reports.sweep_text import rate_text, spread_line
from fat_fpga.text import align

SWEEPS = {"weights": ("weight", "network"), "layers": ("weight", "layer"), "activations": ("activation", "network")}
"""Kind and scope of each sweep."""


def grid(text: str) -> tuple[float, ...]:
    """Rates of errors: ``LOW:HIGH:N`` with N in each decade, or a list separated by commas."""
    if ":" not in text:
        return tuple(map(float, text.split(",")))
    low, high, per_decade = text.split(":")
    return rate_grid(float(low), float(high), int(per_decade))


def main() -> None:
    parser = argparse.ArgumentParser(description="The claims of Ares, measured on our networks.")
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    parser.add_argument("--data", required=True)
    parser.add_argument("--images", type=int)
    parser.add_argument("--samples", type=int, default=150)
    parser.add_argument("--rates", type=grid, default=grid("1e-5:1e-1:2"))
    parser.add_argument("--sweeps", default=",".join(SWEEPS))
    parser.add_argument("--engine", default="native")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    names = args.sweeps.split(",")
    for name in args.networks:
        network = load_network(name)
        data = load(args.data, limit=args.images, shape=network.input.shape)
        found: dict[str, Run] = {}
        for what in names:
            kind, scope = SWEEPS[what]
            sweep = Sweep((kind,), args.rates, args.samples, scope)
            path = args.output / f"{name}_{what}.run"
            rounds = UntilInterval(sweep, network)
            found[what] = run_in_rounds(network, data, rounds, path, args.engine, counting=(ERRORS,))
        print(f"{name}, {len(data.images):,} images, {args.samples} samples of each of {len(args.rates)} rates")
        print(table(found))


def table(found: dict[str, Run]) -> str:
    """Tolerated rates of every curve, and the figures that the paper's claims are about."""
    rows = [["errors in", *(f"{loss:g} points" for loss in LOSSES), "steepness"]]
    for run in found.values():
        rows += [
            [curve.name, *(rate_text(curve, loss) for loss in LOSSES), steepness(curve)]
            for curve in curves(run)
        ]  # fmt: skip
    lines = [align(rows)]
    if "layers" in found:
        lines.append(spread_line(curves(found["layers"])))
    if {"weights", "activations"} <= set(found):
        weights, activations = (curves(found[what])[0] for what in ("weights", "activations"))
        for loss in LOSSES:
            one, other = weights.tolerated(loss), activations.tolerated(loss)
            if one and other:
                more = " or more" if activations.beyond(loss) else ""
                lines.append(
                    f"at {loss:g} points activations tolerate {other / one:.3g}{more} times the rate of weights"
                )
    return "\n".join(lines) + "\n"


def steepness(curve: Curve) -> str:
    """By which factor the rate grows from 1 to 10 points of loss."""
    low, high = curve.tolerated(LOSSES[1]), curve.tolerated(LOSSES[-1])
    if not low or not high or curve.beyond(LOSSES[-1]):
        return ""
    return f"{high / low:.2g}"


if __name__ == "__main__":
    main()
