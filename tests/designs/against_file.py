"""A lowered file against qonnx's execution of it, stream by stream and class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines.reference import execute
from fat_fpga.network import Network
from fat_fpga.network.layers import MatrixVectorUnit
from fat_fpga.network.lowering.walk import lower_with_sites
from tests.designs.random_network import random_images


def check_file(model: onnx.ModelProto, images: int = 3, told: bool = True, **arguments: Any) -> Network:
    """Lower a model, and compare every stream that it shows, in standard form, and the class of every image.

    Args:
        told: whether some image must give other scores than another, so that the comparison tells something.
        arguments: of `lower`.
    """
    network, sites = lower_with_sites(model, "network", **arguments)
    wrapped, read = (ModelWrapper(m, make_deepcopy=True).transform(InferShapes()) for m in (model, sites.model))
    shape = wrapped.get_tensor_shape(sites.image.tensor)
    shown, different = set[str](), set[bytes]()
    for image in random_images(network, images):
        values = {sites.image.tensor: sites.image.values(image[None]).reshape(shape)}
        output = execute_onnx(wrapped, values)[model.graph.output[0].name].ravel()
        tensors = execute_onnx(read, values, return_full_exec_context=True)
        streams = execute(network, image[None])
        for place, site in sites.streams.items():
            if site.tensor in tensors and place != "input":
                steps = tensors[site.tensor][0].astype(np.float64) / site.scale - site.shift
                assert np.abs(steps - np.rint(steps)).max() < 0.05, place  # the rounding of float32
                assert np.array_equal(np.rint(steps), streams[place].ravel()[site.index]), place
                shown.add(place)
        scores = streams[network.scores].ravel()
        best = output[0] if sites.choice == model.graph.output[0].name else output.argmax()
        assert scores.argmax() == best
        different.add(scores.tobytes())
    assert len(different) > 1 or not told, "all scores are equal: the test tells nothing"
    units = [layer.name for layer in network.layers if isinstance(layer, MatrixVectorUnit)][:-1]
    assert shown or not units, "the file shows no stream: the test tells nothing"
    return network
