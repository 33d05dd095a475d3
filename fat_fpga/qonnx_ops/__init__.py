"""Our operators in QONNX graphs. The package's name is their domain: qonnx imports it to execute them.

Where a file with one of them is executed by qonnx, fat_fpga must be installed, nothing more.
"""

from fat_fpga.qonnx_ops.affine_scores import AffineScores
from fat_fpga.qonnx_ops.majority_vote import MajorityVote
from fat_fpga.qonnx_ops.ranks import Ranks
from fat_fpga.qonnx_ops.requantise import Requantise
from fat_fpga.qonnx_ops.sum_pool import SumPool
from fat_fpga.qonnx_ops.table import Table

__all__ = ["AffineScores", "MajorityVote", "Ranks", "Requantise", "SumPool", "Table"]
