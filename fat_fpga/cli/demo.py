"""``fat-fpga demo``: the main job on a network and images that come with the package."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from fat_fpga.cli.options import option, output
from fat_fpga.cli.parser import Commands
from fat_fpga.cli.stopped import stopped

NETWORK = "cnv_w1a1"

EPILOG = """\
example:
  fat-fpga demo -o demo-report
"""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "demo",
        help="the main job on a bundled network and bundled images",
        description="A whole channel campaign on a trained CNV W1A1 and 1,000 images of the CIFAR-10 test set:\n"
        "the table on the screen; run file, CSV, JSON and figures in a folder.",
        epilog=EPILOG,
    )
    output(parser, "DIR", "folder of the report (default: demo-report)", default="demo-report")
    option(parser, "--images")
    option(parser, "--threads")
    option(parser, "--force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from fat_fpga.campaign import run_campaign
    from fat_fpga.cli.model import get_engine
    from fat_fpga.datasets import load
    from fat_fpga.faults import fault_space
    from fat_fpga.files import make_folder
    from fat_fpga.network import load_network
    from fat_fpga.reports import report_text, write_csv, write_figures, write_json

    folder = make_folder(Path(args.output))
    engine = get_engine(args, "native")
    network = load_network(NETWORK)
    data = load("demo:cifar10", limit=args.images)
    path = folder / f"{NETWORK}.run"
    if not args.force:
        _check_own(folder, path)
    path.unlink(missing_ok=True)  # a demo starts from scratch
    try:
        finished = run_campaign(network, data, fault_space(network), path, engine, progress=True)
    except KeyboardInterrupt:
        return stopped(path)
    print(report_text(finished))
    write_csv(finished, folder / "faults.csv")
    write_json(finished, folder / "report.json")
    write_figures(finished, folder)
    print(f"\n{folder}: run file, faults.csv, report.json, and the figures as PNG, SVG and PDF")
    print(f"\nnext:\n{_next(path)}")
    return 0


def _next(path: Path) -> str:
    """Commands that work as they are, whether or not the environment of this one is active."""
    here = Path(sys.argv[0])
    program = "fat-fpga" if shutil.which("fat-fpga") or not here.name.startswith("fat-fpga") else str(here)
    return "\n".join(
        f"  {program} {command}"
        for command in (
            f"report {path} --top 20",
            f"campaign {NETWORK} --data demo:cifar10 --faults weight --sample 1000 -o weights.run",
            f"crosscheck {NETWORK} --data demo:cifar10 --engines native,reference --sample 45 --images 2",
        )
    )


def _check_own(folder: Path, path: Path) -> None:
    """CampaignError if files of the demo's names are there that no demo has made."""
    from fat_fpga.campaign import Run
    from fat_fpga.errors import CampaignError

    found = [name for name in (path.name, "faults.csv", "report.json") if (folder / name).exists()]
    if not found:
        return
    try:
        own = Run.open(path).identity.dataset.startswith("demo")
    except CampaignError:
        own = False
    if not own:
        raise CampaignError(
            f"{folder} has {', '.join(found)}, which no demo has made: name another folder, or give --force "
            "to lose them"
        )
