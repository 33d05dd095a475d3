"""Every notebook runs from top to bottom, and ends with the result that it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.board.boards import board_folder

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).parents[2] / "notebooks"
LAST_PRINTED = {
    "fault_aware_training": ("accuracy under one stuck channel", "points above standard"),
    "01_inject_on_board": ("192 of 192 faults have the same result on the board and in the integer network",),
    "02_fat_vs_sat": ("SAT", "FAT 2"),
    "03_plan_and_harden": ("HELD: all 1,176 faults did as promised", "worst fault of a voter's output: fc0.vote/"),
}
"""What the last text that each notebook prints must hold."""
BOARDS = {
    "01_inject_on_board": ("tfc_w2a2",),
    "02_fat_vs_sat": ("tfc_w2a2", "tfc_w2a2_fat2"),
    "03_plan_and_harden": ("tfc_w2a2_planned",),
}
"""The simulated boards that a notebook needs."""


def test_every_notebook_is_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(LAST_PRINTED)


@pytest.mark.parametrize("name", LAST_PRINTED)
def test_notebook(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):  # nothing is left in the home folder
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for board in BOARDS.get(name, ()):
        monkeypatch.setenv("FAT_FPGA_BOARDS", str(board_folder(board).parent))
    work = tmp_path / "work"
    work.mkdir()
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells), "store it without outputs"
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(work)}}
    )
    client.execute()  # raises what a cell raises
    outputs = [output for cell in cells for output in cell.outputs]
    printed = [output.text for output in outputs if output.output_type == "stream" and output.name == "stdout"]
    assert all(part in printed[-1] for part in LAST_PRINTED[name]), printed[-1]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert list(work.iterdir()) == []
