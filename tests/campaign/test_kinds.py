"""Faults of every kind in a run file: their parts, their groups, and the order of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from fat_fpga.campaign import Run, kinds, run_campaign, statistics
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import MODELS, Effect, fault_space, parse_fault
from fat_fpga.faults.block import BIT_EFFECTS

from .tiny import tiny_data, tiny_network, tiny_run_of


@pytest.mark.parametrize("kind", MODELS)
def test_counts_of_every_kind_equal_direct_ones(tmp_path: Path, kind: str) -> None:
    run = tiny_run_of(tmp_path / "a.run", kind, sample=20, images=12)
    network, data = tiny_network(kinds=[kind]), tiny_data(12)
    faults = [parse_fault(result.fault) for result in run.results]
    outcome = ReferenceEngine().open(network).run(data.images, data.labels, faults)
    assert run.correct.tolist() == outcome.correct.tolist()
    assert run.changed.tolist() == outcome.changed.tolist()
    for fault, result in zip(faults, run.results, strict=True):
        assert (result.layer, result.kind) == (fault.layer, kind)
        assert (result.index, result.effect) == (fault.index_text, fault.effect_text)
        assert result.fault.startswith(f"{result.address}{' ' if '= ' in result.effect[:2] else ''}")


@pytest.mark.parametrize(
    ("text", "address", "lasting"),
    [
        ("conv0/channel[1] = -1", "conv0/channel[1]", "= -1"),
        ("*/pe[1 of 2] = +1", "*/pe[1 of 2]", "= +1"),
        ("conv0+conv1/pe[1 of 2] = +1", "conv0+conv1/pe[1 of 2]", "= +1"),
        ("fc2/weight[1,0,1,1].bit[0] ^ 1", "fc2/weight[1,0,1,1].bit[0]", "bit[0] ^ 1"),
        ("conv0/activation[1,2,3].bit[0] ^ 1 @ frame[7]", "conv0/activation[1,2,3].bit[0]", "bit[0] ^ 1"),
        (
            "conv0/channel[1] = -1 & conv0.pool/activation[1,2,2].bit[0] ^ 1 @ frame[7]",
            "conv0/channel[1] & conv0.pool/activation[1,2,2].bit[0]",
            "= -1 & bit[0] ^ 1",
        ),
    ],
)
def test_address_and_lasting_effect(tmp_path: Path, text: str, address: str, lasting: str) -> None:
    run = run_campaign(tiny_network(), tiny_data(), [parse_fault(text)], tmp_path / "a.run", "reference")
    (result,) = run.results
    assert (result.fault, result.address, result.lasting) == (text, address, lasting)


def test_transients_of_all_images_are_one_group(tmp_path: Path) -> None:
    groups = statistics(tiny_run_of(tmp_path / "a.run", "activation", layers=["conv1"], images=3))
    assert [(g.kind, g.layer, g.effect, g.spread.faults) for g in groups] == [("activation", "conv1", "bit[0] ^ 1", 36)]


def test_effects_stand_by_bit_and_value_whatever_a_sample_has_first(tmp_path: Path) -> None:
    network = tiny_network()
    space = fault_space(network, "accumulator", ["conv1"], effects=BIT_EFFECTS)
    faults = [fault for fault in space if fault.index[0] or fault.effect == Effect(1)]
    run = run_campaign(network, tiny_data(), faults[2:], tmp_path / "a.run", "reference")
    effects = [group.effect for group in statistics(run)]
    assert effects == [f"bit[{bit}] {effect}" for bit in range(5) for effect in ("= 0", "= 1", "^ 1")]


def test_kinds_and_sets_stand_in_order(tmp_path: Path) -> None:
    texts = [
        "fc2/weight[1,0,1,1].bit[0] ^ 1",
        "conv0/pixel[0,0] = +1 & conv1/channel[0] = -1",
        "input/pixel[0,0] = -128",
        "conv1/channel[2] = +1",
        "*/pe[1 of 2] = +1",
        "conv0.pool/pixel[0,0] = -1",
    ]
    run = run_campaign(tiny_network(), tiny_data(), [parse_fault(t) for t in texts], tmp_path / "a.run", "reference")
    assert kinds(run) == ["channel", "pixel", "pe", "weight", "set of pixel+channel"]
    assert [(g.kind, g.layer, g.effect) for g in statistics(run)] == [
        ("channel", "conv1", "= +1"),
        ("pixel", "input", "= -128"),
        ("pixel", "conv0.pool", "= -1"),
        ("pe", "*", "= +1"),
        ("weight", "fc2", "bit[0] ^ 1"),
        ("set of pixel+channel", "conv0+conv1", "= +1 & = -1"),
    ]
    assert Run.open(tmp_path / "a.run").origin.describe(6) == "6 given faults in 6 places"
