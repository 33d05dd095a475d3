"""Cross-checks: what they find, where they find it, and what they say was not compared."""

from __future__ import annotations

import pytest

from fat_fpga.crosscheck import KINDS, CrossCheck, Difference, Pair, Refusal, crosscheck, random_images, sample_faults
from fat_fpga.crosscheck.check import steps
from fat_fpga.crosscheck.sample import kind_of
from fat_fpga.crosscheck.table import crosscheck_text
from fat_fpga.engines import get
from fat_fpga.engines.block import Streams
from fat_fpga.engines.reference import ReferenceEngine
from fat_fpga.errors import EngineError, FaultError
from fat_fpga.faults import AnyFault, Fault, places
from tests.campaign.tiny import tiny_network
from tests.crosscheck.broken import BrokenEngine

NETWORK = tiny_network()
IMAGES = random_images(NETWORK, 3)
FAULTS = sample_faults(NETWORK, KINDS, 45, 3)


def against_reference(engine: BrokenEngine) -> CrossCheck:
    return crosscheck(NETWORK, IMAGES, FAULTS, {"reference": ReferenceEngine(), "broken": engine})


def test_equal_engines() -> None:
    done: list[int] = []
    engines = {name: get(name) for name in ("reference", "torch", "qonnx")}
    check = crosscheck(NETWORK, IMAGES, FAULTS, engines, done.append)
    assert check.equal
    assert check.compared
    assert not check.refusals
    assert sum(done) == steps(len(FAULTS), 3)
    pixels = 8 * 8 + 4 * 6 * 6 + 4 * 3 * 3 + 3 * 2 * 2 + 4
    activations = (1 + len(FAULTS)) * 3 * pixels
    pairs = [("reference", "torch"), ("reference", "qonnx"), ("torch", "qonnx")]
    assert list(check.pairs) == [Pair(pair, len(FAULTS), 3 * (1 + len(FAULTS)), activations) for pair in pairs]
    assert set(check.seconds) == set(engines)
    text = crosscheck_text(check).splitlines()
    assert text[1].split()[:3] == ["reference", "=", "torch"]
    assert text[-1] == "equal"


def test_a_broken_engine_is_caught_with_layer_channel_and_pixel() -> None:
    victim = next(fault for fault in FAULTS if fault.kind == "weight")

    def spoil(fault: AnyFault | None, streams: Streams) -> None:
        if fault == victim:
            streams["conv1"][2, 0, 0, 0] += 7  # a later image
            streams["fc2"][1] += 1  # a later layer
            streams["conv1"][1, 2, 1, 0] = 99
            streams["conv1"][1, 2, 1, 1] = 98  # a later pixel

    check = against_reference(BrokenEngine(spoil))
    (pair,) = check.pairs
    right = int(ReferenceEngine().open(NETWORK).trace(IMAGES, victim)["conv1"][1, 2, 1, 0])
    assert pair.difference == Difference(str(victim), 1, "conv1", (2, 1, 0), (right, 99))
    assert pair.differing == 1
    assert not check.equal
    text = crosscheck_text(check)
    wanted = (
        f"first difference of reference and broken: {victim}, image 1, conv1 channel 2 pixel [1,0]: {right} against 99"
    )
    assert wanted in text
    assert text.endswith("NOT equal")


def test_the_fault_free_network_is_compared_too() -> None:
    def spoil(fault: AnyFault | None, streams: Streams) -> None:
        if fault is None:
            streams["input"][0, 0, 5, 3] = -200

    (pair,) = against_reference(BrokenEngine(spoil)).pairs
    assert pair.difference is not None
    assert str(pair.difference).startswith("no fault, image 0, input channel 0 pixel [5,3]: ")
    assert pair.differing == 1


def test_a_predicted_class_alone_is_a_difference() -> None:
    victim = next(fault for fault in FAULTS if kind_of(fault) == "set")
    (pair,) = against_reference(BrokenEngine(predict=victim)).pairs
    assert pair.difference is not None
    a, b = pair.difference.values
    assert pair.difference == Difference(str(victim), 2, None, None, (a, a + 1))
    assert f"image 2, predicted class: {a} against {b}" in str(pair.difference)


def test_kinds_that_an_engine_refuses_are_reported() -> None:
    check = against_reference(BrokenEngine(refuses=["pe", "weight"]))
    counts = {kind: sum(kind_of(fault) == kind for fault in FAULTS) for kind in KINDS}
    assert check.refusals == (
        Refusal("broken", "pe", counts["pe"], False, "no pe here"),
        Refusal("broken", "weight", counts["weight"], False, "no weight here"),
    )
    assert check.pairs[0].faults == len(FAULTS) - counts["pe"] - counts["weight"]
    text = crosscheck_text(check)
    assert f"not compared in broken: {counts['pe']} faults of kind pe (no pe here)" in text
    assert text.endswith("all that was compared is equal")


def test_streams_that_an_engine_does_not_show_are_reported_and_predictions_compared() -> None:
    full = against_reference(BrokenEngine())
    check = against_reference(BrokenEngine(blind=["channel"]))
    (refusal,) = check.refusals
    assert refusal.streams
    assert refusal.kind == "channel"
    assert check.pairs[0].predictions == full.pairs[0].predictions
    assert check.pairs[0].activations < full.pairs[0].activations
    assert "streams under" in crosscheck_text(check)


def test_only_streams_that_both_show_are_compared() -> None:
    def keep_scores(fault: AnyFault | None, streams: Streams) -> None:
        for place in list(streams)[:-1]:
            del streams[place]

    (pair,) = against_reference(BrokenEngine(keep_scores)).pairs
    assert pair.difference is None
    assert pair.activations == (1 + len(FAULTS)) * 3 * 4


def test_nothing_in_common_is_no_equality() -> None:
    faults = [fault for fault in FAULTS if fault.kind == "pe"]
    engines = {"reference": ReferenceEngine(), "broken": BrokenEngine(refuses=["pe"])}
    check = crosscheck(NETWORK, IMAGES, faults, engines)
    assert not check.compared
    assert "reference and broken had no fault to compare" in crosscheck_text(check)


def test_refusals() -> None:
    with pytest.raises(EngineError, match="two different engines at least, got reference"):
        crosscheck(NETWORK, IMAGES, FAULTS, {"reference": ReferenceEngine()})
    with pytest.raises(FaultError, match="unknown fault kind 'gremlin': known are channel, "):
        sample_faults(NETWORK, ["channel", "gremlin"], 4, 3)


def test_a_sample_covers_kinds_and_places() -> None:
    faults = sample_faults(NETWORK, KINDS, 180, 3)
    assert 150 <= len(faults) <= 180
    assert {kind_of(fault) for fault in faults} == set(KINDS) - {"entry", "factor", "offset"}, "it has no such layers"
    assert {fault.layer for fault in faults if fault.kind == "element"} == set(places(NETWORK)) - {"fc2"}
    assert {fault.layer for fault in faults if fault.kind == "pe"} == {"conv0", "conv1", "*"}
    assert {(f.effect_text[-3:]) for f in faults if f.kind == "accumulator"} == {"^ 1", "= 0", "= 1"}
    assert faults == sample_faults(NETWORK, KINDS, 180, 3)
    assert faults != sample_faults(NETWORK, KINDS, 180, 3, seed=1)
    pes = sample_faults(NETWORK, ["pe"], 9, 3, pes=dict.fromkeys(places(NETWORK), 2))
    assert [fault.of for fault in pes if isinstance(fault, Fault)] == [2] * 9
