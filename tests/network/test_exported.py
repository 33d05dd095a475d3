"""Networks as people build them, exported by Brevitas in both forms, against qonnx's execution of the file."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import settings
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from fat_fpga.engines.reference import execute
from fat_fpga.errors import ModelError
from fat_fpga.network.layers import MatrixVectorUnit
from fat_fpga.network.lowering.walk import lower, lower_with_sites
from tests.designs.against_file import check_file
from tests.designs.exported import DESIGNS
from tests.designs.random_network import random_images

USUAL = [(name, design.forms[0]) for name, design in DESIGNS.items() if design.usual]
REST = [(name, form) for name, design in DESIGNS.items() for form in design.forms if (name, form) not in USUAL]


def check(name: str, form: str) -> None:
    design = DESIGNS[name]
    model = design.export(form)
    if design.refused:
        with pytest.raises(ModelError, match=re.escape(design.refused)):
            lower(model, name, **design.arguments)
        return
    check_file(model, 2, told=False, **design.arguments)


@pytest.mark.parametrize(("name", "form"), USUAL)
def test_a_file_is_the_network_that_qonnx_executes_or_is_refused(name: str, form: str) -> None:
    check(name, form)


@pytest.mark.hypothesis  # of `make test-deep` alone: more of the same kinds
@pytest.mark.skipif(settings.default is None or settings.default.max_examples < 1000, reason="make test-deep")
@pytest.mark.parametrize(("name", "form"), REST)
def test_more_of_them(name: str, form: str) -> None:
    check(name, form)


@pytest.mark.parametrize(
    ("name", "form", "place"),
    [("concatenation_of_two_scales", "qonnx", "conv1"), ("truncated_average", "qcdq", "conv0.thresholding")],
)
def test_where_they_differ_the_exact_value_is_a_tie(name: str, form: str, place: str) -> None:
    """Where the scale of a quantiser comes from its largest sum, others are right between two levels, as averages are.
    A sum of float32, whose rounding depends on its order, is above or below; the network rounds the exact integer sum.
    """
    model = replace(DESIGNS[name], seed=1).export(form)
    network, sites = lower_with_sites(model, name)
    layer = network.layers[network.position(place)]
    (source,), site, made = network.inputs[place], sites.units[place], sites.streams[place]
    wrapped = ModelWrapper(model).transform(InferShapes())
    ties = 0
    for image in random_images(network, 2):
        tensors = execute_onnx(wrapped, {sites.image.tensor: sites.image.values(image[None])}, True)
        streams = execute(network, image[None])
        sums, ours = streams[source][0], streams[place].ravel()[made.index]
        if isinstance(layer, MatrixVectorUnit):
            sums = layer.accumulate(streams[source])[0]
        file = np.rint(tensors[made.tensor][0] / made.scale).astype(int) - made.shift
        assert np.abs(file - ours).max() <= 1
        for at in made.index[file != ours]:
            bias, scale = site.affine(at // (sums.shape[1] * sums.shape[2]))
            steps = (Fraction(scale) * int(sums.ravel()[at]) + Fraction(bias)) / Fraction(made.scale)
            assert abs(steps % 1 - Fraction(1, 2)) < Fraction(1, 2**18), (place, at)
            ties += 1
    assert ties, "no value is a tie: the test tells nothing"
