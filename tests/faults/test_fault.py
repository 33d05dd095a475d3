"""The text form of a fault, and fault spaces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fat_fpga.errors import FaultError
from fat_fpga.faults import Fault, check_faults, fault_model, fault_space, fault_units
from fat_fpga.network import Network
from tests.designs.random_network import networks, random_network

NAMES = st.from_regex(r"[a-z]{2,5}[0-9]{0,2}(\.pool)?", fullmatch=True)


@given(
    st.builds(
        Fault,
        NAMES,
        st.sampled_from(["channel", "pixel"]),
        st.lists(st.integers(0, 999), min_size=1).map(tuple),
        st.integers(-9, 9),
    )
)
def test_the_text_form_round_trips(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


def test_the_text_form_as_documented() -> None:
    assert str(Fault("conv1", "channel", (17,), 1)) == "conv1/channel[17] = +1"
    assert Fault.parse(" conv1 / channel[ 3, 4 ]=-1 ") == Fault("conv1", "channel", (3, 4), -1)
    assert str(Fault("fc6", "channel", (0,), 0)) == "fc6/channel[0] = 0"


@pytest.mark.parametrize("text", ["", "conv1", "conv1/channel[x] = 1", "conv1/channel[1]", "conv1/channel[1] = 1 2"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="cannot read fault"):
        Fault.parse(text)


@given(networks())
@settings(max_examples=25, deadline=None)
def test_a_space_holds_each_fault_once_in_network_order(network: Network) -> None:
    space = fault_space(network)
    assert len(set(space)) == len(space)
    assert len(space) == sum(fault_model("channel").count(unit, shape) for unit, shape in fault_units(network))
    names = [unit.name for unit, _ in fault_units(network)]
    assert [f.layer for f in space] == sorted((f.layer for f in space), key=names.index)
    check_faults(network, space)


def test_a_slice_of_the_space() -> None:
    network = next(n for n in map(random_network, range(50)) if len(n.units) > 2)
    name = network.units[1].name
    assert fault_space(network, layers=[name]) == [f for f in fault_space(network) if f.layer == name]
    with pytest.raises(FaultError, match="no faultable activations: choose among"):
        fault_space(network, layers=[network.units[-1].name])
