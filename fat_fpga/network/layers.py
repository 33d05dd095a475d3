"""The layers of an integer network, named and meant as FINN does: one file each in `fat_fpga.network.operators`."""

from fat_fpga.network.operators.base import IntArray, Layer, Shape
from fat_fpga.network.operators.input_quantiser import InputQuantiser
from fat_fpga.network.operators.majority_vote import MajorityVote
from fat_fpga.network.operators.matrix_vector_unit import MatrixVectorUnit
from fat_fpga.network.operators.max_pool import MaxPool

__all__ = [
    "InputQuantiser",
    "IntArray",
    "Layer",
    "MajorityVote",
    "MatrixVectorUnit",
    "MaxPool",
    "Shape",
]
