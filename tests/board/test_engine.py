"""The runner against a fake board that breaks in every way: it stops with a clear line or recovers; nothing finished is
lost, nothing is counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board import foretold
from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS, injectable
from fat_fpga.board.registers import SABOTEUR as SABOTEUR_MAP
from fat_fpga.board.session import ATTEMPTS
from fat_fpga.board.thresholds import WritableThresholds
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.crosscheck import crosscheck
from fat_fpga.crosscheck.check import steps
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.errors import BoardError, CampaignError, EngineError
from fat_fpga.faults import AnyFault, fault_space, parse_fault
from fat_fpga.network import MatrixVectorUnit, Network
from tests.board.fake import FakeBoard, describe, small_network
from tests.designs.random_network import random_images

NETWORK = small_network()
IMAGES = random_images(NETWORK, 30, 1)
LABELS = get("reference").open(NETWORK).run(IMAGES, np.zeros(30, np.int64), []).golden.astype(np.int64)
DATA = Dataset("fake", IMAGES, LABELS, tuple("abc"))
CHANNELS = list(fault_space(NETWORK, "channel"))


def board(**broken: object) -> FakeBoard:
    return FakeBoard(NETWORK, describe(NETWORK), **broken)  # type: ignore[arg-type]


def engine(device: FakeBoard, channels_by: str = THRESHOLDS, batch: int = 256) -> BoardEngine:
    return BoardEngine(Accelerator(device, device.description, channels_by, batch))


def expected(faults: Sequence[AnyFault]) -> np.ndarray:
    outcome = get("reference").open(NETWORK).run(IMAGES, LABELS, faults, predictions=True)
    assert outcome.predictions is not None
    return outcome.predictions


@pytest.mark.parametrize("channels_by", [THRESHOLDS, SABOTEUR])
@pytest.mark.parametrize("batch", [256, 7])
def test_every_fault_equals_the_reference(channels_by: str, batch: int) -> None:
    faults: list[AnyFault] = [*CHANNELS]
    for kind in ("pixel", "element"):
        faults += fault_space(NETWORK, kind, layers=["fc0", "fc1"])
    faults += fault_space(NETWORK, "pe", layers=["fc0", "fc1"], pes={"fc0": 4, "fc1": 4, "fc2": 1})
    faults += [
        parse_fault("fc0/channel[3] = -1 & fc1/channel[2] = +1"),
        parse_fault("fc0/pixel[0,0] = 0 & fc1/element[2,0,0] = +1"),
    ]
    found = engine(board(), channels_by, batch).open(NETWORK).run(IMAGES, LABELS, faults, predictions=True)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, expected(faults))
    assert (found.correct == (found.predictions == LABELS).sum(axis=1)).all()


def test_a_hung_transfer_is_tried_again() -> None:
    device = board(hang=2)
    runner = engine(device)
    found = runner.open(NETWORK).run(IMAGES, LABELS, CHANNELS[:4], predictions=True)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, expected(CHANNELS[:4]))
    assert device.restarts == 2
    assert all("did not come back" in line for line in runner.restarts)


def test_a_board_that_always_hangs_is_given_up() -> None:
    with pytest.raises(
        BoardError, match=f"failed {ATTEMPTS} times without a fault, and is given up: 30 frames did not"
    ):
        engine(board(hang=1000)).open(NETWORK).run(IMAGES, LABELS, CHANNELS[:4])


@pytest.mark.parametrize(("register", "channels_by"), [("MODE", SABOTEUR), ("VALUE", SABOTEUR), ("MODE", THRESHOLDS)])
def test_a_register_that_reads_back_wrong_stops_the_run(register: str, channels_by: str) -> None:
    with pytest.raises(BoardError, match=rf"saboteur of fc0: wrote \S+ to register {register}, it reads back"):
        engine(board(wrong_register=("fc0", register)), channels_by).open(NETWORK).run(IMAGES, LABELS, CHANNELS[:4])


def test_another_block_is_refused() -> None:
    with pytest.raises(
        BoardError, match=r"saboteur of fc1: register ID holds 0x46415452 where 0x46415453 was expected"
    ):
        engine(board(wrong_register=("fc1", "ID")))


def test_a_saboteur_that_does_not_show_what_acts_is_refused() -> None:
    class Older(FakeBoard):
        def lose_power(self) -> None:
            super().lose_power()
            for stream in self.description.streams:
                if stream.saboteur is not None:
                    self.blocks[stream.saboteur].words[SABOTEUR_MAP["VERSION"].offset] = 1

    message = "saboteur of fc0: its register map is version 1, this driver needs 2: .* build the bitstream again"
    with pytest.raises(BoardError, match=message):
        engine(Older(NETWORK, describe(NETWORK)))


def test_a_threshold_that_cannot_be_written_stops_the_run() -> None:
    device = board()
    runner = engine(device)
    memory = device.description.streams[0].thresholds
    assert memory is not None
    device.stuck_word = memory.address, memory.word_address(3, 1), 5
    fault = parse_fault("fc0/channel[3] = -1")
    with pytest.raises(BoardError, match=r"fc0: threshold \[3,1\] .* reads back 0x5 where"):
        runner.open(NETWORK).run(IMAGES, LABELS, [fault])


def test_words_that_do_not_ascend_are_not_for_hardware_that_searches() -> None:
    searching: list[str] = []
    counting: list[str] = []
    built = describe(NETWORK)
    stream = built.streams[0]
    assert stream.thresholds is not None
    rows = [list(row) for row in stream.thresholds.values]
    rows[2] = rows[2][::-1]
    memory = replace(stream.thresholds, values=rows)
    for logic, found in (("search", searching), ("count", counting)):
        one = replace(stream, thresholds=memory, threshold_logic=logic)
        description = replace(built, streams=(one, *built.streams[1:]))
        try:
            WritableThresholds(one, FakeBoard(NETWORK, description).bus(memory.address))
        except BoardError as error:
            found.append(str(error))
    assert rows[2] != sorted(rows[2])
    assert counting == []
    assert len(searching) == 1
    assert "fc0: the thresholds" in searching[0]
    assert "of channel 2 do not ascend, and this hardware searches among them" in searching[0]


def test_single_bits_of_thresholds_are_refused_by_name() -> None:
    refused = engine(board()).open(NETWORK).refuses(parse_fault("fc0/threshold[0,0].bit[0] ^ 1"))
    assert refused is not None
    assert "the board engine writes ascending thresholds alone" in refused


@pytest.mark.parametrize("channels_by", [THRESHOLDS, SABOTEUR])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_power_cycle_at_any_transfer_is_found_and_repaired(channels_by: str, at: int, tmp_path: Path) -> None:
    device = board(power_cycle_at=at)
    runner = engine(device, channels_by)
    run = run_campaign(NETWORK, DATA, CHANNELS[:6], tmp_path / "a.run", runner, chunk=2)
    other = run_campaign(NETWORK, DATA, CHANNELS[:6], tmp_path / "b.run", "reference")
    assert run.results == other.results
    assert device.restarts == len(runner.restarts)
    if channels_by == SABOTEUR:  # with thresholds, one behind a flush may take nothing with it
        assert device.restarts == 1


def test_a_second_host_is_found() -> None:
    with pytest.raises(BoardError, match="31 frames passed where 30 were sent: another host uses this board"):
        engine(board(second_host=True)).open(NETWORK).run(IMAGES, LABELS, CHANNELS[:4])


def test_a_board_that_drifts_gives_no_results(tmp_path: Path) -> None:
    device = board()
    runner = engine(device)
    run_campaign(NETWORK, DATA, CHANNELS[:2], tmp_path / "a.run", runner)
    device.drift = True
    device.transfers = 0
    with pytest.raises(BoardError, match=r"what was received has the digest .* a transfer brought something else"):
        run_campaign(NETWORK, DATA, CHANNELS[:4], tmp_path / "b.run", runner)
    assert Run.open(tmp_path / "b.run").done == 0


@pytest.mark.parametrize("place", ["fc0", "fc1", "fc2"])
def test_a_layer_that_computes_something_else_is_named(place: str) -> None:
    device = board(wrong_layer=place)
    with pytest.raises(BoardError, match=rf"{place}: image 0 has checksum \w+ on the board, \w+ in the network"):
        engine(device).open(NETWORK).run(IMAGES[:1], LABELS[:1], [])


@pytest.mark.parametrize("checksums_too", [False, True])
def test_other_weights_are_found_by_one_image(checksums_too: bool) -> None:
    other = describe(NETWORK, checksums=checksums_too)
    device = FakeBoard(NETWORK, other)
    units = NETWORK.units
    flipped = type(units[1])("fc1", -units[1].weights, units[1].thresholds, units[1].levels, weight_type="INT2")
    device.network = Network("small", NETWORK.input, (units[0], flipped, units[2]))
    place = "fc1: image 29 has checksum" if checksums_too else r"the board gives \[.*\] for image 0, the network"
    with pytest.raises(BoardError, match=place):
        engine(device).open(NETWORK).run(IMAGES, LABELS, [])


def test_one_wrong_image_of_a_run_without_a_fault_is_found_by_the_digest() -> None:
    device = board(wrong_layer="fc1")  # the first of thirty images, and no class
    with pytest.raises(BoardError, match=r"fc1: its checksums have the digest .* an image before the last is another"):
        engine(device).open(NETWORK).run(IMAGES, LABELS, CHANNELS[:1])


def test_a_layer_in_front_of_a_fault_must_be_as_without_it() -> None:
    device = board()

    def breaks_under_the_first_fault() -> None:
        if device.transfers == 2:
            device.wrong_layer = "fc0"

    device.on_transfer = breaks_under_the_first_fault
    runner, behind = engine(device, SABOTEUR), parse_fault("fc1/channel[3] = +1")
    with pytest.raises(BoardError, match=r"fc0: .* digest .* it lies in front of fc1/channel\[3\] = \+1"):
        runner.open(NETWORK).run(IMAGES, LABELS, [behind])
    assert len(runner.restarts) == ATTEMPTS


def test_a_layer_behind_a_fault_must_be_as_the_network_foretells_for_all_images() -> None:
    device = board()

    def breaks_under_the_first_fault() -> None:
        if device.transfers == 2:
            device.wrong_layer = "fc1"  # in the first of thirty images

    device.on_transfer = breaks_under_the_first_fault
    message = r"fc1: .* an image before the last is another one from this layer on, under fc0/channel\[3\] = \+1"
    with pytest.raises(BoardError, match=message):
        engine(device, SABOTEUR).open(NETWORK).run(IMAGES, LABELS, [parse_fault("fc0/channel[3] = +1")])


def test_a_host_without_kernels_goes_through_each_list_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_kernels(name: str) -> None:
        raise EngineError(f"no {name}")

    monkeypatch.setattr(foretold, "get", no_kernels)
    device = board()
    runner = engine(device)
    found = runner.open(NETWORK).run(IMAGES, LABELS, CHANNELS[:4], predictions=True)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, expected(CHANNELS[:4]))
    assert (device.restarts, runner.restarts) == (1, [])  # programmed anew between, and nothing had failed
    runner.open(NETWORK).run(IMAGES, LABELS, [])
    assert device.restarts == 1


def test_checksums_of_every_layer_and_image() -> None:
    runner = engine(board())
    for fault in (None, parse_fault("fc0/channel[3] = +1")):
        found = checksums_by(runner.open(NETWORK), IMAGES[:5], fault)
        wanted = checksums(NETWORK, get("reference").open(NETWORK).trace(IMAGES[:5], fault))
        assert list(found) == ["fc0", "fc1", "fc2"]
        for place, (sums, bits) in found.items():
            assert bits == wanted[place][1]
            assert np.array_equal(sums, wanted[place][0])
    bare = FakeBoard(NETWORK, describe(NETWORK, checksums=False))
    with pytest.raises(EngineError, match="no checksum blocks: build it with --checksums"):
        checksums_by(engine(bare).open(NETWORK), IMAGES[:5])


def test_what_was_finished_before_a_failure_stays_and_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    device = board()
    runner = engine(device)
    before = {"transfers": 0}

    def fails_later() -> None:
        before["transfers"] += 1
        if before["transfers"] > 20:
            device.hang = 10

    device.on_transfer = fails_later
    with pytest.raises(BoardError, match="given up"):
        run_campaign(NETWORK, DATA, CHANNELS, path, runner, chunk=3)
    done = Run.open(path)
    assert 0 < done.done < len(CHANNELS)
    device.on_transfer, device.hang = None, 0
    run = run_campaign(NETWORK, DATA, CHANNELS, path, engine(device), chunk=3)
    other = run_campaign(NETWORK, DATA, CHANNELS, tmp_path / "b.run", "reference")
    assert run.results == other.results
    assert sum(session.faults for session in run.sessions) == len(CHANNELS)
    assert run.sessions[0].faults == done.done


def test_two_hosts_with_one_run_file_count_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    device, others = board(), board()
    busy = {"inside": False}

    def other_host() -> None:
        if device.transfers == 6 and not busy["inside"]:
            busy["inside"] = True
            with pytest.raises(CampaignError, match="another process is working on"):
                run_campaign(NETWORK, DATA, CHANNELS[:6], path, engine(others), chunk=6)

    device.on_transfer = other_host
    run = run_campaign(NETWORK, DATA, CHANNELS[:6], path, engine(device), chunk=6)
    assert busy["inside"]
    assert run.done == sum(session.faults for session in run.sessions) == 6


def test_what_a_board_cannot_do(tmp_path: Path) -> None:
    accelerator = Accelerator(board(), describe(NETWORK))
    runner = engine(board())
    for text, message in (
        ("input/element[0,1,1] = 0", "this board can inject faults at fc0, fc1, not at input"),
        ("fc0/weight[0,0,0,0].bit[0] ^ 1", "holds whole values"),
        ("fc0/pe[1 of 2] = +1", "carries 4 channels a beat"),
        ("fc0/pixel[0,0] = 0 & fc0/element[1,0,0] = 1", "holds one fault at a time"),
        ("fc0/pixel[0,0] = 0 & fc0/channel[1] = 1", "stands behind its thresholds"),
    ):
        with pytest.raises(BoardError, match=message):
            accelerator.arm(parse_fault(text))
        with pytest.raises(EngineError, match=message):  # at once, and nothing is tried again
            runner.open(NETWORK).run(IMAGES, LABELS, [*CHANNELS[:1], parse_fault(text)])
        assert runner.restarts == []
    with pytest.raises(
        EngineError, match=r"the board engine cannot do 1 of 3 faults: input/element\[0,1,1\] = 0: this board"
    ):
        run_campaign(
            NETWORK, DATA, [*CHANNELS[:2], parse_fault("input/element[0,1,1] = 0")], tmp_path / "a.run", runner
        )
    assert list(tmp_path.iterdir()) == []
    faults = [parse_fault("input/element[0,1,1] = 0"), *CHANNELS[:2]]
    assert injectable(accelerator.description, faults) == CHANNELS[:2]
    with pytest.raises(BoardError, match="'thresholds' or 'saboteur', got 'magic'"):
        Accelerator(board(), describe(NETWORK), "magic")


def test_a_cross_check_compares_what_the_board_takes_and_names_the_rest() -> None:
    faults = [*CHANNELS[:5], parse_fault("input/channel[0] = 0"), parse_fault("fc0/weight[0,0,0,0].bit[0] = 1")]
    steps_done: list[int] = []
    engines = {"board": engine(board()), "reference": get("reference")}
    check = crosscheck(NETWORK, IMAGES[:4], faults, engines, steps_done.append)
    assert check.equal
    assert check.pairs[0].faults == 5
    assert [(r.engine, r.kind, r.faults) for r in check.refusals] == [("board", "channel", 1), ("board", "weight", 1)]
    assert "at fc0, fc1, not at input" in check.refusals[0].reason
    assert sum(steps_done) == steps(len(faults), 2)


def test_another_network_is_refused() -> None:
    other = small_network()
    layers = (*other.layers[:-1], MatrixVectorUnit("fc2", -other.units[-1].weights, None, None))
    with pytest.raises(EngineError, match="built from another network than other: it holds small"):
        engine(board()).open(Network("other", other.input, layers)).run(IMAGES, LABELS, [])


def test_the_description_as_a_file(tmp_path: Path) -> None:
    from fat_fpga.board.description import Description

    written = describe(NETWORK)
    written.write(tmp_path / "board.json")
    assert Description.read(tmp_path / "board.json") == written
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(BoardError, match="is no description of a board"):
        Description.read(tmp_path / "bad.json")
    with pytest.raises(BoardError, match="cannot read"):
        Description.read(tmp_path / "missing.json")
