"""``python -m benchmarks.instructions``: instructions of a faulty inference on ARM, in make test-arm's emulator.

No time: an emulator's time says nothing about a processor's, and instructions take different times. The number is a
slope: instructions of a campaign on some images less those on a few, divided by faults and images between the two.
"""

from __future__ import annotations

import argparse
import os
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fat_fpga.datasets import load
from fat_fpga.engines.native_engine import ENVIRONMENT, NativeEngine
from fat_fpga.errors import FatFpgaError
from fat_fpga.faults import fault_space
from fat_fpga.network import load_network
from fat_fpga.text import align

HERE = Path(__file__).parent
EMULATED = HERE.parent / "build" / "arm" / "python"
SETS = ("portable", "neon")
SAMPLE = 3840
"""Faults of a kind that has more."""
FEW = 2
"""Images of the smaller campaign."""


def plugin(folder: Path) -> Path:
    """The emulator's plugin that counts, compiled into a folder."""
    library = folder / "instructions.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, HERE / "instructions.c"], check=True)
    return library


def executed(campaign: Path, images: int, instruction_set: str, library: Path) -> tuple[int, str]:
    """Instructions of a campaign from start to end, and what it counts."""
    own = {"QEMU_PLUGIN": str(library), "PYTHONHASHSEED": "0", ENVIRONMENT: instruction_set}
    told = subprocess.run(
        [EMULATED, "-m", "benchmarks.instructions_counted", campaign, str(images)],
        env={**os.environ, **own}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (number,) = re.findall(r"^instructions: (\d+)$", told.stderr, re.MULTILINE)
    return int(number), told.stdout.strip()


def measure(name: str, kind: str, images: int, folder: Path, library: Path) -> dict[str, int]:
    """Instructions of a faulty inference with each instruction set; SystemExit where one counts otherwise than here."""
    network, data = load_network(name), load("demo:cifar10", limit=images)
    faults = fault_space(network, kind).sample(SAMPLE)
    campaign = folder / "campaign.pickle"
    campaign.write_bytes(pickle.dumps((network, data.images, data.labels, faults)))
    here = NativeEngine(1).open(network).run(data.images, data.labels, faults)
    expected = f"{here.correct.sum()} {here.changed.sum()}"
    found = {}
    for instruction_set in SETS:
        few, _ = executed(campaign, FEW, instruction_set, library)
        all_, counts = executed(campaign, images, instruction_set, library)
        if counts != expected:
            sys.exit(f"{name}, {kind}, {instruction_set}: {counts} correct and changed, expected {expected}")
        found[instruction_set] = (all_ - few) // ((images - FEW) * len(faults))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default="cnv_w1a1,cnv_w2a2", help="bundled networks of CIFAR-10")
    parser.add_argument("--kinds", default="channel,weight", help="kinds of fault")
    parser.add_argument("--images", type=int, default=10, help=f"more than {FEW}")
    args = parser.parse_args()
    if args.images <= FEW:
        parser.error(f"--images: expected more than {FEW}, got {args.images}")
    if not EMULATED.exists():
        parser.error(f"no {EMULATED}: run make test-arm first")
    rows = [["network", "kind", *SETS, "ratio"]]
    with tempfile.TemporaryDirectory() as folder:
        library = plugin(Path(folder))
        for name in args.networks.split(","):
            for kind in args.kinds.split(","):
                try:
                    found = measure(name, kind, args.images, Path(folder), library)
                except FatFpgaError as error:  # what is asked for is not there
                    parser.error(str(error))
                numbers = [f"{found[instruction_set]:,}" for instruction_set in SETS]
                rows.append([name, kind, *numbers, f"{found[SETS[0]] / found[SETS[1]]:.1f} x"])
    print(align(rows, left=(0, 1)))


if __name__ == "__main__":
    main()
