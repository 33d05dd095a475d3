"""Labelled images from official on-disk formats and plain files.

Image files (``gtsrb:``, ``folder:``) need the extra ``data``: Pillow.
"""

from __future__ import annotations

from fat_fpga.datasets.dataset import Dataset
from fat_fpga.datasets.in_memory import LabelledImages, as_dataset
from fat_fpga.datasets.loading import KINDS, load
from fat_fpga.datasets.part import Split

__all__ = ["KINDS", "Dataset", "LabelledImages", "Split", "as_dataset", "load"]
