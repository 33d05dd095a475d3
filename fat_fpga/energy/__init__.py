"""Energy of faulty memories: probability of a fault by energy, accuracy by energy, comparison at equal accuracy.

Source: Boukli Hacene et al., Training Modern Deep Neural Networks for Memory-Fault Robustness, ISCAS 2019.
"""

from fat_fpga.energy.accesses import Accesses, accesses
from fat_fpga.energy.block_curves import blocks_of
from fat_fpga.energy.blocks import Assignment, Block, assign, assign_ratios
from fat_fpga.energy.curve import EnergyPoint, best_reduction, energy_curve, least_energy
from fat_fpga.energy.equivalent import Equivalent, equivalent
from fat_fpga.energy.reliability import Reliability, fit, read_table

__all__ = [
    "Accesses",
    "Assignment",
    "Block",
    "EnergyPoint",
    "Equivalent",
    "Reliability",
    "accesses",
    "assign",
    "assign_ratios",
    "best_reduction",
    "blocks_of",
    "energy_curve",
    "equivalent",
    "fit",
    "least_energy",
    "read_table",
]
