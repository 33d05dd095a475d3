"""What kernels in an emulator are given: networks, faults and the predictions of the reference engine, in a file.

They are made outside of the emulator, which would take minutes for them. Random networks as in ``make sanitise``, the
networks of the tests of bits in columns, wide sums, and bundled networks.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from fat_fpga.datasets import load
from fat_fpga.engines.images import Images
from fat_fpga.engines.native_session import UPDATES
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import ModelWarning
from fat_fpga.faults import AnyFault, fault_space
from fat_fpga.network import Network, load_network
from tests.designs.chain import chain
from tests.designs.random_faults import mixed_faults
from tests.designs.random_network import random_images
from tests.designs.wide_network import wide_network
from tests.engines import sanitised, test_bit_columns, test_golden, test_sliding, test_tabled
from tests.engines.emulated import Case

BUNDLED = ("cnv_w1a1", "cnv_w2a2", "resnet8_w4a4", "mobilenet_w4a4")  # two chains, a residual and a depthwise network
IMAGES = 2  # of networks that are not random
FAULTS = 40
EVERY_WAY = ("automatic", "sparse")


def case(
    name: str, network: Network, images: Images, faults: Sequence[AnyFault], updates: tuple[str, ...] = EVERY_WAY
) -> Case:
    """A case with the reference engine's predictions."""
    labels = np.zeros(len(images), np.int64)
    expected = ReferenceEngine().open(network).run(images, labels, faults, predictions=True)
    assert expected.predictions is not None
    return Case(name, network, images, faults, expected.predictions, updates)


def random_cases() -> Iterator[Case]:
    """Without an end, each with two updates."""
    for seed in count():
        network = sanitised.subject(seed)
        images = random_images(network, sanitised.IMAGES, seed)
        faults = sanitised.faults_of(network, seed)
        updates = (UPDATES[seed % len(UPDATES)], UPDATES[(seed + 3) % len(UPDATES)])
        yield case(f"seed {seed}", network, images, faults, updates)


def block_cases() -> Iterator[Case]:
    """Layers of two blocks and more, which random networks do not have; and the networks of other tests of kernels."""
    networks = [
        chain(test_sliding.CHANNELS, test_sliding.SIZE, kernel, weights, levels, padding=padding)
        for weights, levels, kernel, padding in test_sliding.SUBJECTS
    ]
    for channels in test_bit_columns.CHANNELS.values():
        networks += [
            chain(channels, test_sliding.SIZE, kernel, weights, levels)
            for weights, levels, kernel in test_bit_columns.SUBJECTS
        ]
    networks += [make() for subjects in (test_golden.SUBJECTS, test_tabled.SUBJECTS) for make in subjects.values()]
    for number, network in enumerate(networks):
        faults = mixed_faults(network, FAULTS, number, IMAGES)
        held = fault_space(network, "pe", pes={f"conv{i}": 1 + (i + number) % 3 for i in range(4)})
        yield case(f"blocks {number}", network, random_images(network, IMAGES, 1), [*faults, *held])


def wide_cases() -> Iterator[Case]:
    """Sums of 32 bits, of large weights and of some that have several columns added in bytes."""
    for number, subject in enumerate(sanitised.WIDE):
        network = wide_network(*subject)
        faults = mixed_faults(network, FAULTS, number, IMAGES)
        images = random_images(network, IMAGES, number)
        yield case(f"wide {number}", network, images, faults, ("sparse", "popcount", "bytes"))


def bundled_cases() -> Iterator[Case]:
    images = load("demo:cifar10", limit=IMAGES).images
    for name in BUNDLED:
        network = load_network(name)
        yield case(name, network, images, mixed_faults(network, FAULTS, 1, IMAGES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="is written")
    parser.add_argument("--pairs", type=int, default=2000, help="random networks and faults, at least")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ModelWarning)  # what a file says about its own scores is not looked at here
    cases = [*block_cases(), *wide_cases(), *bundled_cases()]
    pairs = 0
    for one in random_cases():
        cases.append(one)
        pairs += len(one.faults)
        if pairs >= args.pairs:
            break
    args.file.write_bytes(pickle.dumps(cases))


if __name__ == "__main__":
    main()
