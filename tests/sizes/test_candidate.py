"""Networks of a search: names, sizes, choices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.errors import ModelError
from fat_fpga.models import build, spec
from fat_fpga.sizes import Candidate, Space

NAMES = st.one_of(
    st.builds("mlp-{}-{}".format, st.integers(1, 4), st.integers(1, 40)),
    st.builds(
        "cnn-{}-{}-{}-{}".format, st.integers(1, 3), st.sampled_from([1, 3, 5]), st.integers(1, 3), st.integers(1, 6)
    ),
)


@settings(max_examples=30)
@given(NAMES)
def test_parameters_and_places_are_those_of_the_network(name: str) -> None:
    try:
        candidate = Candidate(name)
    except ModelError:
        return  # its convolutions leave no pixels
    network = build(name)
    assert candidate.parameters == sum(parameter.numel() for parameter in network.parameters())
    weighted = [one for one, module in network.named_children() if hasattr(module, "weight")]
    assert candidate.places == tuple(weighted)
    with torch.no_grad():
        assert network.eval()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_a_known_size() -> None:
    assert Candidate("mlp-2-200").parameters == 784 * 200 + 200 + 200 * 200 + 200 + 200 * 10 + 10
    # 28 -> 26 -> 13 -> 11 -> 5 pixels
    assert Candidate("cnn-2-3-2-16").parameters == 160 + 16 * 16 * 9 + 16 + 25 * 16 * 200 + 200 + 2010


def test_activations_saturate_and_nothing_is_dropped_behind_the_first_layer() -> None:
    network = build("cnn-2-3-2-4")
    assert [name for name, _ in network.named_children()] == [
        "conv0", "conv0_act", "conv0_pool", "conv1", "conv1_act", "conv1_pool", "conv1_drop",
        "flatten", "fc2", "fc2_act", "fc2_drop", "fc3",
    ]  # fmt: skip
    drops = {name: module.p for name, module in network.named_children() if name.endswith("drop")}
    assert drops == {"conv1_drop": 0.25, "fc2_drop": 0.5}
    x = torch.tensor([[-1.0, 0.5, 3.0]])
    np.testing.assert_array_equal(network.get_submodule("conv0_act")(x).numpy(), [[0.0, 0.5, 1.0]])
    assert [name for name, _ in build("mlp-2-5").named_children()] == [
        "flatten", "fc0", "fc0_act", "fc1", "fc1_act", "fc1_drop", "fc2",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mlp-0-5", "mlp-2", "cnn-2-3-2", "mlp-2-5-1", "rnn-1-2", "mlp-L-N", "mlp-1-100000"])
def test_no_such_network(name: str) -> None:
    with pytest.raises(ModelError, match="unknown model"):
        spec(name)
    with pytest.raises(ModelError):
        Candidate(name)


def test_no_pixels_are_left() -> None:
    with pytest.raises(ModelError, match=r"cnn-4-5-2-3: its convolutions leave no pixels of 28x28"):
        spec("cnn-4-5-2-3")


@given(st.sampled_from(["mlp", "cnn"]), st.randoms(use_true_random=False))
def test_choices_and_candidates_are_one_another_s_inverse(kind: str, random) -> None:  # type: ignore[no-untyped-def]
    space = Space.of(kind)
    made: dict[str, int] = {}

    def choose(name: str, low: int, high: int, log: bool) -> int:
        made[name] = random.randint(low, high)
        return made[name]

    candidate = space.candidate(choose)
    assert candidate is None or space.choices(candidate) == made


def test_networks_of_other_spaces_have_no_choices() -> None:
    assert Space.of("mlp").choices(Candidate("cnn-1-3-2-8")) is None
    assert Space.of("mlp").choices(Candidate("mlp-6-100")) is None
    assert Space.of("cnn").choices(Candidate("cnn-1-4-2-8")) is None
    with pytest.raises(ModelError, match="unknown kind of network 'gru'"):
        Space.of("gru")
    with pytest.raises(ModelError, match="widths 9:3: expected a least and a most number"):
        Space("mlp", (1, 2), (9, 3))
