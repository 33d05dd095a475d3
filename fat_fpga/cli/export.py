"""``fat-fpga export``: a bundled network or a checkpoint, as a QONNX file."""

from __future__ import annotations

import argparse
from pathlib import Path

from fat_fpga.cli.options import option, output
from fat_fpga.cli.outputs import check_output
from fat_fpga.cli.parser import Commands

EPILOG = """\
examples:
  fat-fpga export cnv_w1a1 -o cnv.onnx             # a bundled network
  fat-fpga export trained/last.pt -o cnv.onnx      # a checkpoint (needs the training extra)
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "export",
        help="write a bundled network or a checkpoint as QONNX",
        description="Write a QONNX file, which fat-fpga campaign, qonnx and FINN read.",
        epilog=EPILOG,
    )
    parser.add_argument("source", metavar="SOURCE", help="name of a bundled network, or a checkpoint of fat-fpga train")
    output(parser, "FILE", "the .onnx file to write", required=True)
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.file_kinds import ONNX
    from fat_fpga.models import zoo

    source, output = Path(args.source), check_output(args, args.output, ONNX, args.source)
    bundled = zoo.bundled_or_file(source, "checkpoint")
    if bundled is None:
        _export_checkpoint(source, output)
    else:
        zoo.write_onnx(bundled, output)
    print(f"wrote {output}; fat-fpga info {output} describes it")
    return 0


def _export_checkpoint(source: Path, output: Path) -> None:
    from fat_fpga.models import build
    from fat_fpga.models.export import export_qonnx
    from fat_fpga.training.checkpoint import read_checkpoint

    checkpoint = read_checkpoint(source)
    model = build(checkpoint.identity["model"], checkpoint.identity["classes"])
    checkpoint.load_into(model, None, source)
    export_qonnx(model, output, (1, *model.spec.topology.input_shape))
