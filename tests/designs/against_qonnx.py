"""A lowered file against qonnx's own execution of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines.reference import execute
from fat_fpga.network import Network
from fat_fpga.network.lowering.walk import lower
from tests.designs.random_network import random_images

PRODUCTS = ("Conv", "MatMul", "Gemm")


def check_scores(
    model: onnx.ModelProto, raw: bool = False, images: int = 4, expect_difference: bool = True, **arguments: Any
) -> Network:
    """Lower a model and compare the accumulators of its last product, up to one positive factor, with qonnx's.

    Args:
        raw: whether the file takes pixels 0..255, in its input's own type.
        expect_difference: whether some image must give different scores, so that the comparison tells something.
        arguments: of `lower`.
    """
    network = lower(model, "network", **arguments)
    wrapped = ModelWrapper(model, make_deepcopy=True).transform(InferShapes())
    last = [node for node in model.graph.node if node.op_type in PRODUCTS][-1]
    value = model.graph.input[0]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    told = False
    for image in random_images(network, images):
        shape = wrapped.get_tensor_shape(value.name)
        pixels = image.astype(dtype) if raw else image.astype(np.float32) / np.float32(255)
        tensors = execute_onnx(wrapped, {value.name: pixels.reshape(shape)}, return_full_exec_context=True)
        found = tensors[last.output[0]].astype(np.float64).ravel()
        scores = execute(network, image[None])[network.units[-1].name].astype(np.float64).ravel()
        told |= len(np.unique(scores)) > 1
        factor = np.abs(found).max() / max(np.abs(scores).max(), 1)
        assert np.allclose(found, scores * factor, rtol=1e-5, atol=1e-5 * np.abs(found).max())
    assert told or not expect_difference, "all scores are equal: the test tells nothing"
    return network
