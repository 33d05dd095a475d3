"""Run the notebooks from top to bottom and store them with what they print and draw.

python -m notebooks.execute [NAME ...]        from the folder above this one; all notebooks by default

What would differ on the next machine or the next day is left out: times, versions, names of temporary folders. A
notebook that prints another path of this machine, or to standard error, is refused.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat

FOLDER = Path(__file__).parent
BOARDS = FOLDER.parent / "build" / "boards"
"""Where ``make boards`` puts the simulated boards."""

TIMEOUT = 1200
"""Seconds that a single cell may take: a campaign on simulated RTL takes minutes."""

LARGEST_PICTURE = 100_000
"""Bytes of a PNG, as base64 text."""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

_PATH = re.compile(r"(?:^|[\s'\"=(:])((?:/|[A-Za-z]:\\)[\w.+-]+[/\\][^\s'\"]*)")


def execute(notebook: Any, work: Path, boards: Path = BOARDS) -> Any:
    """Run ``notebook`` (nbformat 4) in the empty folder ``work`` and return it, with its outputs and nothing volatile.

    Raises:
        nbclient.exceptions.CellExecutionError: what a cell raised.
        ValueError: an output that does not belong into a stored notebook; see `faults_of`.
    """
    here, temporary, home = (work / name for name in ("here", "temporary", "home"))
    for folder in (here, temporary, home):
        folder.mkdir()
    settings = {
        "FAT_FPGA_BOARDS": str(boards),
        "TMPDIR": str(temporary),
        "IPYTHONDIR": str(home),
        "JUPYTER_RUNTIME_DIR": str(home),
    }
    client = nbclient.NotebookClient(
        notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(here)}}
    )
    client.execute(env={**os.environ, **settings})
    strip(notebook, temporary)
    faults = [f"leaves {path.name} behind" for path in here.iterdir()]
    if faults := [*faults, *faults_of(notebook)]:
        raise ValueError("; ".join(faults))
    return notebook


def strip(notebook: Any, temporary: Path) -> None:
    """Take out of ``notebook`` what depends on when and where it ran, such as the names of folders in ``temporary``."""
    folders = re.compile(rf"{re.escape(str(temporary))}/(?:tmp\w{{8}}/)?")
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.text = folders.sub("", output.text)
                elif "data" in output:
                    output.metadata = nbformat.from_dict({})
                    if "image/png" in output.data:  # what stands beside a picture names an object, with its address
                        output.data = nbformat.from_dict({"image/png": output.data["image/png"]})


def _joined(outputs: list[Any]) -> list[Any]:
    """The outputs, with neighbours of one stream made one: how a stream is cut up depends on the time."""
    joined: list[Any] = []
    for output in outputs:
        if joined and output.output_type == "stream" and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def faults_of(notebook: Any) -> Iterator[str]:
    """Say, cell by cell, which outputs do not belong into a stored notebook."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {number}: raised {output.ename}"
            if output.get("name") == "stderr":
                yield f"cell {number}: wrote to standard error: {output.text.splitlines()[0]}"
            for kind, text in texts(output).items():
                if kind == "image/png":
                    if len(text) > LARGEST_PICTURE:
                        yield f"cell {number}: a picture of {len(text):,} bytes; at most {LARGEST_PICTURE:,} are stored"
                elif found := _PATH.search(text):
                    yield f"cell {number}: prints a path of this machine, {found[1]}"


def texts(output: Any) -> dict[str, str]:
    """What an output holds, by MIME type."""
    if output.output_type == "stream":
        return {"text/plain": output.text}
    return dict(output.get("data", {}))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    known = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
    parser = argparse.ArgumentParser(prog="python -m notebooks.execute", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    names = parser.parse_args(arguments).names or known
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"no notebook {', '.join(unknown)}; there are {', '.join(known)}")
    if not BOARDS.is_dir():
        parser.error("the simulated boards are not built: make boards")
    for name in names:
        path = FOLDER / f"{name}.ipynb"
        print(f"running {path.name}", flush=True)
        with tempfile.TemporaryDirectory() as work:
            notebook = execute(nbformat.read(path, as_version=4), Path(work))
        nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
