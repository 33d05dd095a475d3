"""No wrong prediction is recorded, whatever goes wrong between host and board or in the board; and each trouble here is
one that records wrong ones where the board is believed."""

from __future__ import annotations

from collections import Counter

import pytest

from fat_fpga.board.accelerator import Accelerator
from fat_fpga.board.layer_checks import LayerChecks
from fat_fpga.board.saboteur import Saboteur
from fat_fpga.board.session import BoardSession
from fat_fpga.board.thresholds import WritableThresholds
from tests.board.boards import board_folder
from tests.board.trouble_campaigns import STOPPED, WRONG, Setup, campaign, fake_setups, simulated_setups
from tests.board.troubles import (
    TROUBLES,
    AstrayWrites,
    CounterUpset,
    DoubledWrites,
    FlippedReads,
    FlippedWrites,
    GarbageReads,
    LostArm,
    LostClear,
    LostReads,
    LostWrites,
    OldArm,
    PartialInput,
    PartialTransfer,
    PassingUpset,
    PlaceUpset,
    Reboot,
    ResetBeforeTransfer,
    StaleBuffer,
    StaleReads,
    SwappedImages,
    SwappedInputs,
    SwappedOutputs,
    SwappedResults,
    ThresholdUpset,
    Trouble,
    Upset,
    ValueUpset,
    WeightUpset,
)

HARMLESS = (GarbageReads, FlippedReads, StaleReads, LostReads, DoubledWrites, LostClear, CounterUpset, PlaceUpset)
"""Troubles that change neither what acts nor what comes out; the last one does in RTL alone."""
BY_SABOTEUR, BY_THRESHOLDS = "saboteur, checksums", "thresholds, no saboteurs"
WEAKEST = {
    **dict.fromkeys((LostWrites, FlippedWrites, AstrayWrites, LostArm, OldArm, ValueUpset, Upset), BY_SABOTEUR),
    **dict.fromkeys((ThresholdUpset, StaleBuffer, PartialTransfer, PartialInput), BY_THRESHOLDS),
    **dict.fromkeys((PassingUpset, WeightUpset, SwappedImages, SwappedResults), BY_THRESHOLDS),
    **dict.fromkeys((SwappedOutputs, SwappedInputs, ResetBeforeTransfer, Reboot), BY_THRESHOLDS),
}
"""Of each other trouble a board that it reaches."""


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
@pytest.mark.parametrize("setup", fake_setups(), ids=lambda setup: setup.name)
def test_nothing_wrong_is_recorded(trouble: type[Trouble], setup: Setup) -> None:
    for rate, seed in ((0.001, 100), (0.01, 101), (0.05, 102), (0.05, 103)):  # odd: without compiled kernels
        assert campaign(setup, trouble, rate, seed, 8).end != WRONG


@pytest.mark.parametrize("trouble", WEAKEST, ids=lambda trouble: trouble.__name__)
def test_a_host_that_believes_the_board_records_wrong_predictions(
    trouble: type[Trouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same campaigns with all checks taken away."""
    monkeypatch.setattr(Saboteur, "verify", lambda *arguments: None)
    monkeypatch.setattr(Saboteur, "_check_commands", lambda saboteur: None)
    monkeypatch.setattr(WritableThresholds, "_check", lambda *arguments: None)
    monkeypatch.setattr(Accelerator, "verify", lambda accelerator, counts: {})
    monkeypatch.setattr(LayerChecks, "under", lambda *arguments: None)
    monkeypatch.setattr(LayerChecks, "fault_free", lambda *arguments: None)
    monkeypatch.setattr("fat_fpga.board.access.Block.write", _believing)
    _once(monkeypatch)
    setup = next(setup for setup in fake_setups() if setup.name == WEAKEST[trouble])
    ends = Counter(campaign(setup, trouble, 0.3, seed).end for seed in range(8))
    assert ends[WRONG]


def _once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of faults are gone through once."""
    show = BoardSession._show

    def once(session: BoardSession, images: object) -> object:
        shown = show(session, images)  # type: ignore[arg-type]
        del shown.orders[1:]
        return shown

    monkeypatch.setattr(BoardSession, "_show", once)


def test_what_stays_wrong_until_the_board_is_programmed_needs_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without compiled kernels, and weights whose upsets show under other images than the last one alone."""
    setup, seeds = next(setup for setup in fake_setups() if setup.name == "thresholds"), range(1, 41, 2)
    assert not any(campaign(setup, WeightUpset, 0.1, seed, 8).end == WRONG for seed in seeds)
    _once(monkeypatch)
    assert any(campaign(setup, WeightUpset, 0.1, seed, 8).end == WRONG for seed in seeds)


def _believing(block: object, register: str, value: int) -> None:
    """`Block.write` without reading back."""
    block.bus.write(block.registers[register].offset, value)  # type: ignore[attr-defined]


def test_every_trouble_is_known_to_do_harm_or_none() -> None:
    assert {*HARMLESS, *WEAKEST} == set(TROUBLES)


def test_reasons_name_block_and_register() -> None:
    setups = {setup.name: setup for setup in fake_setups()}
    for trouble, name, reason in (
        (LostArm, BY_SABOTEUR, "register COMMANDS reads back"),
        (OldArm, BY_SABOTEUR, "register COMMANDS reads back"),
        (ValueUpset, BY_SABOTEUR, "UPSET and CHANGED: its settings changed without ARM"),
        (ThresholdUpset, BY_THRESHOLDS, "threshold ["),
        (StaleBuffer, "thresholds, checksums", "a transfer brought something else"),
        (SwappedInputs, BY_SABOTEUR, "checksum"),
    ):
        firsts = [campaign(setups[name], trouble, 0.2, seed, 4).first for seed in range(4)]
        assert any(reason in first for first in firsts), firsts


def test_a_board_that_never_answers_right_stops_the_run_at_once() -> None:
    for setup in fake_setups():
        assert campaign(setup, GarbageReads, 0.5, 1).end == STOPPED


@pytest.mark.boards
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_nothing_wrong_is_recorded_by_a_simulated_board(trouble: type[Trouble]) -> None:
    """Upsets are planted in its RTL. ``make troubles`` runs many more; odd seeds are hosts without compiled kernels."""
    for seed, setup in enumerate(simulated_setups(board_folder("small"))):
        for rate, number in ((0.001, 200 + seed), (0.05, 201 + seed)):
            assert campaign(setup, trouble, rate, number, 4).end != WRONG


@pytest.mark.boards
@pytest.mark.parametrize("trouble", [Upset, PlaceUpset, PassingUpset, WeightUpset, ThresholdUpset])
def test_upsets_of_a_larger_board(trouble: type[Trouble]) -> None:
    for seed, setup in enumerate(simulated_setups(board_folder("tfc_w2a2"))[::3]):
        assert campaign(setup, trouble, 0.1, 200 + seed, 4).end != WRONG
