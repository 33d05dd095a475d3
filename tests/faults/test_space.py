"""Fault spaces: every fault once, in order, counted without going through them; samples without repetition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.engines import get
from fat_fpga.errors import FaultError, ModelError
from fat_fpga.faults import MODELS, Effect, Fault, FaultSpace, check_faults, fault_space, parse_fault, places
from fat_fpga.faults.place import tried
from fat_fpga.network import Network
from tests.designs.random_faults import every_place, folding_of
from tests.designs.random_network import networks, random_images, random_network


def spaces(network: Network) -> list[FaultSpace]:
    """One for each kind, over all places that have it."""
    pes = folding_of(network)
    return [fault_space(network, kind, every_place(network, kind, pes), pes=pes, frames=3) for kind in MODELS]


@given(networks(), st.integers(0, 99))
def test_a_space_holds_each_fault_once_and_all_exist(network: Network, seed: int) -> None:
    order = [*places(network), "*"]
    for space in spaces(network):
        faults = space.sample(300, seed)
        if len(space) <= 300:
            assert faults == list(space) == [space[i] for i in range(len(space))]
        assert len(set(faults)) == len(faults) == min(300, len(space))
        assert [f.layer for f in faults] == sorted((f.layer for f in faults), key=order.index)
        check_faults(network, faults, images=3)
        assert [parse_fault(str(fault)) for fault in faults] == faults
        assert space.sample(20, seed) == space.sample(20, seed)


def test_counts() -> None:
    network = random_network(7)
    for place in places(network).values():
        if place.unit is None or place.levels is None:
            continue
        channels, height, width = place.shape
        levels = place.levels.count
        assert len(fault_space(network, "channel", [place.name])) == channels * levels
        assert len(fault_space(network, "pixel", [place.name])) == height * width * levels
        assert len(fault_space(network, "element", [place.name])) == channels * height * width * levels


def test_every_number_of_a_slice() -> None:
    space = fault_space(random_network(3))
    assert space[:4] == [space[i] for i in range(4)]
    assert space[-1] == list(space)[-1]
    with pytest.raises(IndexError):
        space[len(space)]


def test_effects_can_be_chosen() -> None:
    network = random_network(7)
    flips = fault_space(network, "weight")
    stuck = fault_space(network, "weight", effects=[Effect(0), Effect(1)])
    assert all(fault.flip for fault in flips[:50])
    assert len(stuck) == 2 * len(flips)
    assert not any(fault.flip for fault in stuck.sample(50))


def test_refusals() -> None:
    network = random_network(7)
    last = network.units[-1].name
    with pytest.raises(FaultError, match="no faults of kind channel: choose among input"):
        fault_space(network, layers=[last])
    with pytest.raises(ModelError, match="unknown layer 'conv9'"):
        fault_space(network, layers=["conv9"])
    with pytest.raises(FaultError, match="known are channel, pixel"):
        fault_space(network, "cosmic")
    with pytest.raises(FaultError, match="need a folding"):
        fault_space(network, "pe")
    with pytest.raises(FaultError, match="number of images"):
        fault_space(network, "activation")
    with pytest.raises(FaultError, match="loopback"):
        fault_space(network, "channel", ["*"])
    with pytest.raises(FaultError, match="loopback"):
        fault_space(network, "channel", [f"{network.units[0].name}+{network.units[1].name}"])
    with pytest.raises(ModelError, match="unknown layer 'conv9'"):
        fault_space(network, "pe", [f"{network.units[0].name}+conv9"], pes={})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("conv9/channel[0] = 0", "unknown place 'conv9'"),
        ("{last}/channel[0] = 0", "scores have no activation levels"),
        ("{first}/channel[0,1] = 0", r"expected channel\[channel\], got 2 numbers"),
        ("{first}/channel[9999] = 0", "has channels 0 to"),
        ("{first}/pixel[0,9999] = 0", "has columns 0 to"),
        ("{first}/channel[0] = 999", "expected = "),
        ("{first}/channel[0].bit[0] ^ 1", r"takes no \.bit"),
        ("{first}/weight[0,0,0,0] = 1", r"takes \.bit\[0\] to"),
        ("{first}/weight[0,0,0,0].bit[31] ^ 1", "have bits 0 to"),
        ("{first}/pe[0] = 1", r"expected pe\[P of N\]"),
        ("{first}/pe[0 of 9999] = 1", "can have 1 to"),
        ("{second}+{first}/pe[0 of 2] = 1", r"each layer once, in the order of the network: {first}\+{second}"),
        ("{first}+{first}/pe[0 of 2] = 1", "each layer once, in the order of the network: {first}"),
        ("{first}+{last}/pe[0 of 2] = 1", "{last} is no layer whose PEs have activation levels"),
        ("{first}/channel[0 of 2] = 1", "counts PEs"),
        ("{first}/activation[0,0,0].bit[0] ^ 1", r"takes @ frame\[\.\.\.\]"),
        ("{first}/activation[0,0,0].bit[0] ^ 1 @ frame[3]", "images 0 to 2"),
        ("{first}/channel[0] = 1 @ frame[3]", "takes no frame"),
        ("{last}/threshold[0,0].bit[0] ^ 1", "has no threshold memory"),
    ],
)
def test_faults_that_do_not_exist(text: str, wanted: str) -> None:
    network = random_network(7)
    names = dict(zip(("first", "second"), (unit.name for unit in network.units), strict=False))
    names["last"] = network.units[-1].name
    for key, name in names.items():
        wanted = wanted.replace(f"{{{key}}}", name)
    fault = parse_fault(text.format(**names))
    with pytest.raises(FaultError, match=wanted):
        check_faults(network, [fault], images=3)


def test_a_loopback_array_needs_a_layer_with_levels() -> None:
    network = next(n for n in map(random_network, range(100)) if len(n.units) == 1)
    with pytest.raises(FaultError, match="has no layer whose PEs have activation levels"):
        check_faults(network, [Fault("*", "pe", (0,), 1, of=1)])


def test_a_pixel_that_is_the_whole_stream_has_to_be_named() -> None:
    network = random_network(7)
    single = [p.name for p in places(network).values() if p.levels and p.unit and p.shape[1:] == (1, 1)]
    assert single
    assert not {fault.layer for fault in fault_space(network, "pixel")} & set(single)
    assert len(fault_space(network, "pixel", single[:1])) > 0


def test_an_array_that_serves_some_layers() -> None:
    """Its faults are those of each layer at once, in every engine; it has as many PEs as the layer with the most."""
    network = next(n for n in map(random_network, range(100)) if len(n.units) > 3 and len(n.layers) == len(n.units))
    first, second, third = (unit.name for unit in network.units[:3])
    space = fault_space(network, "pe", [f"{first}+{third}"], pes={first: 1, second: 64, third: 2})
    levels = [levels for levels in (places(network)[name].levels for name in (first, third)) if levels is not None]
    common = set(tried(levels[0])) & set(tried(levels[1]))
    assert len(space) == 2 * len(common) > 0
    assert {fault.of for fault in space} == {2}
    assert [parse_fault(str(fault)) for fault in space] == list(space)
    each = [parse_fault(" & ".join(str(replace(fault, layer=name)) for name in (first, third))) for fault in space]
    data, labels = random_images(network, 20), np.zeros(20, np.int64)
    for name in ("reference", "native", "torch", "qonnx"):
        session = get(name).open(network)
        together, apart = (
            session.run(data, labels, faults, predictions=True).predictions for faults in (list(space), each)
        )
        assert together is not None
        assert apart is not None
        assert np.array_equal(together, apart)
        assert len(np.unique(together)) > 1
