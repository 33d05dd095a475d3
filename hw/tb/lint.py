"""``verilator --lint-only -Wall`` and slang over all blocks and their structures; no warning is allowed."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from simulator import use_verilator
from strict import elaborates

from fat_fpga.hardware import modules, sources

SABOTEUR = [
    {"LANES": lanes, "FOLDS": folds, "WIDTH": side, "HEIGHT": side, "BITS": bits, "OUTPUT_REGISTER": f"1'b{register}"}
    for lanes, folds, side, bits, register in itertools.product((1, 5), (1, 3), (1, 4), (1, 2, 32), (0, 1))
]
CHECKSUM = [
    {"LANES": lanes, "BEATS": beats, "BITS": bits}
    for lanes, beats, bits in itertools.product((1, 2, 3, 5, 13, 64, 128), (1, 6), (1, 2, 8, 23, 24, 32))
]
MVTU = [
    {
        "INPUTS": 12,
        "CHANNELS": 6,
        "PE": pe,
        "SIMD": simd,
        "WEIGHT_BITS": weight_bits,
        "INPUT_BITS": input_bits,
        "INPUT_BIPOLAR": f"1'b{bipolar}",
        "INPUT_SIGNED": f"1'b{signed}",
        "SUM_BITS": 20,
        "THRESHOLDS": thresholds,
        "OUT_BITS": 2 if thresholds else 20,
    }
    for pe, simd in ((1, 1), (3, 4), (6, 12))
    for weight_bits, input_bits, bipolar, signed in (
        (1, 1, 1, 0),
        (1, 1, 0, 0),
        (2, 1, 1, 0),
        (2, 2, 0, 1),
        (1, 8, 0, 1),
        (3, 8, 0, 0),
    )
    for thresholds in (0, 1, 3)
]
WINDOW = [
    {
        "CHANNELS": 6,
        "LANES": lanes,
        "BITS": bits,
        "HEIGHT": 7,
        "WIDTH": 6,
        "KERNEL_H": kernel,
        "KERNEL_W": kernel,
        "STRIDE_H": stride,
        "STRIDE_W": stride,
        "PAD_TOP": padding,
        "PAD_LEFT": padding,
        "OUT_H": (7 + 2 * padding - kernel) // stride + 1,
        "OUT_W": (6 + 2 * padding - kernel) // stride + 1,
        "ROWS": 2 * kernel,
    }
    for lanes, bits in ((1, 1), (2, 2), (6, 8))
    for kernel, stride, padding in ((1, 2, 0), (3, 1, 0), (3, 2, 1))
]
OTHERS = [
    ("fat_max_pool", {"CHANNELS": 4, "LANES": lanes, "BITS": bits, "SIGNED": f"1'b{signed}", "HEIGHT": 5, "WIDTH": 4})
    for lanes, bits, signed in ((1, 1, 0), (4, 1, 0), (2, 3, 1), (4, 3, 0))
]
OTHERS += [
    ("fat_width_converter", {"LANES_IN": lanes_in, "LANES_OUT": lanes_out, "BITS": 3})
    for lanes_in, lanes_out in ((2, 2), (1, 4), (6, 2))
]
OTHERS += [("fat_fifo", {"DATA_W": 8, "DEPTH": depth}) for depth in (2, 5)]
OTHERS += [("fat_label_select", {"CLASSES": 10, "LANES": lanes, "BITS": 9, "SIGNED": "1'b1"}) for lanes in (1, 5, 10)]
OTHERS += [
    ("fat_word_guard", {"WORDS": words, "DATA": data, "SECDED": f"1'b{secded}", "ERASE": f"1'b{erase}"})
    for words, data in ((1, 1), (2, 4), (1, 8), (3, 57), (2, 64), (1, 1024))
    for secded, erase in itertools.product((0, 1), repeat=2)
]
OTHERS += [
    ("fat_clip", {"LANES": lanes, "BITS": bits, "SIGNED": f"1'b{signed}", "BOUND": bound})
    for lanes, bits, signed, bound in ((1, 1, 0, 0), (4, 3, 0, 5), (2, 8, 1, 93), (1, 30, 0, 1 << 29), (3, 4, 0, 14))
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
    failed, files = 0, sources(modules())
    sets: list[tuple[str, Mapping[str, object]]] = [("fat_saboteur", p) for p in SABOTEUR]
    sets += [("fat_voter", p) for p in VOTER]
    sets += [("fat_checksum", p) for p in CHECKSUM]
    sets += [("fat_mvtu", p) for p in MVTU] + [("fat_window", p) for p in WINDOW] + OTHERS

    def verilated(one: tuple[str, Mapping[str, object]]) -> subprocess.CompletedProcess[str]:
        top, parameters = one
        command = ["verilator", "--lint-only", "-Wall", "--quiet", "--top-module", top]
        command += [f"-G{name}={value}" for name, value in parameters.items()]
        return subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (top, parameters), done in zip(sets, pool.map(verilated, sets), strict=True):
            if done.returncode or "%" in done.stderr or not elaborates(top, parameters, files):
                failed += 1
                print(f"{top} {parameters}:\n{done.stderr}")
    print(f"lint: {len(sets)} parameter sets, {failed} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
