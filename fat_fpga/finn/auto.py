"""The folding that meets a target rate at least cost, within what a part holds.

In a dataflow accelerator every place of the network has layers of its own, and their costs add up; the rate is that
of the slowest. So for a target rate each place is free to choose, alone, the cheapest of all its legal foldings whose
layers take no more cycles than the target leaves: what comes out is the cheapest of all combinations. Cost is the
share of the part (`Estimates.cost`) by FINN's own estimates. PEs and SIMD lanes are chosen; memories are where the
stock foldings have them.

Where that cheapest folding needs more of one resource than the part has, memories are chosen, too (block RAM or
LUTs), the prices of resources are shifted in steps against each other, and the cheapest that fits is taken; there a
cheaper one may exist between two steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from fat_fpga.boards import Board
from fat_fpga.errors import FinnError
from fat_fpga.finn.estimates import part_of, unfolded
from fat_fpga.finn.folding import Fold, Folding, lanes_of, shared_pes
from fat_fpga.finn.graph import nodes_of
from fat_fpga.finn.layers import UNIT
from fat_fpga.finn.parallel import cycles_of, group_channels, grouped, set_fold
from fat_fpga.finn.placing import LABELS, WINDOW, Node
from fat_fpga.finn.setup import finn_errors
from fat_fpga.network import Network
from fat_fpga.network.folding import divisors

RESOURCES = ("LUT", "BRAM_18K", "DSP")
PRICES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""By how much LUTs and BRAMs are made dearer where the part has too few."""


@dataclass(frozen=True)
class Choice:
    """A legal folding of one place that is fast enough.

    Attributes:
        needs: LUT, BRAM_18K, DSP.
        cycles: for one image.
    """

    place: str
    fold: Fold
    needs: tuple[int, int, int]
    cycles: int


def auto_folding(
    network: Network,
    rate: float,
    board: Board,
    clock: float = 100.0,
    inject: str | None = None,
    rtl_only: bool = False,
) -> Folding:
    """The cheapest folding that gives ``rate`` images a second at ``clock`` MHz.

    Raises:
        FinnError: no legal folding is that fast, with the fastest one; the part is too small, with how much is missing;
            FINN is not installed or cannot build the network.
    """
    if not rate > 0:
        raise FinnError(f"auto folding: expected a rate above 0 images a second, got {rate:g}")
    budget = int(clock * 1e6 / rate + 1e-6)  # the rate of a folding leaves its own cycles
    model = unfolded(network, part_of(board), inject, rtl_only)
    options, part = [], part_of(board)
    for place, group in grouped(nodes_of(model, network), network).items():
        with finn_errors(f"estimates of {place}"):
            legal = list(_choices(network, place, group, part))
        fast = [choice for choice in legal if choice.cycles <= budget]
        if not fast:
            best = min(legal, key=lambda choice: choice.cycles)
            raise FinnError(
                f"auto:{rate:g}: {place} cannot be that fast: with {best.fold.pe} PEs and "
                f"{best.fold.simd} SIMD lanes it takes "
                f"{best.cycles:,} cycles, {clock * 1e6 / best.cycles:,.0f} images a second at {clock:g} MHz"
            )
        options.append(fast)
    stock = [[choice for choice in place if _as_stock(choice.fold)] for place in options]
    chosen = _cheapest([_front(place) for place in stock], board, (1.0,))
    if chosen is None:
        chosen = _cheapest([_front(place) for place in options], board, PRICES)
    if chosen is None:
        raise FinnError(_too_small(options, board, rate))
    return Folding(f"auto:{rate:g}", {choice.place: choice.fold for choice in chosen})


