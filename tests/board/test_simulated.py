"""The simulated board, FINN's RTL with ours in it, against the native engine: the same predictions, image by image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.engine import BoardEngine
from fat_fpga.board.injection import SABOTEUR, THRESHOLDS
from fat_fpga.board.simulated import SimulatedBoard
from fat_fpga.campaign import Run, run_campaign
from fat_fpga.checksums import checksums, checksums_by
from fat_fpga.cli import main
from fat_fpga.datasets import load
from fat_fpga.datasets.dataset import Dataset
from fat_fpga.engines import get
from fat_fpga.errors import BoardError, HungTransferError
from fat_fpga.faults import AnyFault, Fault, fault_space, parse_fault
from fat_fpga.network import Network
from fat_fpga.network.network_file import read_network
from tests.board.boards import board_folder

pytestmark = pytest.mark.boards
DIGITS = load("demo:mnist")
FEW = Dataset("few", DIGITS.images[:20], DIGITS.labels[:20], DIGITS.classes)
TEN = Dataset("ten", DIGITS.images[:10], DIGITS.labels[:10], DIGITS.classes)
FORTY = Dataset("forty", DIGITS.images[:40], DIGITS.labels[:40], DIGITS.classes)


class Board:
    """A simulated board and its network."""

    def __init__(self, name: str) -> None:
        folder = board_folder(name)
        self.network = read_network(folder / "network.npz")
        self.device = SimulatedBoard(folder)

    def engine(self, channels_by: str = THRESHOLDS) -> BoardEngine:
        return BoardEngine(Accelerator(self.device, self.device.description, channels_by))


@pytest.fixture(scope="module")
def plain() -> Iterator[Board]:
    board = Board("tfc_w2a2")
    yield board
    board.device.close()


@pytest.fixture(scope="module")
def hardened() -> Iterator[Board]:
    board = Board("tfc_w2a2_hardened")
    yield board
    board.device.close()


def native(network: Network, data: Dataset, faults: list[AnyFault]) -> np.ndarray:
    predictions = get("native").open(network).run(data.images, data.labels, faults, predictions=True).predictions
    assert predictions is not None
    return predictions


def spaces(network: Network, *kinds: str) -> list[AnyFault]:
    streams = [layer.name for layer in network.layers[:-1]]
    return [fault for kind in kinds for fault in fault_space(network, kind, layers=streams)]


def test_every_channel_and_value_by_thresholds(plain: Board) -> None:
    faults = spaces(plain.network, "channel")
    assert len(faults) == 3 * 64 * 3
    found = plain.engine(THRESHOLDS).open(plain.network).run(FORTY.images, FORTY.labels, faults, predictions=True)
    wanted = native(plain.network, FORTY, faults)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, wanted)
    assert (wanted != found.golden).any(axis=1).sum() > 20  # faults that show


def test_every_fault_of_the_saboteurs(plain: Board) -> None:
    faults = spaces(plain.network, "channel", "pixel", "element")
    for unit, pes in {"fc0": 16, "fc1": 4, "fc2": 16}.items():
        faults += fault_space(
            plain.network, "pe", layers=[unit], pes={"fc0": 0, "fc1": 0, "fc2": 0, "fc3": 0, unit: pes}
        )
    found = plain.engine(SABOTEUR).open(plain.network).run(FEW.images, FEW.labels, faults, predictions=True)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, native(plain.network, FEW, faults))


def test_scores_and_not_only_classes(plain: Board) -> None:
    engine = plain.engine()
    for text in (None, "fc0/channel[17] = +1", "fc1/element[3,0,0] = 0", "fc2/pe[5 of 16] = -1"):
        fault = parse_fault(text) if text else None
        found = engine.open(plain.network).trace(FEW.images, fault)["fc3"]
        wanted = get("reference").open(plain.network).trace(FEW.images, fault)["fc3"]
        assert np.array_equal(found, wanted)


def check_checksums(board: Board, texts: list[str | None]) -> None:
    """The blocks in the streams hold, for each image, what the reference engine's streams sum up to."""
    engine = board.engine(SABOTEUR)
    places = list(board.network.walk())
    for text in texts:
        fault = parse_fault(text) if text else None
        found = checksums_by(engine.open(board.network), TEN.images, fault)
        wanted = checksums(board.network, get("reference").open(board.network).trace(TEN.images, fault))
        assert list(found) == [layer.name for layer, _, _ in places]
        for place, (sums, bits) in found.items():
            assert bits == wanted[place][1]
            assert np.array_equal(sums, wanted[place][0])


def test_checksums_of_every_layer(plain: Board) -> None:
    check_checksums(plain, [None, "fc0/channel[17] = +1", "fc1/pixel[0,0] = 0", "fc2/pe[5 of 16] = -1"])


def test_checksums_of_every_layer_with_voters(hardened: Board) -> None:
    check_checksums(hardened, [None, "fc0/channel[70] = +1", "fc1.vote/channel[5] = 0", "fc2/channel[17] = -1"])


def test_a_campaign_is_the_same_run_as_with_the_native_engine(plain: Board, tmp_path: Path) -> None:
    faults = spaces(plain.network, "channel")[::40]
    run = run_campaign(plain.network, FEW, faults, tmp_path / "board.run", plain.engine(), chunk=5)
    other = run_campaign(plain.network, FEW, faults, tmp_path / "native.run")
    assert run.results == other.results
    assert run.identity == other.identity


