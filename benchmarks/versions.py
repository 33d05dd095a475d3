"""``python -m benchmarks.versions REVISION``: the native engine of this checkout against that of an earlier commit.

Both are measured in one run on one machine, in turns, each in a process of its own: CPU time of one thread for a faulty
inference. It is a slope: seconds on all images less seconds on a quarter of them, divided by faults and images between
the two, so that what happens once in a campaign is not in it. The smallest time of all rounds and turns counts, of
each of the two numbers of images. Both have the same network, faults and images, and must count the same, or the exit
code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import versions_measured
from benchmarks.versions_build import BuildError, built, commit_of
from fat_fpga.engines.native_engine import ENVIRONMENT, instruction_sets
from fat_fpga.faults import MODELS
from fat_fpga.models.zoo import bundled, write_onnx
from fat_fpga.text import align

SETS = ("avx512", "avx2")
"""Instruction sets by default, those of them that the processor has."""


@dataclass(frozen=True)
class Row:
    """A kind of fault on a network with an instruction set: microseconds of CPU for a faulty inference, old and new."""

    network: str
    kind: str
    instruction_set: str
    old: float
    new: float
    difference: str

    @property
    def ratio(self) -> float:
        """How many times as fast the new one is."""
        return self.old / self.new


def slope(told: Sequence[dict[str, Any]]) -> float:
    """Microseconds for a faulty inference from what processes of one package told."""
    seconds: float = min(one["seconds"] for one in told) - min(one["few_seconds"] for one in told)
    inferences: int = (told[0]["images"] - told[0]["few_images"]) * told[0]["faults"]
    return seconds / inferences * 1e6


def difference(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> str:
    """What the two packages, or two processes of one, did not do alike; empty where all is equal."""
    told = [*old, *new]
    if len({one["faults_sha256"] for one in told}) > 1:
        return f"other faults are drawn: {old[0]['faults']:,} and {new[0]['faults']:,}"
    if len({one["counts_sha256"] for one in told}) > 1:
        return f"other counts: {old[0]['changed']:,} and {new[0]['changed']:,} changed predictions"
    return ""


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    head = ["network", "kind", "set", "us old", "us new", "ratio", ""]
    lines = [
        [row.network, row.kind, row.instruction_set, f"{row.old:.3f}", f"{row.new:.3f}", f"{row.ratio:.2f} x",
         row.difference]
        for row in rows
    ]  # fmt: skip
    return align([head, *lines])


def file_of(network: str, folder: Path) -> Path:
    """An .onnx file of a network: the file itself, or a bundled network's, written into ``folder``.

    Bundled networks of another commit can have other weights, so both packages read one file.
    """
    name = network.replace("-", "_")
    if network.endswith(".onnx"):
        if not Path(network).is_file():
            raise BuildError(f"no file {network}")
        return Path(network).resolve()
    if name not in bundled():
        raise BuildError(f"expected an .onnx file or a bundled network ({', '.join(bundled())}), got '{network}'")
    write_onnx(name, path := folder / f"{name}.onnx")
    return path


def measured(python: str, script: Path, network: Path, kind: str, simd: str, images: int, rounds: int) -> Any:
    """What one process tells; it imports the package that its environment has, not the one in this folder."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {ENVIRONMENT: simd}
    command = [python, str(script), str(network), kind, str(images), str(rounds)]
    done = subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{kind} with {simd}, by {python}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(
    pythons: tuple[str, str], networks: Sequence[Path], kinds: Sequence[str], sets: Sequence[str], args: Any
) -> list[Row]:
    """A row for each network, kind and instruction set; the packages take turns."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(shutil.copy(versions_measured.__file__, folder))
        for network, kind, simd in product(networks, kinds, sets):
            told: tuple[list[Any], list[Any]] = ([], [])
            for _ in range(args.turns):
                for python, found in zip(pythons, told, strict=True):
                    found.append(measured(python, script, network, kind, simd, args.images, args.rounds))
            old, new = told
            if old[0]["package"] == new[0]["package"]:
                raise BuildError(f"both environments have the package {new[0]['package']}")
            rows.append(Row(network.stem, kind, simd, slope(old), slope(new), difference(old, new)))
            print(f"{network.stem}, {kind}, {simd}: measured", file=sys.stderr, flush=True)
    return rows


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m benchmarks.versions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    possible = [name for name in SETS if name in instruction_sets()]
    found.add_argument("revision", help="commit, branch or tag to compare with; it is built first, in minutes of CPU")
    found.add_argument("--network", action="append", help=".onnx file or bundled network (default: cnv_w1a1)")
    found.add_argument("--kinds", default="channel,pe", help="kinds of fault (default: channel,pe)")
    found.add_argument("--sets", default=",".join(possible), help="instruction sets (default: %(default)s)")
    found.add_argument("--images", type=int, default=40, help="bundled images of each campaign (default: 40)")
    found.add_argument("--rounds", type=int, default=5, help="campaigns of each process (default: 5)")
    found.add_argument("--turns", type=int, default=2, help="processes of each package (default: 2)")
    found.add_argument("--environment", metavar="PYTHON", help="Python of an environment that has the revision built")
    found.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    ask = parser()
    args = ask.parse_args(arguments)
    kinds, sets = args.kinds.split(","), args.sets.split(",")
    unknown = [*({*kinds} - {*MODELS}), *({*sets} - {*instruction_sets()})]
    if unknown:
        ask.error(f"unknown: {', '.join(unknown)}; kinds are {', '.join(MODELS)}; sets {', '.join(instruction_sets())}")
    if args.images < 2 or min(args.rounds, args.turns) < 1:
        ask.error("expected 2 images or more, and 1 round and turn or more")
    try:
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder, commit = Path(name), commit_of(args.revision)
            networks = [file_of(network, folder) for network in args.network or ["cnv_w1a1"]]
            python = args.environment
            if python is None:
                print(f"building {commit[:10]}", file=sys.stderr, flush=True)
                python = str(stack.enter_context(built(commit, folder)))
            rows = compare((python, sys.executable), networks, kinds, sets, args)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"CPU time of one thread for a faulty inference, {commit[:10]} against this checkout\n\n{table(rows)}")
    if args.json is not None:
        found = [{**asdict(row), "ratio": row.ratio} for row in rows]
        args.json.write_text(json.dumps({"revision": commit, "rows": found}, indent=2) + "\n")
    return 1 if any(row.difference for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
