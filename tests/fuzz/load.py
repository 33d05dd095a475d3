"""Packages that commands use, loaded once, so that a forked child need not."""

from __future__ import annotations

import importlib
import os

PACKAGES = (
    "fat_fpga.cli", "fat_fpga.board", "fat_fpga.campaign", "fat_fpga.engines", "fat_fpga.hardening", "fat_fpga.faults",
    "fat_fpga.network.lowering.load", "fat_fpga.network.write", "fat_fpga.reports", "fat_fpga.datasets",
    "fat_fpga.crosscheck", "onnx", "onnxruntime", "qonnx.custom_op.general", "PIL.Image", "PIL.PngImagePlugin",
    "torch", "brevitas.nn", "fat_fpga.models.builder", "fat_fpga.models.export", "fat_fpga.training.trainer",
    "matplotlib.figure", "fat_fpga.finn.build",
)  # fmt: skip


def load_packages() -> None:
    """Import them. Numbers of threads are set first: a forked process has no threads but its own."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    for package in PACKAGES:
        importlib.import_module(package)
