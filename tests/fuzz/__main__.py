"""``python -m tests.fuzz``: spoil files of every kind, and look how the command line takes them."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.load import load_packages
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target
from tests.fuzz.trial import Trial


@dataclass(frozen=True)
class Input:
    """Number ``index`` of a target."""

    target: Target
    index: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", type=int, default=3000, help="inputs in all (default: 3000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--only", metavar="A,B", help=f"of {', '.join(t.name for t in TARGETS)}")
    parser.add_argument("--index", type=int, help="only the input of this number, of the one target named with --only")
    parser.add_argument("--output", type=Path, default=Path("build/fuzz"), help="for inputs that led to a finding")
    args = parser.parse_args()
    targets = [t for t in TARGETS if args.only is None or t.name in args.only.split(",")]
    inputs = shared_out(targets, args.n) if args.index is None else [Input(targets[0], args.index)]
    good, findings = args.output.resolve() / "good", args.output.resolve() / "findings"
    for folder in (good, findings):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    warnings.simplefilter("ignore")  # such as of an archive that has a name twice, on purpose
    load_packages()
    for target in targets:
        target.prepare(good)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        found = run(inputs, args.seed, args.jobs, good, Path(work), findings)
    counts = Counter(i.target.name for i in inputs)
    print(
        f"{len(inputs):,} inputs ({', '.join(f'{name} {count}' for name, count in counts.items())}), seed {args.seed}, "
        f"{time.monotonic() - started:.0f} s: {found} findings" + (f", kept in {findings}" if found else "")
    )
    return 1 if found else 0


def shared_out(targets: list[Target], count: int) -> list[Input]:
    """So many inputs, by the targets' shares, one of each at least."""
    whole = sum(target.share for target in targets)
    return [Input(t, i) for t in targets for i in range(max(1, round(count * t.share / whole)))]


def run(inputs: list[Input], seed: int, jobs: int, good: Path, work: Path, findings: Path) -> int:
    """Run them all, ``jobs`` at a time; returns the number of findings, each of which is printed and kept."""
    waiting, running, found = list(reversed(inputs)), dict[Trial, Input](), 0
    while waiting or running:
        while waiting and len(running) < jobs:
            one = waiting.pop()
            folder = work / f"{one.target.name}-{seed}-{one.index}"
            folder.mkdir()
            arguments = one.target.spoil(one.target.generator(seed, one.index), good, folder)
            trial = Trial(arguments, folder)
            trial.start()
            running[trial] = one
        for trial in list(running):
            verdict = trial.verdict()
            if verdict is None:
                continue
            one = running.pop(trial)
            if verdict:
                found += 1
                keep(trial, verdict, findings)
                again = f"--seed {seed} --only {one.target.name} --index {one.index}"
                print(f"{trial.folder.name}: {verdict}\n    again: python -m tests.fuzz {again}", flush=True)
            forget(trial)
        time.sleep(0.003)
    return found


def keep(trial: Trial, verdict: str, findings: Path) -> None:
    """Copy the input, the command and what it printed."""
    folder = findings / trial.folder.name
    shutil.copytree(trial.folder, folder, symlinks=True, ignore=lambda _, names: [n for n in names if "fifo" in n])
    (folder / "command.txt").write_text(
        f"fat-fpga {shlex.join(trial.arguments)}\n{verdict}\n", "utf-8", "backslashreplace"
    )
    shutil.copy(f"{trial.folder}.err", folder / "standard_error.txt")


def forget(trial: Trial) -> None:
    shutil.rmtree(trial.folder)
    for name in ("out", "err"):
        Path(f"{trial.folder}.{name}").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
