"""The layers of an integer network, named and meant as FINN does: one file each in `fat_fpga.network.operators`."""

from fat_fpga.network.operators.add import Add
from fat_fpga.network.operators.base import IntArray, Layer, Shape
from fat_fpga.network.operators.class_scores import AffineScores, ClassScores, OrderedScores
from fat_fpga.network.operators.concat import Concat
from fat_fpga.network.operators.feature_quantiser import FeatureQuantiser
from fat_fpga.network.operators.input import Data, Input
from fat_fpga.network.operators.input_quantiser import InputQuantiser
from fat_fpga.network.operators.integer_input import IntegerInput
from fat_fpga.network.operators.majority_vote import MajorityVote
from fat_fpga.network.operators.matrix_vector_unit import MatrixVectorUnit
from fat_fpga.network.operators.max_pool import MaxPool
from fat_fpga.network.operators.requantise import Requantise
from fat_fpga.network.operators.scores import Scores
from fat_fpga.network.operators.select import Select
from fat_fpga.network.operators.shuffle import Shuffle
from fat_fpga.network.operators.sum_pool import SumPool
from fat_fpga.network.operators.table import Table
from fat_fpga.network.operators.thresholding import Thresholding
from fat_fpga.network.operators.upsample import Upsample
from fat_fpga.network.operators.zero_insertion import ZeroInsertion

Thresholded = MatrixVectorUnit | Thresholding
"""Layers with a threshold memory."""

__all__ = [
    "Add",
    "AffineScores",
    "ClassScores",
    "Concat",
    "Data",
    "FeatureQuantiser",
    "Input",
    "InputQuantiser",
    "IntArray",
    "IntegerInput",
    "Layer",
    "MajorityVote",
    "MatrixVectorUnit",
    "MaxPool",
    "OrderedScores",
    "Requantise",
    "Scores",
    "Select",
    "Shape",
    "Shuffle",
    "SumPool",
    "Table",
    "Thresholded",
    "Thresholding",
    "Upsample",
    "ZeroInsertion",
]
