"""Predictions of two engines, fault by fault."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fat_fpga.engines.native_engine import NativeEngine
from fat_fpga.engines.outcome import Outcome
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.faults import AnyFault
from fat_fpga.network import Network
from tests.designs.random_network import random_images


def assert_same_predictions(faults: Sequence[AnyFault], got: Outcome, expected: Outcome, note: str = "") -> None:
    """Every prediction is equal; the first fault of which one is not is named, with the note."""
    assert expected.predictions is not None
    assert got.predictions is not None
    for fault, ours, theirs in zip(faults, got.predictions, expected.predictions, strict=True):
        np.testing.assert_array_equal(ours, theirs, str(fault)[:200] + note)


def assert_native_like_reference(network: Network, faults: Sequence[AnyFault], images: int = 2) -> None:
    """The native engine's predictions on random images are the reference's, and some of them change."""
    pixels = random_images(network, images, 1)
    labels = np.zeros(images, np.int64)
    expected = ReferenceEngine().open(network).run(pixels, labels, faults, predictions=True)
    got = NativeEngine(1).open(network).run(pixels, labels, faults, predictions=True)
    assert_same_predictions(faults, got, expected)
    assert np.any(expected.changed > 0)