def test_the_command_line_runs_campaigns_on_a_board(
    plain: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boards = [f"board:{board_folder('tfc_w2a2')}", "native"]
    for number, engine in enumerate(boards):
        asked = [
            "--data",
            "demo:mnist",
            "--images",
            "10",
            "--sample",
            "12",
            "-q",
            "-o",
            f"{tmp_path / str(number)}.run",
        ]
        assert main(["campaign", "tfc_w2a2", *asked, "--engine", engine]) == 0
    assert Run.open(tmp_path / "0.run").results == Run.open(tmp_path / "1.run").results
    crossed = ["--engines", ",".join(boards), "--data", "demo:mnist", "--faults", "channel,pixel", "--sample", "20"]
    assert main(["crosscheck", "tfc_w2a2", *crossed, "-q"]) == 0
    assert "all that was compared is equal" in capsys.readouterr().out
    wrong = ["--data", "demo:mnist", "--engine", f"board:{tmp_path}", "-o", str(tmp_path / "2.run")]
    assert main(["campaign", "tfc_w2a2", *wrong]) == 2
    assert "no board.json in" in capsys.readouterr().err
    assert not (tmp_path / "2.run").exists()


def test_the_board_forgets_nothing_and_a_restart_forgets_all(plain: Board) -> None:
    accelerator = Accelerator(plain.device, plain.device.description)
    accelerator.arm(parse_fault("fc0/channel[17] = +1"))
    again = Accelerator(plain.device, plain.device.description)  # finds it armed, and programs the board anew
    golden = get("reference").open(plain.network).trace(FEW.images)["fc3"][:, :, 0, 0]
    again.arm(None)
    assert np.array_equal(again.run(again.pack(FEW.images)), golden)


def test_a_transfer_that_cannot_end(plain: Board) -> None:
    layout = plain.device.description.input
    half = layout.pack(plain.device.description.quantise(FEW.images[:1]))[0, : layout.beats // 2]
    with pytest.raises(HungTransferError, match=r"0 of 5 beats came out within"):
        plain.device.transfer(half, 5, plain.device.description.output.beat_bytes)
    golden = get("reference").open(plain.network).trace(FEW.images)["fc3"][:, :, 0, 0]
    accelerator = Accelerator(plain.device, plain.device.description)
    accelerator.arm(None)
    assert not np.array_equal(
        accelerator.run(accelerator.pack(FEW.images)), golden
    )  # half an image was left in the first layer
    accelerator.restart()
    accelerator.arm(None)
    assert np.array_equal(accelerator.run(accelerator.pack(FEW.images)), golden)


@pytest.mark.parametrize(
    ("register", "message"),
    [
        ("active_value_reg", "UPSET and CHANGED: its settings changed without ARM"),
        ("armed_lane_reg", "UPSET: its settings changed without ARM"),
        ("hits_reg", "register HITS reads back 0x15, the integer network foretells 0x14"),
    ],
)
def test_an_upset_in_the_rtl_is_noticed(register: str, message: str, plain: Board) -> None:
    accelerator = Accelerator(plain.device, plain.device.description, SABOTEUR)
    accelerator.restart()
    accelerator.arm(parse_fault("fc1/channel[3] = +1"))
    address = plain.device.description.place("fc1").saboteur
    assert isinstance(address, int)
    plain.device.upset(address, register, 1, 300)
    accelerator.run(accelerator.pack(FEW.images))
    with pytest.raises(BoardError, match=message):
        accelerator.verify({"fc0": (0, 0), "fc1": (20, None), "fc2": (0, 0)})
    with pytest.raises(BoardError, match="no register toaster_reg in "):
        plain.device.upset(address, "toaster_reg", 1)
    accelerator.restart()


def test_an_address_without_a_block(plain: Board) -> None:
    with pytest.raises(BoardError, match="no answer from address 0xff0000"):
        plain.device.bus(0xFF0000).read(0)
    plain.device.restart()


def test_a_hardened_network_and_which_copy_its_voters_name(hardened: Board) -> None:
    """Every channel fault of every row and of every voter's output; a copy that is stuck changes nothing behind its
    voter, and is the only one that the voter ever names."""
    faults = spaces(hardened.network, "channel")
    engine = hardened.engine(SABOTEUR)
    found = engine.open(hardened.network).run(TEN.images, TEN.labels, faults, predictions=True)
    assert found.predictions is not None
    assert np.array_equal(found.predictions, native(hardened.network, TEN, faults))
    sources = {place: voter.sources for place, voter in engine.accelerator.voters.items()}
    assert {place: len(voter.channels) for place, voter in engine.accelerator.voters.items()} == {
        "fc0.vote": 16, "fc1.vote": 2, "fc2.vote": 16,
    }  # fmt: skip
    named = 0
    for row, fault in enumerate(faults):
        assert isinstance(fault, Fault)
        seen = engine.disagreements.get(str(fault), {})
        vote = f"{fault.layer}.vote"
        copies = [c for c, s in enumerate(sources.get(vote, [])) if fault.index[0] in s and len(set(s.tolist())) == 3]
        if not copies:  # unprotected rows and voters' outputs: no voter can see that
            assert seen == {}
            continue
        assert np.array_equal(found.predictions[row], found.golden)
        for entries in seen.values():
            assert list(seen) == [vote]
            assert [(entry.channel, entry.rows) for entry in entries] == [(copies[0], (fault.index[0],))]
            named += 1
    assert named > 100
