"""Outcome classes: equal in every engine, they add up, and mean what Li et al. say."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import Run, run_campaign
from fat_fpga.engines import get
from fat_fpga.engines.counts import OUTCOME_NAMES, PARTS, names_of, outcome_counts
from fat_fpga.engines.native_session import UPDATE, UPDATES
from fat_fpga.engines.reference import execute
from fat_fpga.errors import CampaignError, EngineError
from fat_fpga.faults import fault_space, parse_fault
from fat_fpga.network import Network
from fat_fpga.network.layers import AffineScores, ClassScores
from fat_fpga.reports import report_json, report_text
from tests.campaign.tiny import Watched, tiny_data, tiny_network
from tests.designs.random_faults import mixed_faults
from tests.designs.random_network import random_images, random_network
from tests.designs.random_patterns import pattern, random_patterns
from tests.engines.test_native_patterns import small

COUNTING = ("outcomes", "range", "errors")


IMAGES = 4
FAULTS = 12  # of each random network


def voted(seed: int) -> Network:
    """A random network with a voter."""
    while not random_network(seed).voted_units:
        seed += 1
    return random_network(seed)


@pytest.mark.parametrize("seed", range(6))
def test_every_engine_counts_the_same(seed: int) -> None:
    network = random_network(seed) if seed < 4 else voted(seed * 10)
    counting = (*COUNTING, *(("voter",) if network.voted_units else ()))
    images = random_images(network, 5, seed)
    labels = np.arange(5) % network.classes
    faults = mixed_faults(network, 18, seed, 5)
    expected, *others = (
        get(name).open(network).run(images, labels, faults, predictions=True, counting=counting)
        for name in ("reference", "native", "torch", *(("qonnx",) if seed < 3 else ()))
    )
    assert list(expected.counts) == names_of(counting, network)
    for outcome in others:
        for name, count in expected.counts.items():
            np.testing.assert_array_equal(outcome.counts[name], count, name)
    np.testing.assert_array_equal(np.sum([expected.counts[name] for name in PARTS], axis=0), 5)
    assert (expected.counts["sdc1"] <= expected.changed).all()
    assert (expected.counts["critical"] <= expected.counts["sdc1"]).all()
    assert (expected.counts["sdc5"] <= expected.counts["sdc1"]).all()
    if "sdc10" in expected.counts:
        assert (expected.counts["sdc20"] <= expected.counts["sdc10"]).all()
    wrong = sum(expected.counts[f"wrong {label}"] for label in range(network.classes))
    np.testing.assert_array_equal(wrong, 5 - expected.correct)
    # blocks of images add up
    parts = [
        get("reference")
        .open(network)
        .run(images[part], labels[part], faults, counting=counting, first_frame=part.start, frames=5)
        for part in (slice(0, 2), slice(2, 5))
    ]
    for name, count in expected.counts.items():
        np.testing.assert_array_equal(sum(part.counts[name] for part in parts), count)


def affine(network: Network, seed: int) -> Network:
    """The network with a factor and an offset for each class, where its scores are sums."""
    if isinstance(network.layers[-1], ClassScores):
        return network
    rng = np.random.default_rng(seed)
    factors, offsets = (rng.integers(low, 9, network.classes).astype(np.int32) for low in (-4, -50))
    factors[0] = 2**30  # scores are kept within 32 bits
    return replace(network, layers=(*network.layers, AffineScores("scores", factors, offsets)))


@given(st.integers(0, 10**6), st.sampled_from(UPDATES), st.booleans())
def test_kernels_count_what_streams_say(seed: int, update: str, patterns: bool) -> None:
    """Every fault of random chains, voters, graphs and groups, in batches, as the reference finds it by its streams."""
    network = small(seed)
    if seed % 4 == 0:
        network = affine(network, seed)
    images = random_images(network, IMAGES, seed)
    labels = np.random.default_rng(seed).integers(network.classes, size=IMAGES)
    draw = random_patterns if patterns else mixed_faults
    faults = draw(network, FAULTS, seed, IMAGES)
    counting = ["outcomes"]
    counting += ["range"] * (seed % 3 > 0) + ["ecc"] * (seed % 5 > 1)
    counting += ["voter"] * (bool(network.voted_units) and seed % 2 == 0)
    expected = get("reference").open(network).run(images, labels, faults, counting=counting)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")  # the kernels hold them all
        patch.setenv(UPDATE, update)
        got = get("native").open(network).run(images, labels, faults, counting=counting)
    assert list(got.counts) == list(expected.counts)
    for name, count in expected.counts.items():
        np.testing.assert_array_equal(got.counts[name], count, f"{name} of {network.name}, {counting}")
    np.testing.assert_array_equal(got.changed, expected.changed)


def test_kernels_count_what_a_code_tells() -> None:
    network = tiny_network()
    data = tiny_data(5)
    faults = [pattern(f"*/weight[*].bit[*] ^ 1 with secded[8] ~ {rate} @ sample[0]") for rate in (0.0001, 0.05, 0.3)]
    expected, got = (
        get(name).open(network).run(data.images, data.labels, faults, counting=("outcomes", "ecc"))
        for name in ("reference", "native")
    )
    assert expected.counts["detected"].tolist() == [0, 5, 5]
    for name, count in expected.counts.items():
        np.testing.assert_array_equal(got.counts[name], count, name)


def test_what_the_classes_mean() -> None:
    network = tiny_network()  # four classes
    six = np.array([[9, 8, 7, 6, 5, 4, 3]] * 5)
    after = np.array(
        [
            [9, 8, 7, 6, 5, 4, 3],  # masked
            [9, 8, 7, 6, 5, 4, 2],  # scores differ
            [10, 8, 7, 6, 5, 4, 3],  # the highest score moves by 11 %
            [7, 8, 7, 6, 5, 4, 3],  # class 1, by 11 %; class 0 is second
            [1, 8, 7, 6, 5, 4, 3],  # class 0 is the last
        ]
    )
    before, behind = ({network.scores: scores[:, :, None, None].astype(np.int32)} for scores in (six, after))
    found = outcome_counts(network, before, behind, np.array([0, 0, 0, 1, 0]), [])
    assert found == {
        "masked": 1, "noncritical": 2, "sdc1": 2, "detected": 0, "sdc5": 1, "sdc10": 3, "sdc20": 0, "critical": 1,
    }  # fmt: skip


def test_a_voter_detects_what_it_votes_out() -> None:
    network = voted(0)
    unit = next(iter(network.voted_units.values()))
    vote = network.vote_behind(unit)
    assert vote is not None
    copy = int(vote.sources[vote.voted][0, 0])
    level = next(iter(network.levels_of[unit]))
    fault = parse_fault(f"{unit}/channel[{copy}] = {level}")
    images = random_images(network, 6, 1)
    differ = (execute(network, images)[unit][:, copy] != level).any(axis=(1, 2))
    for name in ("reference", "native", "torch"):
        run = get(name).open(network).run(images, np.zeros(6, np.int64), [fault], counting=("outcomes", "voter"))
        assert run.counts["detected"][0] == differ.sum()
        assert run.counts["masked"][0] == 6 - differ.sum()
    with pytest.raises(EngineError, match="nothing to watch"):
        get("reference").open(tiny_network()).run(
            tiny_data(3).images, tiny_data(3).labels, [], counting=("outcomes", "voter")
        )
    with pytest.raises(EngineError, match="is for outcome classes"):
        get("reference").open(network).run(images, np.zeros(6, np.int64), [], counting=("voter",))


def test_a_range_monitor_sees_what_is_no_level() -> None:
    network = next(n for n in map(random_network, range(99)) if any(lv.count == 3 for lv in n.levels_of.values()))
    place = next(name for name, levels in network.levels_of.items() if levels.count == 3)
    register_bits = fault_space(network, "activation", [place], frames=4)
    run = (
        get("reference")
        .open(network)
        .run(random_images(network, 4, 0), np.zeros(4, np.int64), list(register_bits), counting=("outcomes", "range"))
    )
    assert 0 < run.counts["detected"].sum() < 4 * len(register_bits)
    assert run.counts["detected"].max() == 1, "a transient is in one image"


def test_run_files_keep_them_through_a_stop(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    network, data = tiny_network(), tiny_data(12)
    faults = fault_space(network, "weight").sample(40)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, faults, path, Watched(3), chunk=7, counting=("outcomes", "errors"))
    part = Run.open(path)
    assert 0 < part.done < 40
    assert set(part.counts) == {*OUTCOME_NAMES, *(f"wrong {label}" for label in range(4))}
    with pytest.raises(CampaignError, match="counts outcomes,errors in the file and nothing now"):
        run_campaign(network, data, faults, path, "reference")
    run = run_campaign(network, data, faults, path, "native", counting=("outcomes", "errors"))
    direct = (
        get("reference")
        .open(network)
        .run(data.images, data.labels, [parse_fault(r.fault) for r in run.results], counting=("outcomes", "errors"))
    )
    for name, count in direct.counts.items():
        np.testing.assert_array_equal(run.counts[name], count)
    assert "masked, non-critical, SDC-1, detected add up" in report_text(run)
    rows = report_json(run)["outcomes"]
    assert sum(rows[-1]["images"][name] for name in PARTS) == 40 * 12
    assert list(run.to_pandas()["sdc1"]) == run.counts["sdc1"].tolist()
