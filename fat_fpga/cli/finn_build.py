"""``fat-fpga finn build``: a dataflow build, step by step."""

from __future__ import annotations

import argparse
import sys
from textwrap import fill

from fat_fpga.cli.options import option, output
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga finn build cnv_w1a1 --board ZCU104 --folding stock -o build
  fat-fpga finn build cnv.onnx --board ZCU104 --folding auto:1000 --inject thresholds -o build --until code
  fat-fpga finn build cnv.onnx --board ZCU104 --folding plan --plan plan.json -o build --until board
  fat-fpga finn build cnv_w1a1 --board ZCU104 --folding stock --rtl-only --checksums -o build --until code --simulate

The same command continues a build behind its last finished step; a step is done again only if what decides its result
has changed. Steps from ip on are FINN's own and need Vitis HLS and Vivado. With --rtl-only none needs Vitis HLS, and
the step code also writes the whole accelerator in Verilog, without FIFOs and DMA, into DIR/rtl.
"""


def add(commands: Commands) -> None:
    from fat_fpga.cli.finn_design import add_design
    from fat_fpga.finn.names import NAMES

    parser = commands.add_parser(
        "build",
        help="run the steps of a build up to one of them",
        description="Build the accelerator on FINN's own builder. The steps, in order:\n" + fill(", ".join(NAMES), 96),
        epilog=EPILOG,
    )
    add_design(parser)
    output(parser, "DIR", "folder of the build; made, or continued", required=True)
    parser.add_argument("--until", metavar="STEP", default="estimates", help="the last step (default: estimates)")
    parser.add_argument(
        "--simulate", action="store_true",
        help="with --rtl-only: also compile the accelerator with Verilator, as a board for campaigns, board:DIR/rtl",
    )  # fmt: skip
    option(parser, "--quiet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.finn_design import Design
    from fat_fpga.errors import FinnError
    from fat_fpga.finn.build import Build
    from fat_fpga.finn.build_steps import ACCELERATOR, check_tools
    from fat_fpga.finn.names import NAMES
    from fat_fpga.finn.report import comparison_text, write_report
    from fat_fpga.finn.verilog import compile_accelerator
    from fat_fpga.text import align

    check_tools(args.until, args.rtl_only)
    if args.simulate and not (args.rtl_only and NAMES.index(args.until) >= NAMES.index("code")):
        raise FinnError("--simulate: only builds with --rtl-only, up to the step code at least, have all in RTL")
    design = Design(args)
    build = Build(
        design.network,
        args.output,
        design.board,
        design.folding,
        clock=design.clock,
        inject=design.inject,
        checksums=design.checksums,
        rtl_only=design.rtl_only,
    )
    done: list[str] = []

    def told(name: str, number: int, of: int, seconds: float | None) -> None:
        if seconds is None:
            done.append(name)
        if not args.quiet:
            end = "" if seconds is None else f"\r[{number:2}/{of}] {name:12} {seconds:8.1f} s\n"
            print(end or f"[{number:2}/{of}] {name:12} ...", end="", file=sys.stderr, flush=True)

    seconds = build.run(args.until, told)
    rows = [["step", "seconds", ""]]
    rows += [[name, f"{taken:.1f}", "" if name in done else "from before"] for name, taken in seconds.items()]
    print(align(rows, left=(0, 2)))
    if NAMES.index(args.until) >= NAMES.index("estimates"):
        found = design.stages()
        print("\n" + comparison_text(found))
        for path in write_report(found, build.folder / "report"):
            print(f"wrote {path}")
    if args.simulate:
        compile_accelerator(build.folder / ACCELERATOR)
        print(f"wrote {build.folder / ACCELERATOR}: take it as engine board:{build.folder / ACCELERATOR}")
    return 0