def _choices(network: Network, place: str, group: Sequence[Node], part: str) -> Iterator[Choice]:
    """Every legal folding of a place with what it needs; the group is left folded in some way."""
    windows = any(node.role == WINDOW for node in group)
    unit = place != LABELS and any(node.role == UNIT for node in group)
    lanes = [1]
    if unit:
        lanes = divisors(lanes_of(network, network.position(place)))
    rams = ("auto", "distributed") if unit else ("auto",)
    window_rams = ("auto", "distributed") if windows else ("distributed",)
    depthwise = any(node.proto.op_type.startswith("VVAU") for node in group)
    for pe, simd in product(_pes(network, place, group), lanes):
        if depthwise and simd > 1 and pe < group_channels(group):
            continue
        for ram, window_ram in product(rams, window_rams):
            fold = Fold(pe, simd, ram, window_ram)
            set_fold(group, fold)
            needs = [node.custom.node_res_estimation(part) for node in group]
            total = [round(sum(need[resource] for need in needs)) for resource in RESOURCES]
            yield Choice(place, fold, (total[0], total[1], total[2]), cycles_of(group))


def _as_stock(fold: Fold) -> bool:
    """Whether memories are where the stock foldings have them."""
    return (fold.ram, fold.window_ram) == (Fold.ram, Fold.window_ram)


def _pes(network: Network, place: str, group: Iterable[Node]) -> list[int]:
    """Numbers of PEs that divide the channels and keep copies apart."""
    pes = divisors(group_channels(group))
    names = [layer.name for layer in network.layers]
    vote = network.vote_behind(place) if place in names else None
    if vote is None:
        return pes
    apart = [count for count in pes if shared_pes(vote, count) is None]
    if not apart:
        raise FinnError(
            f"{place}: no number of PEs keeps the three copies of every channel on different ones; plan again"
        )
    return apart


def _front(choices: Iterable[Choice]) -> list[Choice]:
    """Those that no other beats in every resource; of equal ones the first."""
    found: list[Choice] = []
    for choice in sorted(choices, key=lambda choice: (choice.needs, choice.fold.pe * choice.fold.simd)):
        if not any(all(a <= b for a, b in zip(other.needs, choice.needs, strict=True)) for other in found):
            found.append(choice)
    return found


def _cheapest(options: Sequence[Sequence[Choice]], board: Board, factors: Sequence[float]) -> list[Choice] | None:
    """One choice of each place: the cheapest combination that fits; None if none was found."""
    limits = np.array([board.lut, board.bram_18k, board.dsp], float)
    tables = [np.array([choice.needs for choice in place], float) for place in options]
    best: tuple[float, list[int]] | None = None
    for lut, bram in product(factors, factors):
        prices = np.array([lut, bram, 1.0]) / limits
        picked = [int(np.argmin(table @ prices)) for table in tables]
        needs = _total(tables, picked)
        if np.all(needs <= limits):
            cost = float((needs / limits).sum())
            if best is None or cost < best[0]:
                best = cost, picked
            if lut == bram == 1.0:
                break  # nothing cheaper exists
    return None if best is None else [place[number] for place, number in zip(options, best[1], strict=True)]


def _total(tables: Sequence[npt.NDArray[np.float64]], picked: Sequence[int]) -> npt.NDArray[np.float64]:
    total: npt.NDArray[np.float64] = np.sum(
        [table[number] for table, number in zip(tables, picked, strict=True)], axis=0
    )
    return total


def _too_small(options: Sequence[Sequence[Choice]], board: Board, rate: float) -> str:
    """What is missing, at the least, of the resource that is shortest."""
    tables = [np.array([choice.needs for choice in place], float) for place in options]
    limits = np.array([board.lut, board.bram_18k, board.dsp], float)
    least = np.sum([table.min(axis=0) for table in tables], axis=0)
    over = least - limits
    if np.any(over > 0):
        short = int(np.argmax(over / limits))
        return (
            f"{board.name} is too small for {rate:g} images a second: at least {least[short]:,.0f} "
            f"{RESOURCES[short]} are "
            f"needed, there are {limits[short]:,.0f} ({over[short]:,.0f} too few); take a lower rate or a larger board"
        )
    plain = _total(tables, [int(np.argmin(table @ (1 / limits))) for table in tables])
    short = int(np.argmax((plain - limits) / limits))
    return (
        f"{board.name} is too small for {rate:g} images a second: the cheapest folding needs {plain[short]:,.0f} "
        f"{RESOURCES[short]}, there are {limits[short]:,.0f} ({plain[short] - limits[short]:,.0f} too "
        f"few), and none that saves them fits either; take a lower rate or a larger board"
    )
