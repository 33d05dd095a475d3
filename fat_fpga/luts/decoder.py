"""LUTs of the decoders of protected memories, from synthesised ones; ``hw/syn/codes.py`` writes their table."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

from fat_fpga.arguments import checked
from fat_fpga.luts.table import between

TABLE = "codes.json"


@checked
def decoder_luts(code: str, data: int) -> int:
    """LUTs of a decoder of words with so many data bits, `between` those that were synthesised."""
    return between(*known()[code], data)


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[list[int], list[int]]]:
    """Data widths, ascending, and LUTs of the synthesised decoders, by code."""
    content = json.loads((resources.files("fat_fpga.luts") / TABLE).read_text(encoding="utf-8"))
    found: dict[str, tuple[list[int], list[int]]] = {}
    for row in content["decoders"]:
        widths, luts = found.setdefault(row["code"], ([], []))
        widths.append(row["data"])
        luts.append(row["lut"])
    return found
