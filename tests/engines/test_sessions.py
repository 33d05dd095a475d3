"""Sessions: parts of a data set join to the whole, twins share what was made, engines are found by name."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fat_fpga.cli.main import build_parser
from fat_fpga.crosscheck import KINDS, sample_faults
from fat_fpga.engines import Engine, Session, forms, get, names, native_network, native_session, over_images
from fat_fpga.engines.kept import Kept
from fat_fpga.errors import DataError, EngineError, FaultError
from fat_fpga.faults import memory_fingerprint, parse_fault
from fat_fpga.hardening.rewrite import rearranged
from fat_fpga.network import Network
from tests.campaign.tiny import tiny_data, tiny_network
from tests.designs.random_network import networks, random_images, random_network

FRAMES = 9
ENGINES = ("reference", "native", "torch", "qonnx")


def assert_parts_join(session: Session, network: Network, cuts: Sequence[int], seed: int) -> int:
    """Parts of the images, each with all faults, join to the outcome of them all; the number of classes changed."""
    images, labels = random_images(network, FRAMES, seed), np.arange(FRAMES) % network.classes
    faults = sample_faults(network, KINDS, 2 * len(KINDS), FRAMES, seed)
    whole = session.run(images, labels, faults, predictions=True)
    ends = [0, *sorted(set(cuts)), FRAMES]
    parts = [
        session.run(images[a:b], labels[a:b], faults, predictions=True, first_frame=a, frames=FRAMES)
        for a, b in pairwise(ends)
    ]
    joined = over_images(parts, len(faults), FRAMES, predictions=True)
    for name in ("golden", "correct", "changed", "predictions"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), f"{session.name}: {name}")
    for fault in faults[::5]:
        shown = session.trace(images, fault)
        for a, b in pairwise(ends):
            for place, stream in session.trace(images[a:b], fault, first_frame=a, frames=FRAMES).items():
                np.testing.assert_array_equal(stream, shown[place][a:b], f"{session.name}: {fault} at {place}")
    return int(whole.changed.sum())


@given(network=networks(), cuts=st.sets(st.integers(1, FRAMES - 1), min_size=1), seed=st.integers(0, 999))
def test_parts_of_the_images_join_to_the_whole(network: Network, cuts: set[int], seed: int) -> None:
    for name in ("reference", "native"):
        assert_parts_join(get(name).open(network), network, list(cuts), seed)


@pytest.mark.parametrize("name", ENGINES)
def test_parts_join_in_every_engine(name: str) -> None:
    changed = 0
    for seed in (1, 4, 7):
        network = random_network(seed)
        changed += assert_parts_join(get(name).open(network), network, (2, 3, 7), seed)
    assert changed > 0


def test_parts_join_where_votes_are_undecided() -> None:
    network = tiny_network()
    network = rearranged(network, "conv0", [0, 0, 0, 1, 2, 3], range(4))
    data = tiny_data(FRAMES)
    fault = parse_fault("conv0/channel[0] = -1 & conv0/channel[1] = +1 & conv0/element[2,1,1] = +1")
    session, part = get("native").open(network), slice(4, FRAMES)
    whole = session.run(data.images, data.labels, [fault], predictions=True)
    right = get("reference").open(network).run(data.images, data.labels, [fault], predictions=True)
    np.testing.assert_array_equal(whole.predictions, right.predictions)
    found = session.run(data.images[part], data.labels[part], [fault], predictions=True, first_frame=4, frames=FRAMES)
    assert found.predictions is not None
    assert right.predictions is not None
    np.testing.assert_array_equal(found.predictions, right.predictions[:, part])


def test_a_transient_hits_its_own_image_in_whichever_part_it_is() -> None:
    network = random_network(4)
    data, unit = random_images(network, FRAMES), network.units[0].name
    fault = parse_fault(f"{unit}/activation[0,0,0].bit[0] ^ 1 @ frame[5]")
    session = get("torch").open(network)
    clean, faulty = session.trace(data)[unit], session.trace(data, fault)[unit]
    assert np.flatnonzero((clean != faulty).reshape(FRAMES, -1).any(axis=1)).tolist() == [5]
    later = session.trace(data[4:], fault, first_frame=4)[unit]
    np.testing.assert_array_equal(later, faulty[4:])
    labels = np.zeros(FRAMES, np.int64)
    session.run(data[:3], labels[:3], [fault], frames=FRAMES)  # a part that it does not hit
    with pytest.raises(FaultError, match="there are images 0 to 2"):
        session.run(data[:3], labels[:3], [fault])


def test_a_copy_of_a_network_finds_what_was_made_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Network] = []
    translate = native_network.translate

    def watched(network: Network, *options: Any) -> Any:
        made.append(network)
        return translate(network, *options)

    monkeypatch.setattr(native_session, "_model", Kept(watched))
    network, data = tiny_network(3), tiny_data(FRAMES)
    twin = pickle.loads(pickle.dumps(network))
    assert twin is not network
    faults = sample_faults(network, KINDS, 20, FRAMES)
    found = [get("native").open(each).run(data.images, data.labels, faults) for each in (network, twin, network)]
    assert len(made) == 1
    np.testing.assert_array_equal(found[0].correct, found[1].correct)
    get("native").open(tiny_network(4))
    assert len(made) == 2


def test_twins_with_other_memories_are_told_apart() -> None:
    network = random_network(2)
    pulled = network.canonical
    assert pulled.fingerprint == network.fingerprint
    kept = Kept(lambda network: network)
    assert kept(network) is network
    assert (kept(pulled) is network) == (memory_fingerprint(pulled) == memory_fingerprint(network))
    for seed in range(20, 24):
        assert kept(random_network(seed)).fingerprint == random_network(seed).fingerprint


def test_no_error_is_kept() -> None:
    calls: list[Network] = []

    def fails_once(network: Network) -> str:
        calls.append(network)
        if len(calls) == 1:
            raise EngineError("not now")
        return "made"

    kept, network = Kept(fails_once), tiny_network()
    with pytest.raises(EngineError):
        kept(network)
    assert kept(network) == kept(network) == "made"
    assert len(calls) == 2


def test_every_session_checks_what_it_is_given() -> None:
    network, data = tiny_network(), tiny_data(FRAMES)
    for name in ENGINES:
        session = get(name).open(network)
        assert session.name == name
        with pytest.raises(DataError, match="takes uint8 images"):
            session.run(data.images[:, :, :5], data.labels, [])
        with pytest.raises(DataError, match="takes uint8 images"):
            session.trace(data.images[:, :, :5])
        with pytest.raises(DataError, match="no images"):
            session.run(data.images[:0], data.labels[:0], [])
        with pytest.raises(FaultError, match="unknown place"):
            session.trace(data.images, parse_fault("conv9/channel[0] = 0"))


def test_progress_counts_images_to_the_last() -> None:
    network, data = tiny_network(), tiny_data(120)
    for name in ENGINES:
        done: list[int] = []
        get(name).open(network).run(data.images, data.labels, [], progress=done.append)
        assert done == sorted(done)
        assert done[-1] == 120


def test_registration_is_the_only_list() -> None:
    assert names() == ["native", "reference", "torch", "qonnx", "file", "module", "finn", "board"]
    assert [form.partition(":")[0] for form in dict.fromkeys(forms())] == sorted(
        [form.partition(":")[0] for form in forms()], key=names().index
    )


@pytest.mark.parametrize("command", ["campaign", "crosscheck", "trace"])
def test_help_names_every_engine(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for form in forms():
        assert form.replace("file:PATH", "file") in text, form


def test_an_engine_gives_only_what_is_its_own() -> None:
    """The loop is in one place: no session but the wrapper of faults that are present has a run of its own."""
    for name in ("reference", "native", "torch", "qonnx"):
        kind = type(get(name).open(tiny_network()))
        assert kind.run is Session.run
        assert kind.trace is Session.trace
    assert issubclass(type(get("native")), Engine)
