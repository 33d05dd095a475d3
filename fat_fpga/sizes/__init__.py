"""How large must a network be to stand faulty computations? Size against robustness.

Source: Vialatte and Leduc-Primeau, A Study of Deep Learning Robustness Against Computation Failures, COGNITIVE 2017.
"""

from fat_fpga.sizes.candidate import Candidate, Space
from fat_fpga.sizes.front import Need, best_of, fewest, needs
from fat_fpga.sizes.measured import Measured, read_folder, read_folders
from fat_fpga.sizes.measuring import Question, measure
from fat_fpga.sizes.study import search

__all__ = [
    "Candidate",
    "Measured",
    "Need",
    "Question",
    "Space",
    "best_of",
    "fewest",
    "measure",
    "needs",
    "read_folder",
    "read_folders",
    "search",
]
