"""The integer dataflow network and its ways in and out of QONNX files."""

from fat_fpga.network.files import load_network, write_qonnx
from fat_fpga.network.folding import read_folding
from fat_fpga.network.layers import (
    FeatureQuantiser,
    InputQuantiser,
    IntegerInput,
    Layer,
    MajorityVote,
    MatrixVectorUnit,
    MaxPool,
)
from fat_fpga.network.levels import Levels
from fat_fpga.network.network import Network

__all__ = [
    "FeatureQuantiser",
    "InputQuantiser",
    "IntegerInput",
    "Layer",
    "Levels",
    "MajorityVote",
    "MatrixVectorUnit",
    "MaxPool",
    "Network",
    "load_network",
    "read_folding",
    "write_qonnx",
]
