"""Random networks and faults through kernels that were compiled with sanitisers: ``make sanitise``.

The sanitisers stop the process at the first access outside an array and the first undefined operation. Predictions
are compared with the reference engine as well, so that a run that reads nothing wrong but decides wrong fails, too.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine, instruction_sets
from fat_fpga.engines.native_session import UPDATE, UPDATES
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import AnyFault, draws
from fat_fpga.network import Levels, MatrixVectorUnit, Network
from tests.designs.random_faults import mixed_faults
from tests.designs.random_graph import random_graph, random_groups
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import random_patterns
from tests.designs.wide_network import wide_network

FAULTS = 60  # of each network
PATTERNS = 12  # patterns and large sets, beside them
IMAGES = 4
BATCH = 16  # networks that the processes share out before pairs are counted
EVERY_WIDE, EVERY_BIPOLAR, EVERY_GRAPH = 16, 3, 2  # networks, of which one is wide, bipolar or a graph
WIDE = ((Levels(-8, 1, 16), -127, 127), (Levels(-1, 2, 2), -8, 7), (Levels(-8, 1, 16), -8, 7))


def take_modules(build: Path) -> None:
    """Let the package find the compiled modules of that build; SystemExit where they have no sanitisers."""
    for path in sorted((build / "fat_fpga").glob("*/_*.so")):
        if b"__asan_init" not in path.read_bytes():
            sys.exit(f"{path} is not compiled with sanitisers: use make sanitise")
        name = f"fat_fpga.{path.parent.name}.{path.name.split('.')[0]}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    vars(draws)["_draw"] = sys.modules["fat_fpga.faults._hits"].draw


def subject(seed: int) -> Network:
    """A random network: a graph or one with groups, a chain, every third one of bipolar weights, which have kernels of
    their own, or one of wide sums."""
    if seed % EVERY_WIDE == 0:
        return wide_network(*WIDE[seed // EVERY_WIDE % len(WIDE)])
    if seed % EVERY_GRAPH == 1:
        return (random_graph if seed // EVERY_GRAPH % 2 else random_groups)(seed)
    network = random_network(seed)
    return bipolar(network) if seed % EVERY_BIPOLAR == 0 else network


def bipolar(network: Network) -> Network:
    """The network with the signs of its weights in their place."""
    layers = [
        replace(layer, weights=np.where(layer.weights < 0, -1, 1).astype(np.int32), weight_type="BIPOLAR")
        if isinstance(layer, MatrixVectorUnit)
        else layer
        for layer in network.layers
    ]
    return replace(network, layers=tuple(layers))


def faults_of(network: Network, seed: int) -> list[AnyFault]:
    """Single faults of every kind and sets of them, patterns and large sets."""
    return [*mixed_faults(network, FAULTS, seed, IMAGES), *random_patterns(network, PATTERNS, seed, IMAGES)]


def run_one(seed: int) -> int:
    """One network with its faults in every instruction set, each by another update; the number of faults."""
    network = subject(seed)
    images, labels = random_images(network, IMAGES, seed), np.zeros(IMAGES, np.int64)
    faults = faults_of(network, seed)
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    for turn, instruction_set in enumerate(instruction_sets(), seed):
        update = UPDATES[turn % len(UPDATES)]
        os.environ[ENVIRONMENT], os.environ[UPDATE] = instruction_set, update
        session = NativeEngine(1 + seed % 2).open(network)
        got = session.run(images, labels, faults, predictions=True)
        np.testing.assert_array_equal(got.predictions, expected.predictions, f"{instruction_set}, {update}")
        for fault in (*faults[:3], *faults[-2:]):
            session.trace(images, fault)
    return len(faults)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="folder of the package as compiled with sanitisers")
    parser.add_argument("--pairs", type=int, default=20_000, help="networks and faults to run, at least")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    take_modules(args.build)
    pairs = networks = 0
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("fork")) as pool:
        while pairs < args.pairs:
            seeds = range(networks, networks + BATCH)
            pairs += sum(pool.map(run_one, seeds))
            networks += BATCH
    print(f"{networks} networks, {pairs:,} pairs of network and fault, each in {', '.join(instruction_sets())}: clean")


if __name__ == "__main__":
    main()
