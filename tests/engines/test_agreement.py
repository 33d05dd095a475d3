"""All engines agree on every prediction: random networks, random faults of every kind, and sets of them."""

from __future__ import annotations

import warnings

import numpy as np

from fat_fpga.crosscheck import KINDS as ALL_KINDS
from fat_fpga.crosscheck import crosscheck, sample_faults
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.faults import AnyFault
from tests.campaign.tiny import OF_OTHER_LAYERS
from tests.designs.random_faults import random_faults
from tests.designs.random_graph import random_graph, random_groups
from tests.designs.random_network import random_images, random_network

KINDS = tuple(kind for kind in ALL_KINDS if kind not in OF_OTHER_LAYERS)
"""Those that these networks have; the others are in `test_parameters`."""

ENGINES = ("reference", "native", "torch", "qonnx")
"""The first one is what the others are compared with."""

IMAGES = 3
PER_KIND = 4  # faults of each kind, for each network
LAYERS = [len(random_network(seed).layers) for seed in range(150)]
SMALL = [seed for seed, layers in enumerate(LAYERS) if layers <= 4]
LARGE = [seed for seed, layers in enumerate(LAYERS) if layers > 4]
"""Seeds of networks."""


def test_every_prediction() -> None:
    pairs = dict.fromkeys(KINDS, 0)
    changed = 0
    for number, seed in enumerate(SMALL[:62]):
        network = random_network(seed)
        images, labels = random_images(network, IMAGES, seed), np.arange(IMAGES) % network.classes
        faults: list[AnyFault] = []
        for kind in KINDS:
            sampled = random_faults(network, kind, PER_KIND, seed, IMAGES)
            pairs[kind] += len(sampled)
            faults += sampled
        engines = ENGINES if number < 20 else ENGINES[:-1]  # qonnx takes as long as all others together
        expected, *others = (get(name).open(network).run(images, labels, faults, predictions=True) for name in engines)
        for name, outcome in zip(engines[1:], others, strict=True):
            np.testing.assert_array_equal(outcome.golden, expected.golden, f"{name}, network {seed}")
            np.testing.assert_array_equal(outcome.predictions, expected.predictions, f"{name}, network {seed}")
            np.testing.assert_array_equal(outcome.correct, expected.correct)
            np.testing.assert_array_equal(outcome.changed, expected.changed)
        changed += int((expected.changed > 0).sum())
    assert sum(pairs.values()) >= 2000
    assert min(pairs.values()) >= 150
    assert changed >= 200  # the comparison is not of faults that do nothing


def test_every_activation() -> None:
    faults = activations = 0
    for seed in (*SMALL[62:70], *LARGE[:4]):
        network = random_network(seed)
        images = random_images(network, IMAGES, seed)
        sampled = sample_faults(network, KINDS, 2 * len(KINDS), IMAGES, seed)
        check = crosscheck(network, images, sampled, {name: get(name) for name in ENGINES})
        assert check.equal, crosscheck_text(check)
        assert not check.refusals
        for pair in check.pairs:
            assert pair.faults == len(sampled)
            faults, activations = faults + pair.faults, activations + pair.activations
    assert faults >= 500
    assert activations >= 1_000_000


def test_every_activation_of_graphs() -> None:
    faults = activations = 0
    for seed in range(24):
        network = random_graph(seed)
        if len(network.layers) > 12:
            continue
        images = random_images(network, 2, seed)
        sampled = sample_faults(network, KINDS, 2 * len(KINDS), 2, seed)
        engines = ("reference", "native", "torch", *(("qonnx",) if faults < 60 else ()))
        check = crosscheck(network, images, sampled, {name: get(name) for name in engines})
        assert check.equal, crosscheck_text(check)
        assert not check.refusals
        faults += len(sampled)
        activations += sum(pair.activations for pair in check.pairs)
    assert faults >= 200
    assert activations >= 100_000


def test_every_activation_of_grouped_and_dilated_convolutions() -> None:
    faults = 0
    for seed in range(8):
        network = random_groups(seed)
        images = random_images(network, 2, seed)
        sampled = sample_faults(network, KINDS, 2 * len(KINDS), 2, seed)
        engines = ("reference", "native", "torch", *(("qonnx",) if seed < 3 else ()))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check = crosscheck(network, images, sampled, {name: get(name) for name in engines})
        assert check.equal, crosscheck_text(check)
        assert not check.refusals
        faults += len(sampled)
    assert faults >= 125
