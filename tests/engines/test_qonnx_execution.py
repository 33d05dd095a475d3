"""Executing a graph with kept sessions is qonnx's own execution: tensors are equal to the byte, refusals the same."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core import onnx_exec
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util import basic

from fat_fpga.engines.file_engine import FileEngine
from fat_fpga.engines.qonnx_execution import execute, kept_sessions, largest
from tests.designs.random_network import random_images
from tests.engines.test_file_engine import FORMS, random_file


@pytest.mark.parametrize("form", FORMS)
def test_tensors_equal_those_of_sessions_made_anew(form: str, tmp_path: Path) -> None:
    for seed in range(4):
        random_file(form, seed, tmp_path / "file.onnx")
        file = FileEngine(tmp_path / "file.onnx")._file
        values = {file.sites.image.tensor: file.sites.image.values(random_images(file.network, 3, seed))}
        with patch.object(onnx_exec, "rt", onnxruntime), patch.object(basic, "max", max):
            right = onnx_exec.execute_onnx(ModelWrapper(file.model), values, return_full_exec_context=True)
        found = execute(file.model, values)
        assert found.keys() == right.keys()
        for name, tensor in right.items():
            assert np.array_equal(found[name], tensor), name  # a None of qonnx's, for an input that is left out, too
            assert tensor is None or found[name].dtype == tensor.dtype


def test_qonnx_is_as_before_afterwards() -> None:
    before, maximum = onnx_exec.rt, vars(basic)["max"]  # the tests keep sessions themselves
    with kept_sessions():
        assert onnx_exec.rt is not before
        assert vars(basic)["max"] is largest
    assert onnx_exec.rt is before
    assert vars(basic)["max"] is maximum


@given(st.lists(st.floats(width=32) | st.sampled_from([np.nan, -np.inf, 0.0]), min_size=1, max_size=9))
def test_the_largest_is_that_of_python(values: list[float]) -> None:
    elements = np.array(values, np.float32)
    found, right = largest(elements), max(elements)
    assert type(found) is type(right)
    assert np.array_equal(found, right, equal_nan=True)
    if len(values) > 1:
        assert np.array_equal(largest(*values), max(values), equal_nan=True)


def test_what_is_asked_for_in_another_way_is_as_before() -> None:
    assert largest([3, 5, 4]) == 5
    assert largest(2, 7) == 7
    with pytest.raises(ValueError, match="zero-size"):
        largest(np.zeros(0))


@pytest.mark.parametrize("value", [0.4, np.nan, np.inf])
def test_values_that_are_no_integers_are_refused_alike(value: float) -> None:
    tensor = np.array([1.0, value, 2.0], np.float32)
    model = SimpleNamespace(get_tensor_datatype=lambda name: DataType["INT8"])
    said = []
    for maximum in (max, largest):
        with patch.object(basic, "max", maximum), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                basic.sanitize_quant_values(model, ["x"], {"x": tensor})
                said.append("")
            except Exception as error:
                said.append(str(error))
    assert said[0] == said[1]
    assert bool(said[0]) == (value == 0.4)
