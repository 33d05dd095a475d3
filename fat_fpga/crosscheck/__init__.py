"""Cross-checks: the same faults on the same images in several engines, compared number by number."""

from fat_fpga.crosscheck.check import crosscheck
from fat_fpga.crosscheck.result import CrossCheck, Difference, Pair, Refusal
from fat_fpga.crosscheck.sample import KINDS, any_folding, random_images, sample_faults

__all__ = [
    "KINDS",
    "CrossCheck",
    "Difference",
    "Pair",
    "Refusal",
    "any_folding",
    "crosscheck",
    "random_images",
    "sample_faults",
]
