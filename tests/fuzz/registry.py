"""All targets."""

from __future__ import annotations

from tests.fuzz.targets import (
    arguments,
    checkpoints,
    data_files,
    images,
    json_files,
    network_files,
    onnx_files,
    run_files,
    texts,
)

TARGETS = (
    onnx_files.TARGET, data_files.NUMPY, data_files.PICKLES, data_files.MATLAB, data_files.IDX, data_files.TABLES,
    images.TARGET, json_files.TARGET, network_files.TARGET, run_files.TARGET, checkpoints.TARGET, texts.FAULT_LISTS,
    texts.RECIPES, arguments.TARGET,
)  # fmt: skip
