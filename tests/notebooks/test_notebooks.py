"""Every notebook runs from top to bottom, prints what is stored in it, and ends with the result that it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.board.boards import BUILT, board_folder

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from notebooks.execute import FOLDER, execute  # noqa: E402

LAST_PRINTED = {
    "fault_aware_training": ("accuracy under one stuck channel", "points above standard"),
    "01_inject_on_board": ("192 of 192 faults have the same result on the board and in the integer network",),
    "02_fat_vs_sat": ("SAT", "FAT 2"),
    "03_plan_and_harden": ("HELD: all 1,176 faults did as promised", "worst fault of a voter's output: fc0.vote/"),
    "04_cnv_on_board": ("HELD: all ", "worst fault of a voter's output: conv1.vote/"),
}
"""What the last text that each notebook prints must hold."""
BOARDS = {
    "01_inject_on_board": ("tfc_w2a2",),
    "02_fat_vs_sat": ("tfc_w2a2", "tfc_w2a2_fat2"),
    "03_plan_and_harden": ("tfc_w2a2_planned",),
    "04_cnv_on_board": ("cnv_w1a1", "cnv_w1a1_planned"),
}
"""The simulated boards that a notebook needs."""
LONG = {"04_cnv_on_board"}
"""``make boards-cnv`` builds their boards, and runs them."""


def test_every_notebook_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(LAST_PRINTED)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.boards] * (name in {*BOARDS} - LONG)) for name in LAST_PRINTED]
)
def test_notebook(name: str, tmp_path: Path) -> None:
    for board in BOARDS.get(name, ()):
        board_folder(board)  # skips where there is none
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    stored = [printed(cell) for cell in code_cells(notebook)]
    execute(notebook, tmp_path, BUILT)  # raises what a cell raises, and where it prints what does not belong
    now = [printed(cell) for cell in code_cells(notebook)]
    if name in BOARDS:  # integers throughout; what is trained on another processor differs
        assert now == stored
    last = [text for text in now if text][-1]
    assert all(part in last for part in LAST_PRINTED[name]), last
    assert any("image/png" in output.get("data", {}) for cell in code_cells(notebook) for output in cell.outputs)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")
