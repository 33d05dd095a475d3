"""Estimates before and after copies, voters, injectors and checksum hooks."""

from __future__ import annotations

from fat_fpga.boards import Board
from fat_fpga.errors import FinnError
from fat_fpga.finn.auto import auto_folding
from fat_fpga.finn.estimates import Estimates, estimate
from fat_fpga.finn.folding import Folding, check_folding
from fat_fpga.network import Network


def stages(
    plain: Network,
    network: Network,
    folding: Folding,
    board: Board,
    clock: float,
    inject: str | None,
    checksums: bool = False,
    rtl_only: bool = False,
) -> list[tuple[str, Estimates]]:
    """Named estimates: the network as it came, with its copies and voters, with injectors, with checksum hooks; the
    last is what is built. With ``rtl_only`` and without copies, that of FINN's HLS comes first.

    Without copies the network as it came has the same folding. With copies it has it, too, where that divides its
    channels; else the cheapest folding at the same rate.

    Args:
        plain: the network without copies; ``network`` itself where there are none.
    """
    found, design = [], (network, folding, board, clock)
    if network is not plain:
        hardened = estimate(*design, rtl_only=rtl_only)
        found = [_before(plain, folding, hardened, board, clock, rtl_only), ("with copies and voters", hardened)]
    else:
        found = [("in FINN's HLS", estimate(*design))] if rtl_only else []
        found.append(("as it came", estimate(*design, rtl_only=rtl_only)))
    if inject is not None:
        found.append((f"and {inject} injection", estimate(*design, inject, rtl_only=rtl_only)))
    if checksums:
        found.append(("and checksums", estimate(*design, inject, checksums, rtl_only)))
    return found


def _before(
    plain: Network, folding: Folding, hardened: Estimates, board: Board, clock: float, rtl_only: bool
) -> tuple[str, Estimates]:
    try:
        check_folding(folding, plain)
    except FinnError:
        cheapest = auto_folding(plain, hardened.rate, board, clock, rtl_only=rtl_only)
        return "as it came, folded for that rate", estimate(plain, cheapest, board, clock, rtl_only=rtl_only)
    return "as it came", estimate(plain, folding, board, clock, rtl_only=rtl_only)
