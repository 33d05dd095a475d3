"""``python -m benchmarks.update``: two ways of bringing a unit up to date behind a fault, and the choice between them.

The choice is steered by constants in ``fat_fpga/engines/native`` (``kDenseCost`` of each instruction set, ``kListing``,
``kBitColumn``, ``kBitMargin``): with right constants it is as fast as the faster of the two ways, or faster.
"""

from __future__ import annotations

import argparse
import os
from statistics import median
from time import perf_counter

from benchmarks.campaigns import faults_of
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine, chosen_instruction_set
from fat_fpga.engines.native_session import UPDATE
from fat_fpga.network import load_network

CASES = (("cnv_w1a1", "channel"), ("cnv_w1a1", "pixel"), ("cnv_w1a1", "weight"), ("cnv_w2a2", "channel"))
WAYS = ("automatic", "sparse", "popcount", "bytes")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.update", description=__doc__)
    parser.add_argument("--images", type=int, default=50, help="images of each campaign (default: 50)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the three (default: 3)")
    args = parser.parse_args()
    print(f"seconds by {chosen_instruction_set()}, median of {args.rounds} turns\n")
    print(f"{'':20}" + "".join(f"{way:>11}" for way in WAYS))
    for name, kind in CASES:
        network = load_network(name)
        data = load("demo:cifar10", limit=args.images)
        faults = faults_of(network, kind)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(args.rounds):
            for way in WAYS:
                os.environ[UPDATE] = way
                session = NativeEngine().open(network)
                started = perf_counter()
                session.run(data.images, data.labels, faults)
                seconds[way].append(perf_counter() - started)
        print(f"{name + ', ' + kind:20}" + "".join(f"{median(seconds[way]):11.2f}" for way in WAYS), flush=True)


if __name__ == "__main__":
    main()
