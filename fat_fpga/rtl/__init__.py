"""Accelerators of our own RTL: from a network to the top module of a board, and to its simulation; no FINN needed.

>>> from fat_fpga.rtl import Fold, build_board
>>> build_board(network, {"conv0": Fold(16, 3), "fc1": Fold(1, 8)}, "boards/mine")     # doctest: +SKIP
"""

from fat_fpga.rtl.board import build_board
from fat_fpga.rtl.stages import Fold

__all__ = ["Fold", "build_board"]
