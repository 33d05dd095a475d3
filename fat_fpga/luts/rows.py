"""Every synthesised block beside its model: what Yosys counted, what the model says, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fat_fpga.luts.checksum import checksum_luts
from fat_fpga.luts.clip import clip_luts
from fat_fpga.luts.guard import CODES, guard_luts
from fat_fpga.luts.matrix import TABLE as MATRIX
from fat_fpga.luts.matrix import unit_of
from fat_fpga.luts.saboteur import saboteur_luts
from fat_fpga.luts.table import measured
from fat_fpga.luts.units import KINDS, unit_block_rams, unit_luts
from fat_fpga.luts.voter import COUNT_BITS, LANEWISE, voter_luts

Cells = Mapping[str, Any]
"""Of a row of the table."""


class Row(NamedTuple):
    """A block as it was synthesised, and by its model.

    Attributes:
        block: which table it is in.
        size: its parameters, in words.
        use: ``fitted`` where coefficients of the model were fitted to it; ``other`` where not.
        lut: LUTs, those of memory included.
        lutram: those of memory among them.
        ff: flip-flops.
        bram_18k: halves of block RAMs.
        dsp: DSP slices.
        model: LUTs by the model.
        model_bram: halves of block RAMs by the model.
    """

    block: str
    size: str
    use: str
    lut: int
    lutram: int
    ff: int
    bram_18k: int
    dsp: int
    model: int
    model_bram: int

    @property
    def error(self) -> float:
        """Of the model's LUTs, as a share of Yosys's."""
        return self.model / self.lut - 1


def rows() -> Iterator[Row]:
    """Of all blocks that a model gives a price to."""
    yield from _blocks_of_streams()
    for cells in measured()[MATRIX]:
        unit = unit_of(cells)
        lanes = f"PE {unit.pe}, SIMD {unit.simd}, W{unit.weight_bits}A{cells['input_bits']}"
        thresholds = f"{unit.thresholds} of {_bits(unit.sum_bits)}"
        size = f"{cells['unit']}: {unit.inputs} to {unit.channels}, {lanes}, {thresholds}"
        yield _row(MATRIX, size, cells, unit.luts, unit.bram_18k)
    for module, kind in KINDS.items():
        for cells in measured()[kind.table]:
            size = ", ".join(f"{name.replace('_', ' ').upper()} {cells[name]}" for name in SIZES[module])
            yield _row(kind.table, size, cells, unit_luts(module, cells), unit_block_rams(module, cells))
    for cells in measured()["guards"]:
        code, erase = CODES[cells["secded"]], bool(cells["erase"])
        size = f"{code} of {_bits(cells['data'])}{', erases' if erase else ''}"
        yield _row("guards", size, cells, guard_luts(code, cells["data"], erase))
    for cells in measured()["clips"]:
        if not cells["signed"]:  # what a ReLU gives
            size = f"{cells['lanes']} lanes of {_bits(cells['bits'])}"
            yield _row("clips", size, cells, clip_luts(cells["lanes"], cells["bits"]))


def _blocks_of_streams() -> Iterator[Row]:
    table = measured()
    for cells in [*table["voters"], *table["variants"]]:
        if cells["triplets"] and cells["count_bits"] == COUNT_BITS:
            lanes_out, bits = cells["lanes_out"], cells["bits"]
            buffered = 0 if cells["structure"] == LANEWISE else cells["rows"] * bits
            lanes = f"{cells['pe']} to {lanes_out} lanes of {_bits(bits)}"
            size = f"{cells['channels']} channels, {cells['triplets']} triplets, {lanes}, {cells['structure']}"
            yield _row("voters", size, cells, voter_luts(cells["triplets"], lanes_out * bits, buffered))
    for cells in table["saboteurs"]:
        pixels = f"{cells['folds']} folds, {cells['width']} x {cells['height']} pixels"
        size = f"{cells['lanes']} lanes of {_bits(cells['bits'])}, {pixels}"
        yield _row("saboteurs", size, cells, saboteur_luts(cells["lanes"] * cells["bits"]))
    for cells in table["checksums"]:
        size = f"{cells['lanes']} lanes of {_bits(cells['bits'])}"
        yield _row("checksums", size, cells, checksum_luts(cells["lanes"], cells["bits"]))


SIZES = {
    "fat_window": ("channels", "lanes", "bits", "width", "kernel_w"),
    "fat_max_pool": ("channels", "lanes", "bits", "width"),
    "fat_label_select": ("classes", "lanes", "bits"),
    "fat_width_converter": ("lanes_in", "lanes_out", "bits"),
    "fat_fifo": ("data_w", "depth"),
}
"""The parameters of a unit that its row shows."""


def _bits(number: int) -> str:
    return f"{number} bit{'s' * (number > 1)}"


def _row(block: str, size: str, cells: Cells, luts: int, block_rams: int = 0) -> Row:
    use = cells.get("use", "other" if cells.get("other") else "fitted")
    lutram, bram_18k, dsp = (cells.get(name, 0) for name in ("lutram", "bram18", "dsp"))
    found = (cells["lut"] + lutram, lutram, cells["ff"], bram_18k, dsp)
    return Row(block, size, use, *found, luts, block_rams)


def page() -> str:
    """The page of the documentation: all rows as Markdown, a table for each block."""
    found: dict[str, list[Row]] = {}
    for row in rows():
        found.setdefault(row.block, []).append(row)
    return "\n".join([HEAD.format(tool=measured()["tool"]), *(_table(name, own) for name, own in found.items())])


HEAD = """# What did synthesis count, block by block?

{tool}. `make synthesis` counts it and writes this page;
[hardware.md](hardware.md#what-they-cost) says what the models are. LUTs are those of logic and memory together. "Off
by" is the model's figure against Yosys's; block RAMs and DSP slices by the model are those that were counted.

\\* no coefficient of the model was fitted to this row.
"""


def _table(block: str, own: Iterable[Row]) -> str:
    titles = ["size", "LUT", "of memory", "FF", "BRAM_18K", "DSP", "LUT by the model", "off by"]
    lines = [f"## {block.capitalize()}", "", _line(titles), "|---" * len(titles) + "|"]
    for row in own:
        star = "" if row.use == "fitted" else " *"
        counts = (row.lut, row.lutram, row.ff, row.bram_18k, row.dsp)
        lines.append(
            _line([row.size + star, *(f"{number:,}" for number in (*counts, row.model)), f"{100 * row.error:+.1f} %"])
        )
    return "\n".join([*lines, ""])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
