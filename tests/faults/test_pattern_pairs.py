"""Pairs of a random network and a pattern: the same predictions in reference, native, torch and qonnx.

``FAT_FPGA_PATTERN_PAIRS=1000`` compares as many, of other networks than those of `test_patterns`.
"""

from __future__ import annotations

import itertools
import os
import warnings

import numpy as np

from fat_fpga.engines import get
from fat_fpga.faults import AnyFault, Pattern
from fat_fpga.faults.expand import count_hits
from fat_fpga.network import Network
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import random_patterns

ENGINES = ("reference", "native", "torch", "qonnx")
"""The first one is what the others are compared with."""
PAIRS = int(os.environ.get("FAT_FPGA_PATTERN_PAIRS", "24"))
IMAGES = 2
PER_NETWORK = 10
MOST_WEIGHTS, MOST_LAYERS = 600, 3  # of a network that qonnx executes soon
MOST_HITS = 40  # of a pattern: qonnx has nodes of its own for each changed activation and accumulator


def hit(network: Network, fault: AnyFault) -> int:
    """Cells that a pattern hits, or faults of the set that it was."""
    return count_hits(network, fault, 0, IMAGES) if isinstance(fault, Pattern) else len(fault.faults)


def test_four_engines_predict_the_same() -> None:
    pairs = changed = hits = 0
    for seed in itertools.count(10_000):
        network = random_network(seed)
        if sum(unit.weights.size for unit in network.units) > MOST_WEIGHTS or len(network.layers) > MOST_LAYERS:
            continue
        images, labels = random_images(network, IMAGES, seed), np.zeros(IMAGES, np.int64)
        drawn = random_patterns(network, PER_NETWORK, seed, IMAGES)
        of_each = [hit(network, each) for each in drawn]
        patterns = [each for each, count in zip(drawn, of_each, strict=True) if count <= MOST_HITS]
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no engine hands over to another one
            expected, *others = (
                get(name).open(network).run(images, labels, patterns, predictions=True) for name in ENGINES
            )
        for name, outcome in zip(ENGINES[1:], others, strict=True):
            np.testing.assert_array_equal(outcome.predictions, expected.predictions, f"{name}, network {seed}")
        pairs += len(patterns)
        changed += int((expected.changed > 0).sum())
        hits += sum(count for count in of_each if count <= MOST_HITS)
        print(f"{pairs:,} pairs, {hits:,} hits, {changed:,} pairs with another class, 0 differ", flush=True)
        if pairs >= PAIRS:
            break
    assert changed >= PAIRS // 8  # the comparison is not of patterns that do nothing
