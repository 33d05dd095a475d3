"""A choice of measures for people and as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from fat_fpga import __version__
from fat_fpga.files import replacing
from fat_fpga.hardening.layerwise.choose import Chosen, Option
from fat_fpga.hardening.layerwise.measure import Measures
from fat_fpga.hardening.layerwise.price import IN_BLOCK_RAM, SOURCES
from fat_fpga.hardening.layerwise.problem import Problem
from fat_fpga.text import align, percent

FORMAT = 1
KEY = "protection"
"""What no other JSON file of ours has at its top."""


def choice_text(problem: Problem, chosen: Chosen, bram_luts: float) -> str:
    """The measures of each layer, what they cost and promise, and where figures come from."""
    rows = [["layer", "measures", "worst without [%]", "worst with [%]", "LUTs", "more", "BRAM_18K", "more", "DSP"]]
    plain = {layer: options[0] for layer, options in problem.options.items()}
    for layer, option in chosen.options.items():
        before = plain[layer]
        name = str(option.measures) + (f" ({option.price.how})" if option.price.how else "")
        rows.append([layer, name, _accuracy(problem, before.worst), _accuracy(problem, option.worst),
                     *_figures(option.price.uses, before.price.uses)])  # fmt: skip
    unprotected = Chosen(plain)
    rows.append(["all", "", _accuracy(problem, unprotected.worst), _accuracy(problem, chosen.worst),
                 *_figures(chosen.uses, unprotected.uses)])  # fmt: skip
    lines = [
        f"{problem.network} on {problem.run.identity.dataset}, {problem.run.images:,} images",
        f"promised: at least {_accuracy(problem, chosen.worst)} % right under any one threat in any one layer "
        f"(without faults {_accuracy(problem, Fraction(problem.golden))} %)",
        "",
        align(rows, left=(0, 1)),
        "",
        f"cost: LUTs, and {bram_luts:g} for each BRAM_18K",
        *(f"threat: {threat}" for threat in problem.base.threats),
        *(f"note: {note}" for note in problem.notes),
        *sources(problem, chosen),
    ]
    return "\n".join(lines)


def sources(problem: Problem, chosen: Chosen) -> list[str]:
    """Where the figures come from."""
    model = problem.model.sources([option.price.built for option in chosen.options.values()])
    used = list(chosen.options.values())
    keys = {
        "code": any(o.price.how and o.price.how != IN_BLOCK_RAM for o in used),
        "ecc": any(o.price.how == IN_BLOCK_RAM for o in used),
        "tmr": any(o.measures.tmr for o in used),
        "clip": any(o.measures.clip for o in used),
    }
    return [f"units: {source}" for source in model] + [SOURCES[key] for key, needed in keys.items() if needed]


def front_text(problem: Problem, found: Sequence[Chosen], bram_luts: float) -> str:
    """Every best trade, a line each."""
    rows = [["worst [%]", "LUTs", "BRAM_18K", "DSP", "cost", "measures"]]
    for one in found:
        protected = [f"{layer} {o.measures}" for layer, o in one.options.items() if o.measures != Measures()]
        figures = [*(f"{n:,}" for n in one.uses), f"{one.cost(bram_luts):,.0f}"]
        rows.append([_accuracy(problem, one.worst), *figures, ", ".join(protected) or "none"])
    head = f"{problem.network} on {problem.run.identity.dataset}, {problem.run.images:,} images: best trades"
    return f"{head}\n\n{align(rows, left=(5,))}"


def choices_json(problem: Problem, found: Sequence[Chosen], bram_luts: float) -> dict[str, Any]:
    """The choices as plain dictionaries, lists, numbers and strings; accuracies in percent."""
    identity = problem.run.identity
    return {
        "format": FORMAT,
        "version": __version__,
        KEY: [
            {
                "worst_accuracy": _percent(problem, one.worst), "luts": one.uses[0], "bram_18k": one.uses[1],
                "dsp": one.uses[2], "cost": one.cost(bram_luts),
                "layers": {layer: _option(problem, option) for layer, option in one.options.items()},
            }
            for one in found
        ],
        "network": {"name": problem.network, "fingerprint": identity.network_fingerprint},
        "data": {"name": identity.dataset, "fingerprint": identity.dataset_fingerprint, "images": problem.run.images},
        "error_free": _percent(problem, Fraction(problem.golden)),
        "bram_luts": bram_luts,
        "threats": problem.base.threats,
        "notes": list(problem.notes),
        "sources": sorted({source for one in found for source in sources(problem, one)}),
    }  # fmt: skip


def write_choices_json(
    problem: Problem, found: Sequence[Chosen], bram_luts: float, path: str | os.PathLike[str]
) -> None:
    """Write `choices_json`; the file appears whole or not at all. OSError if it cannot."""
    with replacing(path) as temporary:
        text = json.dumps(choices_json(problem, found, bram_luts), indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def _option(problem: Problem, option: Option) -> dict[str, Any]:
    price = option.price
    return {
        "measures": str(option.measures), "how": price.how, "worst_accuracy": _percent(problem, option.worst),
        "luts": price.luts, "bram_18k": price.bram_18k, "dsp": price.dsp, "pe": price.built.pe,
        "simd": price.built.simd, "rows": price.built.rows,
    }  # fmt: skip


def _percent(problem: Problem, images: Fraction) -> float:
    return float(100 * images / problem.run.images)


def _accuracy(problem: Problem, images: Fraction) -> str:
    return percent(_percent(problem, images))


def _figures(uses: tuple[int, int, int], before: tuple[int, int, int]) -> list[str]:
    luts, bram, dsp = uses
    return [f"{luts:,}", f"{luts - before[0]:+,}", f"{bram:,}", f"{bram - before[1]:+,}", f"{dsp:,}"]
