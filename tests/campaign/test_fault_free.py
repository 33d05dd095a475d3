"""Accuracy without faults: chance is noticed, a network that works is not suspected."""

from __future__ import annotations

import warnings
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.campaign import FaultFree, Run, run_campaign
from fat_fpga.datasets import load
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.errors import CampaignError, ModelWarning
from fat_fpga.faults import fault_space
from fat_fpga.network import load_network

from .tiny import Watched, tiny_data, tiny_network

SEEDS = st.integers(0, 2**32 - 1)


def found(labels: list[int], predicted: list[int], classes: int = 10) -> FaultFree:
    return FaultFree(np.array(labels, np.int64), np.array(predicted, np.int32), classes)


def drawn(seed: int, images: int, classes: int, right: float) -> FaultFree:
    """Balanced labels in random order; each image right with this probability, else of any class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(images) % classes)
    predicted = np.where(rng.random(images) < right, labels, rng.integers(0, classes, images))
    return FaultFree(labels.astype(np.int64), predicted.astype(np.int32), classes)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6))
def test_chance_is_the_mean_over_every_way_to_deal_out_the_predictions(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    ways = [sum(a == b for a, b in zip(labels, dealt, strict=True)) for dealt in permutations(predicted)]
    assert found(labels, predicted, 4).chance == Fraction(100 * sum(ways), len(ways) * len(labels))


def test_figures_by_hand() -> None:
    result = found([0, 0, 1, 1], [0, 1, 1, 1], 2)
    assert (result.images, result.correct) == (4, 3)
    assert (result.accuracy, result.chance) == (Fraction(75), Fraction(50))
    assert result.confusion.tolist() == [[1, 0], [1, 2]]
    assert str(result) == "without injected faults 3 of 4 images are classified correctly (75.00 %)"


@given(SEEDS, st.sampled_from([200, 1000, 10_000]), st.sampled_from([10, 43, 100]))
def test_guesses_are_near_chance(seed: int, images: int, classes: int) -> None:
    assert drawn(seed, max(images, 5 * classes), classes, 0).near_chance


@given(SEEDS, st.integers(10, 2000), st.sampled_from([2, 10, 43, 1000]))
def test_networks_that_work_are_not(seed: int, images: int, classes: int) -> None:
    assert not drawn(seed, images, classes, 0.7).near_chance


def test_a_class_predicted_for_all_is_near_chance_however_many_images_have_it() -> None:
    result = found([0] * 9000 + [1] * 1000, [0] * 10_000, 2)
    assert result.accuracy == result.chance == 90
    assert "it predicts class 0 for 100 % of them" in (result.warning() or "")
    better = found([0] * 9000 + [1] * 1000, [0] * 8500 + [1] * 1500, 2)
    assert not better.near_chance
    assert better.warning() is None


def test_another_order_of_classes_is_found() -> None:
    result = drawn(0, 500, 10, 0.7)
    moved = FaultFree((result.labels + 1) % 10, result.predicted, 10)
    right = 100 * result.correct / 500
    assert f"the order of classes differs: {right:.1f} % are right if the network's class 0 is 1, 1 is 2" in (
        moved.warning() or ""
    )
    assert result.renamed() is None
    assert "look for another data set" in (drawn(0, 500, 10, 0).warning() or "")


def test_images_of_one_class_say_nothing() -> None:
    assert "all images are of class 3" in found([3] * 100, [0] * 100).causes()


def test_expected_accuracy_is_compared_exactly() -> None:
    result = found([0] * 7385 + [1] * 2615, [0] * 10_000, 2)  # 73.85 is no binary fraction
    result.expect(73.85)
    result.expect(Fraction("73.85"))
    with pytest.raises(CampaignError, match=r"7,385 of 10,000 .* \(73\.85 %\), and at least 73\.8501 % are expected: "):
        result.expect(Fraction("73.8501"))


def shifted(images: int) -> Dataset:
    data = load("demo:mnist", limit=images)
    return Dataset(data.name, data.images, (data.labels + 1) % 10, data.classes)


def test_a_campaign_warns_before_its_first_fault(tmp_path: Path) -> None:
    network = load_network("tfc_w2a2")
    faults = fault_space(network, layers=["fc2"])[:4]
    engine = Watched(stop=1)
    with (
        pytest.warns(ModelWarning, match="near chance .*the order of classes differs"),
        pytest.raises(KeyboardInterrupt),
    ):
        run_campaign(network, shifted(60), faults, tmp_path / "a.run", engine)
    assert engine.asked == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = run_campaign(network, load("demo:mnist", limit=60), faults, tmp_path / "b.run", expect_accuracy=90)
    assert run.complete


def test_too_low_an_accuracy_is_refused_and_nothing_written(tmp_path: Path) -> None:
    network, data, path = tiny_network(), tiny_data(), tmp_path / "a.run"
    faults = fault_space(network)
    engine = Watched()
    with pytest.raises(CampaignError, match="and at least 90 % are expected"):
        run_campaign(network, data, faults, path, engine, expect_accuracy=90)
    assert (engine.calls, list(tmp_path.iterdir())) == ([0], [])
    for percent in (-1, 101, float("nan")):
        with pytest.raises(CampaignError, match="must be a percentage, 0 to 100, got"):
            run_campaign(network, data, faults, path, engine, expect_accuracy=percent)
    run = run_campaign(network, data, faults, path, engine, expect_accuracy=0)
    assert run.complete


def test_a_continued_run_is_judged_by_the_accuracy_in_its_file(tmp_path: Path) -> None:
    network, data, path = tiny_network(), tiny_data(), tmp_path / "a.run"
    faults = fault_space(network)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(network, data, faults, path, Watched(stop=2), chunk=5)
    before = Run.open(path)
    engine = Watched()
    with pytest.raises(CampaignError, match="are expected"):
        run_campaign(network, data, faults, path, engine, expect_accuracy=90)
    assert engine.calls == []
    assert Run.open(path).results == before.results
    assert run_campaign(network, data, faults, path, engine, expect_accuracy=before.error_free_accuracy).complete
