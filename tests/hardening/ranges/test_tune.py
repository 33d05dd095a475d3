"""Tuning: resumed tunings, foreign records, and the thresholds against brute force."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fat_fpga.errors import CampaignError, ModelError
from fat_fpga.hardening.ranges.checkpoint import write_checkpoint
from fat_fpga.hardening.ranges.profile import profile
from fat_fpga.hardening.ranges.resilience import Resilience
from fat_fpga.hardening.ranges.rivals import BoundTraining, fitact, proact, ranger, weight_ranges
from fat_fpga.hardening.ranges.search import Rules
from fat_fpga.hardening.ranges.tune import tune, with_ranges
from fat_fpga.modules import ModuleSubject, load_module
from fat_fpga.ranges.activation import Bounded
from fat_fpga.ranges.restricted import Ranges
from tests.hardening.ranges.small import ROW, SWEEP, blobs, network, subject

DATA = blobs(64, 1)
RULES = Rules(6, 3, 0.0005)


class StoppedError(Exception):
    pass


def test_the_profile_is_the_largest_output() -> None:
    model = network()
    images = torch.tensor(DATA.images, dtype=torch.float32) / 255
    with torch.no_grad():
        first = model[:2](images)
        second = model[2:5](first)
    found = profile(subject(), DATA.images)
    assert torch.allclose(found.neurons["act0"], first.amax(0))
    assert torch.allclose(found.neurons["act1"], second.abs().amax(0))  # leaky: no smallest value
    assert torch.allclose(found.layer("act1"), second.abs().max())
    assert [list(bound.shape) for bound in found.bounds("channel").values()] == [[4, 1, 1], [6, 1, 1], [16]]
    assert torch.allclose(found.bounds("channel")["act0"].flatten(), first.amax((0, 2, 3)))


def test_a_tuning_that_was_stopped_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole = tune(subject(), DATA, SWEEP, rules=RULES, record=tmp_path / "whole.json")
    asked = []

    def stop(name: str, threshold: float, area: float) -> None:
        asked.append(name)
        if len(asked) == 9:
            raise StoppedError

    with pytest.raises(StoppedError):
        tune(subject(), DATA, SWEEP, rules=RULES, record=tmp_path / "stopped.json", tell=stop)
    assert len(json.loads((tmp_path / "stopped.json").read_text())["counts"]) < len(
        json.loads((tmp_path / "whole.json").read_text())["counts"]
    )
    again = tune(subject(), DATA, SWEEP, rules=RULES, record=tmp_path / "stopped.json")
    assert (tmp_path / "stopped.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    write_checkpoint(subject(), whole.ranges, tmp_path / "whole.pt")
    write_checkpoint(subject(), again.ranges, tmp_path / "again.pt")
    assert (tmp_path / "whole.pt").read_bytes() == (tmp_path / "again.pt").read_bytes()


def test_the_counts_are_those_of_the_plain_engine(tmp_path: Path) -> None:
    tuned = tune(subject(), DATA, SWEEP, rules=Rules(1, 1))
    clipped = with_ranges(subject(), tuned.ranges)
    from fat_fpga.engines import get

    found = get("module:plain").open(clipped).run(DATA.images, DATA.labels, SWEEP.patterns(clipped))
    assert found.correct.tolist() == [count for own in tuned.after.samples for count in own]


def test_thresholds_are_at_least_98_percent_of_brute_force() -> None:
    """A grid of 50 thresholds of each layer, with the others as the tuning had them."""
    tuned = tune(subject(), DATA, SWEEP, rules=RULES)
    for position, layer in enumerate(tuned.layers):
        bounds = {
            other.name: torch.tensor(other.found.best.threshold if number < position else other.largest)
            for number, other in enumerate(tuned.layers)
        }
        clipped = with_ranges(subject(), Ranges("clip", bounds))
        part = clipped.module.get_submodule(layer.name)
        assert isinstance(part, Bounded)
        resilience = Resilience(clipped, DATA, SWEEP)
        grid = []
        for threshold in np.linspace(0, layer.largest, 50):
            part.bound.fill_(float(threshold))
            grid.append(resilience.area(resilience.correct()))
        assert layer.found.best.area >= 0.98 * max(grid), (layer.name, max(grid))


def test_tuning_helps_and_leaves_the_module_as_it_is() -> None:
    given = subject()
    before = given.fingerprint
    tuned = tune(given, DATA, SWEEP, rules=RULES)
    assert given.fingerprint == before
    areas = [one.area(SWEEP.rates, "linear") for one in (tuned.before, tuned.at_largest, tuned.after)]
    assert areas[0] < areas[1] <= areas[2]
    assert all(0 < layer.found.best.threshold <= layer.largest for layer in tuned.layers)


def test_a_record_of_another_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    tune(subject(), DATA, SWEEP, rules=Rules(1, 1), record=path)
    for data, sweep in ((blobs(64, 2), SWEEP), (DATA, dataclasses.replace(SWEEP, samples=5))):
        with pytest.raises(CampaignError, match="record of another search"):
            tune(subject(), data, sweep, record=path)
    other = network()
    with torch.no_grad():
        other.get_parameter("fc3.bias")[0] += 1
    with pytest.raises(CampaignError, match="with network"):
        tune(ModuleSubject(other, ROW, "small"), DATA, SWEEP, record=path)
    path.write_text(path.read_text().replace('"error_free": ', '"error_free": 1'))
    with pytest.raises(CampaignError, match="error_free"):
        tune(subject(), DATA, SWEEP, record=path)


def test_nothing_to_clip() -> None:
    bounded = ModuleSubject(nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Sigmoid()).eval(), ROW, "bounded")
    with pytest.raises(ModelError, match="nothing to clip"):
        tune(bounded, DATA, SWEEP)


def test_a_checkpoint_is_the_network_with_its_bounds(tmp_path: Path) -> None:
    ranges = Ranges("clamp", {"act0": torch.tensor(0.3), "act2": torch.rand(16)}, {"fc3.weight": (-1.0, 1.0)})
    write_checkpoint(subject(), ranges, path := tmp_path / "small.pt")
    found = load_module("module:tests.hardening.ranges.small:network", path)
    images = torch.rand(7, *ROW)
    assert torch.equal(found(images), with_ranges(subject(), ranges).module(images))
    with pytest.raises(ModelError, match="does not fit"):
        load_module("module:fat_fpga.models.floats:lenet_fc", path)


def test_rivals_keep_their_promises() -> None:
    found = profile(subject(), DATA.images)
    clamped = ranger(subject(), DATA)
    assert clamped.style == "clamp"
    assert clamped.words == 3
    assert all(torch.equal(bound, found.layer(name)) for name, bound in clamped.bounds.items())
    assert weight_ranges(subject(), DATA).words == 2 * 8
    training = BoundTraining(epochs=2, rate=0.05)
    neurons = fitact(subject(), DATA, training)
    assert neurons.words == 4 * 64 + 6 * 16 + 16
    hybrid = proact(subject(), DATA, training)
    assert [bound.numel() for bound in hybrid.bounds.values()] == [1, 1, 16]
    images, labels = torch.tensor(DATA.images, dtype=torch.float32) / 255, torch.tensor(DATA.labels)
    plain = int((network()(images).argmax(1) == labels).sum())
    for ranges, make in ((neurons, fitact), (hybrid, proact)):
        bounded = with_ranges(subject(), ranges).module
        assert int((bounded(images).argmax(1) == labels).sum()) >= plain - 0.01 * len(labels)
        again = make(subject(), DATA, training)
        assert all(torch.equal(bound, again.bounds[name]) for name, bound in ranges.bounds.items())
        assert any((bound < found.neurons[name].max()).any() for name, bound in ranges.bounds.items())


def test_histograms_are_those_of_the_outputs() -> None:
    from fat_fpga.hardening.ranges.analysis import EDGES, histograms

    given = subject()
    before = given.fingerprint
    found = histograms(given, DATA, dataclasses.replace(SWEEP, rates=(4e-3,), samples=2))
    assert given.fingerprint == before
    images = torch.tensor(DATA.images, dtype=torch.float32) / 255
    with torch.no_grad():
        plain = network()[:2](images).abs().double().numpy()
    assert found[0.0]["act0"].counts.tolist() == np.histogram(plain, EDGES)[0].tolist()
    assert int(found[4e-3]["act0"].counts.sum()) + found[4e-3]["act0"].nan == 2 * plain.size
    largest = float(profile(given, DATA.images).layer("act2"))
    assert found[0.0]["act2"].beyond(largest) == 0
    assert found[4e-3]["act2"].beyond(largest) > 0
