"""What the units beside ``fat_mvtu`` cost: window generator, max-pool, label select, width converter, FIFO.

LUTs are those of the memory (`memories`) and a linear model fitted to synthesised units (``measured.json``), a file of
the same form for each kind. What the terms are follows from the RTL: counters and addresses by their bits, data by the
bits of a beat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from fat_fpga.arguments import checked
from fat_fpga.luts.element import compared
from fat_fpga.luts.memories import NOTHING, Memory, alone, simple
from fat_fpga.luts.table import measured

Parameters = Mapping[str, Any]
"""Of a module, by its names in small letters."""


@dataclass(frozen=True)
class Kind:
    """A kind of unit.

    Attributes:
        table: its name in ``measured.json``.
        terms: of the model.
        memory: of the unit.
        plain: LUTs that are known beside them.
    """

    table: str
    terms: Callable[[Parameters], tuple[float, ...]]
    memory: Callable[[Parameters], Memory]
    plain: Callable[[Parameters], int] = lambda p: 0

    def known(self, p: Parameters) -> int:
        """LUTs that no term is fitted to."""
        return self.memory(p).lutram + self.plain(p)


def _bits(number: int) -> int:
    """Bits of numbers below this one."""
    return max(number - 1, 1).bit_length()


def _window_terms(p: Parameters) -> tuple[float, ...]:
    beats = p["channels"] // p["lanes"]
    depth = _window_depth(p)
    across = _bits(p["width"] * beats + (p["kernel_w"] + p.get("stride_w", 1)) * beats + 1)
    down = _bits(2 * p["height"] + p["kernel_h"] + p.get("stride_h", 1) + depth // (p["width"] * beats) + 1)
    return 1, _bits(depth) + across + down


def _window_depth(p: Parameters) -> int:
    rows = p.get("rows", 2 * p["kernel_h"])
    return int(p["width"] * (p["channels"] // p["lanes"]) * rows)


def _pool_terms(p: Parameters) -> tuple[float, ...]:
    beat = p["lanes"] * p["bits"]
    return 1, beat, beat if p["bits"] > 1 else 0


def _pool_memory(p: Parameters) -> Memory:
    depth = p["width"] // p.get("kernel_w", 2) * (p["channels"] // p["lanes"])
    return alone(p["lanes"] * p["bits"], depth) if depth > 1 else NOTHING


def _label_terms(p: Parameters) -> tuple[float, ...]:
    return 1, _bits(p["classes"]) if p["lanes"] < p["classes"] else 0, p["lanes"] - 1


def _compared(p: Parameters) -> int:
    """LUTs that compare scores, and choose the larger ones where a beat has several."""
    first = p["lanes"] == p["classes"]  # which is compared with none
    chosen = p["lanes"] - first if p["lanes"] > 1 else 0
    return int((p["lanes"] - first) * compared(p["bits"]) + chosen * p["bits"])


def _converter_terms(p: Parameters) -> tuple[float, ...]:
    narrows = p["lanes_in"] > p["lanes_out"]
    ratio = max(p["lanes_in"], p["lanes_out"]) // min(p["lanes_in"], p["lanes_out"])
    counter = ratio.bit_length()  # of the parts that are there
    return not narrows, narrows, counter * (not narrows), counter * narrows


def _shifted(p: Parameters) -> int:
    """Bits of a wide beat behind its first part, which move up."""
    return int(max(p["lanes_in"] - p["lanes_out"], 0) * p["bits"])


def _fifo_terms(p: Parameters) -> tuple[float, ...]:
    return 1, _bits(p["depth"]), p["data_w"] * (p["depth"] > 64) * -(-p["depth"] // 64)


KINDS = {
    "fat_window": Kind("windows", _window_terms, lambda p: simple(p["lanes"] * p["bits"], _window_depth(p))),
    "fat_max_pool": Kind("pools", _pool_terms, _pool_memory),
    "fat_label_select": Kind("label selects", _label_terms, lambda p: NOTHING, _compared),
    "fat_width_converter": Kind("converters", _converter_terms, lambda p: NOTHING, _shifted),
    "fat_fifo": Kind("fifos", _fifo_terms, lambda p: simple(p["data_w"], p["depth"])),
}
"""By module."""


@checked
def unit_luts(module: str, parameters: Mapping[str, Any]) -> int:
    """LUTs of a unit, its memory included.

    Args:
        module: one of `KINDS`.
        parameters: of the module, by its names there in small letters.
    """
    kind = KINDS[module]
    found = sum(a * term for a, term in zip(coefficients(module), kind.terms(parameters), strict=True))
    return max(round(kind.known(parameters) + found), 1)


@checked
def unit_block_rams(module: str, parameters: Mapping[str, Any]) -> int:
    """Halves of block RAMs (BRAM_18K) of a unit; arguments as for `unit_luts`."""
    return KINDS[module].memory(parameters).bram_18k


@lru_cache(maxsize=len(KINDS))
def coefficients(module: str) -> tuple[float, ...]:
    """Of the model of a module, by least squares of the relative error."""
    kind = KINDS[module]
    rows = [row for row in measured()[kind.table] if not row["other"]]
    total = np.array([row["lut"] + row["lutram"] for row in rows], np.float64)
    terms = np.array([kind.terms(row) for row in rows], np.float64)
    known = np.array([kind.known(row) for row in rows], np.float64)
    return tuple(float(value) for value in np.linalg.lstsq(terms / total[:, None], (total - known) / total)[0])
