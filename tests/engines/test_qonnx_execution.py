"""Executing a graph with kept sessions is qonnx's own execution: tensors are equal to the byte."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnxruntime
import pytest
from qonnx.core import onnx_exec
from qonnx.core.modelwrapper import ModelWrapper

from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.qonnx_execution import execute, kept_sessions
from tests.designs.random_network import random_images
from tests.engines.test_file_engine import FORMS, random_file


@pytest.mark.parametrize("form", FORMS)
def test_tensors_equal_those_of_sessions_made_anew(form: str, tmp_path: Path) -> None:
    for seed in range(4):
        random_file(form, seed, tmp_path / "file.onnx")
        file = FileEngine(tmp_path / "file.onnx")._file
        values = {file.sites.image.tensor: file.sites.image.values(random_images(file.network, 3, seed))}
        with patch.object(onnx_exec, "rt", onnxruntime):
            right = onnx_exec.execute_onnx(ModelWrapper(file.model), values, return_full_exec_context=True)
        found = execute(file.model, values)
        assert found.keys() == right.keys()
        for name, tensor in right.items():
            assert np.array_equal(found[name], tensor), name  # a None of qonnx's, for an input that is left out, too
            assert tensor is None or found[name].dtype == tensor.dtype


def test_qonnx_is_as_before_afterwards() -> None:
    before = onnx_exec.rt
    with kept_sessions():
        assert onnx_exec.rt is not before
    assert onnx_exec.rt is before
