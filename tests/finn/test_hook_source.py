"""The source of FINN's checksum hook, compiled with stand-ins for Vitis HLS's headers, against `fat_fpga.checksums`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fat_fpga.checksums import checksum, register_word
from tests.finn.hls_checksum import checksum_hook

HERE = Path(__file__).parent / "hls"
COMPILER = shutil.which("g++") or shutil.which("c++")
FRAMES = 3


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on the PATH")
@pytest.mark.parametrize(
    ("lanes", "bits", "beats"), [(1, 1, 7), (5, 1, 12), (4, 2, 9), (3, 8, 5), (1, 10, 10), (2, 24, 6)]
)
def test_the_hook_s_register(lanes: int, bits: int, beats: int, tmp_path: Path) -> None:
    import finn

    assert COMPILER is not None
    source = Path(next(iter(finn.__path__))) / "custom_hls"
    rng = np.random.default_rng(lanes + bits)
    words = rng.integers(0, 2**bits, (FRAMES, beats, lanes), dtype=np.int64)
    sizes = {"LANES": lanes, "BITS": bits, "BEATS": beats, "FRAMES": FRAMES}
    flags = [f"-D{name}={value}" for name, value in sizes.items()]
    command = [COMPILER, "-std=c++17", "-w", *flags, f"-I{HERE}", f"-I{source}", str(HERE / "run_hook.cpp")]
    subprocess.run([*command, "-o", str(tmp_path / "hook")], check=True)
    packed = [[sum(int(word) << lane * bits for lane, word in enumerate(beat)) for beat in frame] for frame in words]
    text = "\n".join(f"{beat:x}" for frame in packed for beat in frame)
    ran = subprocess.run([str(tmp_path / "hook")], input=text, capture_output=True, text=True, check=True)
    registers = [int(line, 16) for line in ran.stdout.split()]
    assert registers == [register_word(checksum(frame.ravel(), bits), n) for n, frame in enumerate(words)]
    assert [register & 0xFFFFFF for register in registers] == [checksum_hook(beats, lanes, bits) for beats in packed]
