"""``verilator --lint-only -Wall`` and slang over all blocks and their structures; no warning is allowed."""

from __future__ import annotations

import itertools
import subprocess
import sys

from simulator import use_verilator
from strict import elaborates

from fat_fpga.hardware import sources

SABOTEUR = [
    {"LANES": lanes, "FOLDS": folds, "WIDTH": side, "HEIGHT": side, "BITS": bits, "OUTPUT_REGISTER": f"1'b{register}"}
    for lanes, folds, side, bits, register in itertools.product((1, 5), (1, 3), (1, 4), (1, 2, 32), (0, 1))
]
CHECKSUM = [
    {"LANES": lanes, "BEATS": beats, "BITS": bits}
    for lanes, beats, bits in itertools.product((1, 2, 3, 5, 13, 64, 128), (1, 6), (1, 2, 8, 23, 24, 32))
]
# Four channels, two of them three times: in the beat of their fold, or anywhere
IN_BEAT = "192'h000700060005_000400040004_000300030003_000200010000"
ANYWHERE = "192'h000700020005_000600060006_000400040004_000300010000"
SINGLE = "192'h000300030003_000200020002_000100010001_000000000000"
VOTER = [
    {
        "CHANNELS": 4,
        "ROWS": rows,
        "LANES_IN": lanes_in,
        "LANES_OUT": lanes_out,
        "BITS": bits,
        "SOURCES": sources,
        "COUNT_BITS": count_bits,
        "OUTPUT_REGISTER": f"1'b{register}",
    }
    for sources, rows in ((IN_BEAT, 8), (ANYWHERE, 8), (SINGLE, 4))
    for lanes_in, lanes_out, bits, count_bits, register in itertools.product((1, 4), (1, 2, 4), (1, 2), (1, 29), (0, 1))
]


def main() -> int:
    use_verilator()
    failed = 0
    sets = [("fat_saboteur", p) for p in SABOTEUR] + [("fat_voter", p) for p in VOTER]
    sets += [("fat_checksum", p) for p in CHECKSUM]
    for top, parameters in sets:
        command = ["verilator", "--lint-only", "-Wall", "--quiet", "--top-module", top]
        command += [f"-G{name}={value}" for name, value in parameters.items()]
        done = subprocess.run([*command, *sources()], capture_output=True, text=True, check=False)
        clean = elaborates(top, parameters, sources())
        if done.returncode or "%" in done.stderr or not clean:
            failed += 1
            print(f"{top} {parameters}:\n{done.stderr}")
    print(f"lint: {len(sets)} parameter sets, {failed} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
