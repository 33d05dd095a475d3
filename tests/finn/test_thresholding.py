"""The logic ``search`` against FINN's own thresholding.sv, compiled by Verilator: ascending words and others, every
integer of the input, with stalls."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fat_fpga.network.operators.threshold_logic import COUNT, SEARCH, met
from fat_fpga.rtl.verilated import MODEL, QUIET, _run, _verilator

BENCH = Path(__file__).with_name("thresholding_bench.sv")
ROUNDS = 9
MAIN = """
#include "Vtop.h"
#include "verilated.h"
int main() {
  Vtop top;
  for (long cycle = 0; cycle < 400000 && !top.done; ++cycle) {
    top.clk = 0, top.eval();
    top.clk = 1, top.eval();
  }
  top.final();
  return top.done ? 0 : 1;
}
"""


@dataclass(frozen=True)
class Case:
    """Parameters of an instance, as thresholding.sv calls them."""

    K: int
    N: int
    C: int
    PE: int
    SIGNED: int
    BIAS: int
    DEEP: int

    @property
    def integers(self) -> npt.NDArray[np.int64]:
        """Every integer that it takes, in the order in which the bench sends them."""
        words = np.arange(1 << self.K)
        return np.where(words >> (self.K - 1) & self.SIGNED == 1, words - (1 << self.K), words)

    @property
    def out_bits(self) -> int:
        most = self.N + self.BIAS
        return most.bit_length() if self.BIAS >= 0 else 1 + (max(-self.BIAS, most + 1) - 1).bit_length()


CASES = (
    Case(4, 1, 2, 1, 1, 0, 0), Case(5, 2, 4, 2, 1, -1, 1), Case(6, 3, 3, 3, 0, 0, 1), Case(8, 4, 4, 4, 1, -2, 0),
    Case(6, 5, 6, 2, 1, 3, 1), Case(7, 6, 2, 1, 0, 0, 0), Case(8, 7, 6, 3, 1, -4, 1), Case(5, 8, 2, 2, 0, -8, 0),
    Case(8, 11, 4, 2, 1, 0, 1), Case(7, 15, 3, 1, 0, 0, 1), Case(6, 16, 2, 2, 1, -8, 0), Case(8, 22, 2, 1, 1, -11, 1),
    Case(8, 31, 4, 4, 1, 0, 1),
)  # fmt: skip


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that runs all cases at once, on files in the folder where it is started."""
    from finn.util.settings import get_settings

    from fat_fpga.finn.setup import prepare

    prepare()
    folder = tmp_path_factory.mktemp("thresholding")
    names = ("ID", *Case.__dataclass_fields__)
    rows = [
        f"thresholding_bench #({', '.join(f'.{name}({value})' for name, value in zip(names, values, strict=True))}) "
        f"case_{values[0]} (.clk(clk), .done(each[{values[0]}]));"
        for values in ((number, *vars(case).values()) for number, case in enumerate(CASES))
    ]
    top = ["module top(input logic clk, output logic done);", f"logic [{len(CASES) - 1}:0] each;", *rows]
    (folder / "top.sv").write_text("\n".join([*top, "assign done = &each;", "endmodule\n"]))
    (folder / "main.cpp").write_text(MAIN)
    library = Path(get_settings().finn_rtllib) / "thresholding/hdl/thresholding.sv"
    files = (library, BENCH, folder / "top.sv", folder / "main.cpp")
    flags = ("--cc", "--exe", *MODEL, *QUIET, "--top-module", "top", "--Mdir", "build", "-o", "bench")
    _run([*_verilator(), *flags, *map(str, files)], folder)
    _run(["make", "-C", "build", "-f", "Vtop.mk", "VM_PARALLEL_BUILDS=0", "OPT_FAST=-O1"], folder)
    return folder / "build" / "bench"


def random_words(case: Case, number: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Ascending words, ascending words with some bits flipped, or any; int32 [C, N]."""
    words = rng.choice(case.integers, (case.C, case.N)).astype(np.int32)
    if number % 3 == 2:
        return words
    words = np.sort(words, axis=1)
    if number % 3 == 1:
        flips = np.zeros_like(words)
        flips[np.arange(case.C), rng.integers(0, case.N, case.C)] = 1 << rng.integers(0, case.K, case.C)
        bits = (words ^ flips) & ((1 << case.K) - 1)
        words = case.integers[bits].astype(np.int32)
    return words


def test_a_search_is_what_finn_computes(simulation: Path, tmp_path: Path) -> None:
    compared = differing = 0
    rng = np.random.default_rng(0)
    for number in range(ROUNDS):
        memories = [random_words(case, number, rng) for case in CASES]
        for index, (case, words) in enumerate(zip(CASES, memories, strict=True)):
            lines = (f"{word & ((1 << case.K) - 1):x}" for word in words.ravel().tolist())
            (tmp_path / f"words_{index}.hex").write_text("\n".join(lines))
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run([simulation], cwd=tmp_path, check=True, env=environment)
        for index, (case, words) in enumerate(zip(CASES, memories, strict=True)):
            found = np.loadtxt(tmp_path / f"levels_{index}.txt", np.int64, ndmin=1)
            found = found.reshape(1 << case.K, case.C)  # folds of a pixel, lanes of a fold
            integers = np.broadcast_to(case.integers.astype(np.int32)[:, None, None, None], (1 << case.K, case.C, 1, 1))
            levels = {logic: met(integers, words, logic)[:, :, 0, 0] + case.BIAS for logic in (COUNT, SEARCH)}
            expected = levels[SEARCH] & ((1 << case.out_bits) - 1)
            np.testing.assert_array_equal(found, expected, f"{case}, round {number}: {words.tolist()}")
            if number % 3 == 0:
                assert (levels[COUNT] == levels[SEARCH]).all()
            compared += found.size
            differing += int((levels[COUNT] != levels[SEARCH]).sum())
    assert compared == ROUNDS * sum(case.C << case.K for case in CASES)
    assert differing > compared // 20  # a count would not do
