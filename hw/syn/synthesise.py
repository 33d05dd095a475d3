"""LUTs, flip-flops and memories of our blocks over their parameters, by Yosys (``synth_xilinx``, 7 series).

``make synthesis`` writes ``fat_fpga/luts/measured.json``: one row for each parameter set. LUTs are the
LUT1 to LUT6 cells; carry chains and wide multiplexers stand beside them. Figures are before placement.
``python hw/syn/synthesise.py fat_checksum`` measures only the named blocks anew and keeps the rows of the others;
``--missing`` in front measures only sizes that the table has not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sizes import Row, rows
from together import FAMILY, synthesise, version

from fat_fpga.files import replacing
from fat_fpga.hardware import BLOCKS

TABLE = Path(__file__).parents[2] / "fat_fpga" / "luts" / "measured.json"
TABLES = {"voters": "fat_voter", "variants": "fat_voter", "saboteurs": "fat_saboteur", "checksums": "fat_checksum",
          "matrix units": "fat_mvtu", "windows": "fat_window", "pools": "fat_max_pool",
          "label selects": "fat_label_select", "converters": "fat_width_converter", "fifos": "fat_fifo",
          "guards": "fat_word_guard", "clips": "fat_clip", "elements": "fat_element"}  # fmt: skip
"""The block that each table is of."""
COUNT_BITS = 8
"""Of the table ``voters``, which has one row for each rows, pe, channels and bits; others are ``variants``."""
MEMORIES = {"RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "RAM256X1S": 4,
            "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2}  # fmt: skip
"""LUTs that a cell of distributed memory takes."""
BLOCK_RAM = {"RAMB18": 1, "RAMB36": 2}
"""Halves of a block RAM, as FINN counts them."""
CELLS = {"LUT": "lut", "FD": "ff", "CARRY4": "carry", "MUXF": "mux"}
AT_ONCE = {"fat_mvtu": 12, "fat_element": 60}
"""Modules that one start of Yosys synthesises, of some kinds; of others all of them."""


def counts(top: str, cells: dict[str, int]) -> dict[str, int]:
    """By the names of `CELLS`; of a module that is no block of a stream also its memories."""
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


def measured(top: str, every: Sequence[Row], known: Sequence[dict[str, Any]] = ()) -> Iterator[dict[str, Any]]:
    """The rows of a block.

    Args:
        known: rows of such blocks; cells of the same sizes are taken from there.
    """
    found = [next((_cells(row) for row in known if _is_of(row, one)), None) for one in every]
    missing = [one for one, cells in zip(every, found, strict=True) if cells is None]
    new = _synthesised(top, missing)
    for (_, parameters, said), cells in zip(every, found, strict=True):
        yield {**_shown(top, parameters), **said, **(cells or next(new))}


def _synthesised(top: str, every: Sequence[Row]) -> Iterator[dict[str, int]]:
    at_once = AT_ONCE.get(top, max(len(every), 1))
    for first in range(0, len(every), at_once):
        chosen = every[first : first + at_once]
        for (_, parameters, said), cells in zip(chosen, synthesise([row[:2] for row in chosen]), strict=True):
            counted = counts(top, cells)
            print(top, json.dumps({**_shown(top, parameters), **said, **counted}), flush=True)
            yield counted


def _shown(top: str, parameters: dict[str, Any]) -> dict[str, Any]:
    shown = {name.lower(): value for name, value in parameters.items() if name != "SOURCES"}
    if top == "fat_voter":
        shown["pe"] = shown.pop("lanes_in")
    return shown


def _is_of(row: dict[str, Any], one: Row) -> bool:
    top, parameters, said = one
    told = {**_shown(top, parameters), **({"triplets": said["triplets"]} if top == "fat_voter" else {})}
    return all(row.get(name) == value for name, value in told.items())


def _cells(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in (*CELLS.values(), "lutram", "bram18", "dsp") if name in row}


def tables(top: str, found: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The tables that rows of a block are in."""
    names = [name for name, of in TABLES.items() if of == top]
    placed: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    seen: set[tuple[int, ...]] = set()
    for row in found:
        key = tuple(row.get(name, 0) for name in ("rows", "pe", "channels", "bits"))
        usual = top != "fat_voter" or (row["count_bits"] == COUNT_BITS and key not in seen)
        seen.add(key)
        placed[names[0] if usual else "variants"].append(row)
    return placed


def write(new: dict[str, list[dict[str, Any]]]) -> None:
    """Puts these tables in the place of those in the file."""
    kept = json.loads(TABLE.read_text())
    parts = [f' "tool": {json.dumps(f"{version()}, synth_xilinx -family {FAMILY}, before placement")}']
    for name in TABLES:
        table = new.get(name, kept.get(name, []))
        parts.append(f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]")
    with replacing(TABLE) as temporary:
        temporary.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def main(arguments: Sequence[str]) -> int:
    only_missing, tops = "--missing" in arguments, [name for name in arguments if name != "--missing"]
    if unknown := set(tops) - set(TABLES.values()):
        raise SystemExit(f"unknown blocks {sorted(unknown)}: known are {sorted(set(TABLES.values()))}")
    every = list(rows())
    for top in dict.fromkeys(TABLES.values()):
        if not tops or top in tops:
            table = json.loads(TABLE.read_text()) if only_missing else {}
            known = [row for name, of in TABLES.items() if of == top for row in table.get(name, [])]
            write(tables(top, list(measured(top, [row for row in every if row[0] == top], known))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
