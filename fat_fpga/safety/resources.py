"""LUTs of each layer's logic, from estimates in a file."""

from __future__ import annotations

import os
from pathlib import Path

from fat_fpga.arguments import checked
from fat_fpga.errors import SafetyError
from fat_fpga.json_file import read_object

JOIN = "+"


@checked
def read_resources(path: str | os.PathLike[str]) -> dict[str, float]:
    """LUTs by layer: the ``--json`` of ``fat-fpga finn estimate`` (of several estimates the last, which has voters and
    injectors), or an object of layers and numbers, as ``{"conv0": 1234}``, from the report of a build.

    Raises:
        SafetyError: it is neither, or a number is negative.
        OSError: it cannot be read.
    """
    entry = read_object(Path(path), "LUTs by layer, or the JSON of fat-fpga finn estimate", SafetyError)
    names = list(entry.value)
    if not names:
        raise SafetyError(f"{path} has no layers")
    if "layers" not in entry.value and not isinstance(entry.value[names[-1]], dict):
        return {name: entry.number(name) for name in names if _known(entry.number(name), path, name)}
    own = entry if "layers" in entry.value else entry.inner(names[-1])
    found: dict[str, float] = {}
    for layer in own.inners("layers"):
        place, luts = layer.get("place", str), layer.number("lut")
        if _known(luts, path, place):
            found[place] = found.get(place, 0.0) + luts
    return found


def _known(luts: float, path: str | os.PathLike[str], name: str) -> bool:
    if luts < 0:
        raise SafetyError(f"{path}: {name} has {luts:g} LUTs, expected a number from 0 up")
    return True
