"""The script for a machine with a GPU works from end to end, in its small setting on a CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu_training import read_jobs

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.sh"


def test_small() -> None:
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run([str(SCRIPT), "--small"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if "predictions differ" in line] == [
        "cnv_w1a1: 8 faults x 2 images: 0 of 18 predictions differ from native",
        "cnv_w2a2: 8 faults x 2 images: 0 of 18 predictions differ from native",
        "4 random networks: 0 of 336 predictions differ from reference",
    ]
    assert sum("a second" in line for line in lines) == 6
    assert [line.split()[0] for line in lines if line.endswith("x")] == ["cnv", "resnet8"]
    assert sum("epoch 1/1" in line for line in lines) == 4
    assert sum(line.startswith("group") for line in lines) == 2


def test_without_arguments_it_says_how() -> None:
    done = subprocess.run([str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "benchmarks/gpu.sh cifar10:DIR RUNS [SECONDS [LIST]]" in done.stderr


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("gpu_tables.txt", [12, 12, 5]),
        ("gpu_networks.txt", [8, 3]),
        ("gpu_small.txt", [2, 2]),
        ("gpu_search.txt", [8, 12]),
    ],
)
def test_trainings(name: str, counts: list[int]) -> None:
    groups = read_jobs(SCRIPT.parent / name, None)
    assert [len(group) for group in groups] == counts
    names = [job.name for group in groups for job in group]
    assert len(set(names)) == len(names)
    first = groups[0][0].recipe
    assert (first.rate_shape, first.loss) == ("cosine", "cross_entropy")
    assert first.learning_rate == {"gpu_search.txt": 0.005, "gpu_networks.txt": 0.01}.get(name, 0.03)
