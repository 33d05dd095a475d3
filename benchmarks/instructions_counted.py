"""What `benchmarks.instructions` executes in the emulator: a campaign of one thread on the first images.

build/arm/python -m benchmarks.instructions_counted CAMPAIGN.pickle IMAGES
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from fat_fpga.engines.native_engine import NativeEngine


def main() -> None:
    network, images, labels, faults = pickle.loads(Path(sys.argv[1]).read_bytes())
    count = int(sys.argv[2])
    outcome = NativeEngine(1).open(network).run(images[:count], labels[:count], faults)
    print(outcome.correct.sum(), outcome.changed.sum())


if __name__ == "__main__":
    main()
