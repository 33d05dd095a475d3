"""The options that several commands have: one name, one type, one wording each.

A command adds them by name, and may say what they mean for it beside the common words. A test compares the parsers of
all commands.
"""

from __future__ import annotations

import argparse
from typing import Any, Protocol

from fat_fpga.cli import numbers
from fat_fpga.cli.parser import Derived, engines, formats, names

DATA = (
    "labelled images: cifar10:DIR, svhn:DIR, gtsrb:DIR, mnist:DIR, fsdd:DIR, tidigits:DIR, folder:DIR, npz:FILE, "
    "npy:DIR, or demo:cifar10; with @val, @train or @test[0:5000] after it other images"
)
FOLDING = "PEs of each unit: bnn-pynq, a list as 16,32,16, or a JSON file; SIMD lanes as 16x3,32x32"


def _kinds() -> str:
    from fat_fpga.faults.registry import MODELS, OF_MODULES

    return f"{', '.join(MODELS)}; of modules also {', '.join(OF_MODULES)}"


OPTIONS: dict[str, dict[str, Any]] = {
    "--board": {
        "flags": ("--part",),
        "dest": "board",
        "metavar": "NAME",
        "help": "Pynq-Z1, Ultra96, ZCU104, or their parts",
    },
    "--chunk": {
        "metavar": "N",
        "type": numbers.count,
        "help": "save after every N faults, or samples (default: some ten seconds)",
    },
    "--clock": {"metavar": "MHZ", "type": numbers.clock, "help": "clock of the accelerator in MHz"},
    "--cost-matrix": {
        "metavar": "FILE",
        "help": "count costs, too: a CSV table, a row for each true class, a column for each predicted one",
    },
    "--csv": {"metavar": "FILE", "help": "write a table as CSV; - is standard output"},
    "--detectors": {
        "metavar": "NAME[,NAME]",
        "type": names,
        "help": "with --outcomes, what tells of a fault: voter (copies that differ), range (a value that is no level), "
        "ecc (a word that its code cannot correct)",
    },
    "--dask": {
        "metavar": "WHERE",
        "help": "compute on workers of Dask: local:N for N processes here, or tcp://HOST:PORT for those of a scheduler",
    },
    "--dask-wait": {
        "metavar": "SECONDS",
        "type": numbers.waiting,
        "help": "stop where Dask has had no worker for so long (default: 60 for local:N, never for a scheduler)",
    },
    "--data": {"metavar": "DATA", "help": DATA},
    "--effects": {
        "choices": ("flip", "stuck", "all"),
        "help": "what happens to bits: flip (default), stuck at 0 and 1, all",
    },
    "--engine": {
        "metavar": "NAME",
        "help": engines("what computes"),
    },
    "--epochs": {"metavar": "N", "type": numbers.count, "help": "passes over the training set"},
    "--expect-accuracy": {
        "metavar": "P",
        "type": numbers.percent,
        "help": "refuse where fewer percent of the images are right without faults",
    },
    "--faults": {
        "dest": "kinds",
        "metavar": "KIND[,KIND]",
        "type": names,
        "help": Derived(lambda: f"kinds of fault: {_kinds()}"),
    },
    "--figures": {"metavar": "DIR", "help": "draw the figures into this folder"},
    "--folding": {"metavar": "FOLDING", "help": FOLDING},
    "--force": {"action": "store_true", "help": "write even where a file of another kind is in the way"},
    "--format": {
        "metavar": "F[,F]",
        "type": formats,
        "help": "formats of the figures: png, svg, pdf (default: all three)",
    },
    "--formats": {
        "metavar": "WHERE=FORMAT[,...]",
        "type": numbers.formats_at,
        "help": "how words of a module stand in bits, by place, kind, both, or *: weight=Q2.6, fc/weight=int8",
    },
    "--fps": {"metavar": "N", "type": numbers.rate, "help": "frames a second"},
    "--html": {
        "metavar": "FILE",
        "help": "write an interactive report, one file for a browser that loads nothing from a network",
    },
    "--image": {"metavar": "N", "type": numbers.index, "help": "number of the image, from 0"},
    "--image-shape": {
        "metavar": "C,H,W",
        "type": numbers.shape,
        "help": "shape of an image, where the file's input is flat",
    },
    "--images": {"metavar": "N", "type": numbers.count, "help": "only the first N images"},
    "--json": {"metavar": "FILE", "help": "write everything as JSON, for other programs; - is standard output"},
    "--keep-predictions": {
        "action": "store_true",
        "help": "keep the class of each image under each fault, for report --html (bit-packed; 10,000 images of ten "
        "classes take 5 kB a fault)",
    },
    "--layers": {"metavar": "A,B", "type": names, "help": "only in these layers; also input, pools, and '*'"},
    "--model": {"metavar": "MODEL", "help": "the model"},
    "--most-loss": {
        "metavar": "W",
        "type": numbers.points,
        "help": "accuracy on these images that may be lost, in points",
    },
    "--names": {
        "metavar": "A,B",
        "type": names,
        "help": "what to call the runs (default: the names of their networks)",
    },
    "--outcomes": {
        "action": "store_true",
        "help": "count outcome classes, too: masked, non-critical, silent corruption, critical, detected (slower)",
    },
    "--outputs": {
        "choices": ("auto", "classes", "values"),
        "default": "auto",
        "help": "what the file's outputs are: scores of classes, or values, as of a regression (auto asks the file)",
    },
    "--parquet": {"metavar": "FILE", "help": "write one row for each fault, with types, for data frames"},
    "--per-class": {"action": "store_true", "help": "count the wrong images of each class, too"},
    "--pixels": {
        "metavar": "P",
        "type": numbers.pixels,
        "default": "auto",
        "help": "what the file's input takes: pixels 0..255 (raw), or divided by 255 (unit), other data (none), or "
        "integers of a datatype, as INT8; auto asks the file",
    },
    "--normalise": {
        "metavar": "mean=M[,M,M],std=S[,S,S]",
        "type": numbers.normalise,
        "help": "the file takes (pixel / 255 - mean) / std; one number, or one for each channel",
    },
    "--plan": {"metavar": "PLAN", "help": "file of fat-fpga plan"},
    "--precision": {
        "metavar": "NAME",
        "help": "of the matrix products in training: float32 (default) or bfloat16",
    },
    "--protect": {
        "metavar": "CODE[:BITS]",
        "type": numbers.code,
        "help": "memories are protected by parity, or by secded, over words of so many data bits (default: 64)",
    },
    "--quiet": {"flags": ("-q",), "action": "store_true", "help": "no progress bar"},
    "--rates": {
        "metavar": "LOW:HIGH[:N]",
        "type": numbers.rates,
        "help": "from LOW to HIGH with N rates in each decade (default: 3), or a list of rates as 1e-6,1e-5",
    },
    "--roi": {"action": "store_true", "help": "cut GTSRB's images to their regions of interest"},
    "--sample": {"metavar": "N", "type": numbers.count, "help": "N of the faults, drawn without replacement"},
    "--samples": {"metavar": "N", "type": numbers.samples, "help": "of each rate"},
    "--save-folding": {"metavar": "FILE", "help": "write the folding as JSON, for --folding of other commands"},
    "--seed": {"metavar": "N", "type": numbers.seed, "help": "seed of what is drawn at random (default: 0)"},
    "--thresholds": {
        "metavar": "HOW",
        "help": "how the hardware finds levels, which decides what a fault in threshold memory does: count (FINN's "
        "MVAU_hls, our boards), search (FINN's Thresholding_rtl), baked (no memory), one for each layer as "
        "conv0=search,fc1=count, or the folder of a board or FINN build (default: that of a build where MODEL lies "
        "in its folder, or is executed by it, else count)",
    },
    "--threads": {
        "metavar": "N",
        "type": numbers.threads,
        "help": "threads of the engines native and torch (default: all cores that this process may use)",
    },
    "--weights-file": {
        "metavar": "FILE",
        "help": "weights of a module: a state dict of torch.save, read without executing anything in it",
    },
    "--track": {
        "metavar": "NAME[,NAME]",
        "type": names,
        "help": "give parameters and numbers to mlflow or wandb, which must be installed and say where they go",
    },
    "--top5": {"action": "store_true", "help": "count images whose class is among the five highest scores, too"},
    "--top": {"metavar": "N", "type": numbers.count, "help": "so many of the most critical"},
    "--values": {"metavar": "V,V", "type": numbers.levels, "help": "only these of the activation levels"},
}


