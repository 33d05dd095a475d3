"""Boards: injecting faults into an accelerator that runs, or into its RTL where there is none.

>>> from fat_fpga.board import open_board
>>> board = open_board("tfc_w2a2")                                   # doctest: +SKIP
>>> board.session.run(images, labels, faults)                        # doctest: +SKIP
"""

from fat_fpga.board.opening import Board, open_board

__all__ = ["Board", "open_board"]
