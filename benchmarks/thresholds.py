"""How many flips in threshold memories do something else where hardware searches than where it counts.

python -m benchmarks.thresholds cnv_w2a2 --data cifar10:data --images 1000 --sample 500
"""

from __future__ import annotations

import argparse

import numpy as np

from fat_fpga import fault_space, load_data, load_network
from fat_fpga.engines import get
from fat_fpga.faults import Fault, changes_of, places
from fat_fpga.faults.changes import stored_words
from fat_fpga.network import Network
from fat_fpga.network.operators.threshold_logic import COUNT, SEARCH


def out_of_order(network: Network, fault: Fault) -> bool:
    """Whether a fault leaves the words of its channel in another order than an ascending one."""
    layer = places(network)[fault.layer].thresholded
    assert layer is not None
    words = stored_words(layer, changes_of(network, [fault]))[fault.index[0]]
    return bool((np.diff(words.astype(np.int64)) < 0).any())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    network, data = load_network(args.model), load_data(args.data, limit=args.images)
    space = fault_space(network, "threshold")
    faults = space.sample(args.sample, args.seed)
    runs = [
        get("native").open(network.with_threshold_logic(logic)).run(data.images, data.labels, faults, predictions=True)
        for logic in (COUNT, SEARCH)
    ]
    counted, searched = (run.predictions for run in runs)
    assert counted is not None
    assert searched is not None
    differ = counted != searched
    print(f"{network.name}: {len(faults):,} of {len(space):,} flips, {len(data.images):,} images")
    print(f"words out of order           {100 * np.mean([out_of_order(network, fault) for fault in faults]):.1f} %")
    print(f"flips, predictions differ    {100 * differ.any(axis=1).mean():.1f} % ({differ.any(axis=1).sum()})")
    print(f"predictions that differ      {100 * differ.mean():.3f} %")


if __name__ == "__main__":
    main()
