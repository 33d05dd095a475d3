"""Where a command's tables and figures go: files, folders, or standard output for ``-``.

What is there of another kind is not written over without ``--force``, and nothing is written over that the command
reads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fat_fpga.cli.options import Adds, option
from fat_fpga.cli.parser import FORMATS
from fat_fpga.errors import FatFpgaError
from fat_fpga.file_kinds import FIGURES, FileKind, check_kind
from fat_fpga.files import check_writable, make_folder

STANDARD_OUTPUT = "-"


def add_outputs(parser: Adds, csv: str = "") -> None:
    """``--csv`` (if it has rows: of what), ``--json``, ``--figures``, ``--format`` and ``--force``."""
    if csv:
        option(parser, "--csv", f"; one row for each {csv}")
    option(parser, "--json")
    option(parser, "--figures")
    option(parser, "--format")
    option(parser, "--force")


def check_output(args: argparse.Namespace, path: str, kind: FileKind, *inputs: str) -> Path:
    """The path, if a file of this kind may be written there; OSError with one line if not."""
    found = check_writable(path, *inputs)
    if not args.force:
        check_kind(found, kind)
    return found


class Outputs:
    """The tables and figures that the arguments of `add_outputs` ask for, checked before any work.

    Args:
        inputs: files that the command reads.
        csv, json, parquet, html: the kinds of file that the options of these names are to be.
        figures: the names of the figures, without what may follow an underscore.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        inputs: Iterable[str] = (),
        csv: FileKind | None = None,
        json: FileKind | None = None,
        figures: Iterable[str] = (),
        parquet: FileKind | None = None,
        html: FileKind | None = None,
    ) -> None:
        self._args = args
        wanted_formats = getattr(args, "format", None)
        folder = getattr(args, "figures", None)
        self.formats: Sequence[str] = wanted_formats or FORMATS
        if wanted_formats and not folder:
            raise FatFpgaError("--format is the format of figures: give --figures DIR, too")
        kinds = (("csv", csv), ("json", json), ("parquet", parquet), ("html", html))
        wanted = [(kind, getattr(args, name)) for name, kind in kinds if kind]
        for name in ("parquet", "html"):
            if getattr(args, name, None) == STANDARD_OUTPUT:
                raise FatFpgaError(f"--{name} is no text for standard output: name a file")
        printed = [path for _, path in wanted if path == STANDARD_OUTPUT]
        if len(printed) > 1:
            raise FatFpgaError("--csv - and --json - cannot both be standard output: name a file for one of them")
        self._silent = bool(printed)
        for kind, path in wanted:
            if path and path != STANDARD_OUTPUT:
                check_output(args, path, kind, *inputs)
        if folder:
            self._check_folder(Path(folder), tuple(figures))

    def _check_folder(self, folder: Path, names: Sequence[str]) -> None:
        make_folder(folder)
        if self._args.force:
            return
        for path in sorted(folder.iterdir()):
            form = path.suffix[1:]
            if form in self.formats and any(path.stem == name or path.stem.startswith(f"{name}_") for name in names):
                check_kind(path, FIGURES[form])

    def say(self, text: str) -> None:
        """Print a text for people, unless standard output is for a program."""
        if not self._silent:
            print(text, flush=True)

    def write(self, option: str, write: Callable[[Path], object]) -> None:
        """Have ``write`` write the file of ``option`` (``csv``, ``html``, ...), if it was asked for."""
        path = getattr(self._args, option)
        if path == STANDARD_OUTPUT:
            print_file(write)
        elif path:
            write(Path(path))

    def draw(self, draw: Callable[[Path, Sequence[str]], Sequence[Path]]) -> None:
        """Have ``draw`` draw the figures, in the formats that were asked for, if they were."""
        if self._args.figures:
            written = draw(Path(self._args.figures), self.formats)
            first = [str(path) for path in written if path.suffix == f".{self.formats[0]}"]
            more = "".join(f", .{form}" for form in self.formats[1:])
            self.say(f"\nfigures: {', '.join(first)}{f' (and {more[2:]})' if more else ''}")


def print_file(write: Callable[[Path], object]) -> None:
    """Print what ``write`` writes into a file."""
    with tempfile.TemporaryDirectory() as folder:
        write(path := Path(folder) / "output")
        sys.stdout.write(path.read_text(encoding="utf-8"))
    sys.stdout.flush()