class Adds(Protocol):
    """A parser, or a group of one."""

    def add_argument(self, *name_or_flags: str, **rest: Any) -> argparse.Action: ...


def option(parser: Adds, name: str, more: str = "", **changes: Any) -> argparse.Action:
    """Add the option ``name`` to a parser or a group.

    Args:
        more: what it means in this command, after the common words.
        changes: ``required``, ``default``: what a command may choose; nothing that changes the option's meaning.
    """
    rest = {**OPTIONS[name], **changes}
    rest["help"] += more
    return parser.add_argument(*rest.pop("flags", ()), name, **rest)


def words(name: str) -> str:
    """What an option is in every command."""
    text: str = OPTIONS[name]["help"]
    return text


def output(parser: Adds, metavar: str, what: str, **changes: Any) -> argparse.Action:
    """Add ``-o``, what a command makes: a file or a folder."""
    return parser.add_argument("-o", "--output", metavar=metavar, help=what, **changes)


def add_model(parser: Adds) -> None:
    """The arguments that ``fat_fpga.cli.model.load_model`` reads."""
    parser.add_argument(
        "model", metavar="MODEL",
        help="an .onnx file, the network.npz of a board, or the name of a bundled network (fat-fpga models lists "
        "them); for campaign, sweep and faults also a PyTorch module, module:PACKAGE:FACTORY",
    )  # fmt: skip
    option(parser, "--pixels")
    option(parser, "--normalise")
    option(parser, "--outputs")
    option(parser, "--image-shape")
