"""What one core can do, by ``roofline.cpp``, which is compiled here with the compiler at hand."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("roofline.cpp")
NARROW = ("-mno-avx512f", "-DWIDTH=32")
"""Flags for the vectors of AVX2."""
UNITS = {
    "byte_additions": "additions of bytes",
    "bit_additions": "additions of bits, carry-save",
    "three_input": "three-input logic, on bits",
    "l1": "bytes from L1",
    "l2": "bytes from L2",
    "l3": "bytes from L3",
    "memory": "bytes from memory",
}
"""What is measured, a second."""


class CompilerError(Exception):
    """There is no compiler, or it refuses the source."""


def peaks(instruction_set: str) -> dict[str, float]:
    """Rates a second of CPU time of one core, by the names of `UNITS`; it takes some ten seconds.

    Args:
        instruction_set: ``avx2`` for its vectors; with any other the widest that the processor has.

    Raises:
        CompilerError: the environment's ``CXX``, or ``c++``, does not compile it.
    """
    compiler = os.environ.get("CXX") or "c++"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "roofline"
        flags = ["-std=c++17", "-O3", "-march=native", *(NARROW if instruction_set == "avx2" else ())]
        try:
            subprocess.run(
                [compiler, *flags, str(SOURCE), "-o", str(program)], capture_output=True, text=True, check=True
            )  # fmt: skip
        except OSError as error:
            raise CompilerError(f"expected a C++ compiler, as CXX or c++, got {compiler}: {error}") from None
        except subprocess.CalledProcessError as error:
            raise CompilerError(f"{compiler} does not compile {SOURCE}:\n{error.stderr.strip()}") from None
        printed = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in map(str.split, printed.splitlines())}
