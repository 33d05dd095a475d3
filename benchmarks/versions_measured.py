"""What `benchmarks.versions` executes with each of the two packages: one kind of fault on one network, by CPU time.

    PYTHON versions_measured.py NETWORK.onnx KIND IMAGES ROUNDS

It prints one line of JSON. It is copied beside neither package, and takes from them only what versions have in common.
"""

from __future__ import annotations

import hashlib
import json
import sys
from time import process_time

import numpy as np

import fat_fpga
from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import NativeEngine, chosen_instruction_set
from fat_fpga.faults import fault_space
from fat_fpga.network import load_network, read_folding

SAMPLE = 10_000
"""Faults of a kind that has more."""
FEW = 4
"""The campaign on few images has one of so many."""


def main() -> None:
    path, kind, images, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    network = load_network(path)
    pes = read_folding("bnn-pynq", network) if kind == "pe" else None
    faults = fault_space(network, kind, pes=pes).sample(SAMPLE)
    data = load("demo:cifar10", limit=images)
    session = NativeEngine(1).open(network)
    few = max(1, images // FEW)
    session.run(data.images[:1], data.labels[:1], faults)
    seconds: dict[int, list[float]] = {few: [], images: []}
    for _ in range(rounds):
        for count, found in seconds.items():
            started = process_time()
            outcome = session.run(data.images[:count], data.labels[:count], faults)
            found.append(process_time() - started)
    counts = np.stack([outcome.correct, outcome.changed]).astype("<i8")
    told = {
        "package": fat_fpga.__file__,
        "instruction_set": chosen_instruction_set(),
        "faults": len(faults),
        "faults_sha256": hashlib.sha256("\n".join(map(str, faults)).encode()).hexdigest(),
        "counts_sha256": hashlib.sha256(counts.tobytes()).hexdigest(),
        "changed": int(outcome.changed.sum()),
        "images": images,
        "few_images": few,
        "seconds": min(seconds[images]),
        "few_seconds": min(seconds[few]),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
