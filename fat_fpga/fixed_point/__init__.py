"""Float networks in fixed point: formats Qm.n, layer by layer, and the smallest that lose no accuracy."""

from fat_fpga.fixed_point.float_model import FloatModel
from fat_fpga.fixed_point.formats import Formats, LayerFormats, parse_layer, read_formats, write_formats
from fat_fpga.fixed_point.q_format import QFormat, parse_format
from fat_fpga.fixed_point.quantise import LayerRow, Quantised, quantise
from fat_fpga.fixed_point.sources import open_float_model

__all__ = [
    "FloatModel",
    "Formats",
    "LayerFormats",
    "LayerRow",
    "QFormat",
    "Quantised",
    "open_float_model",
    "parse_format",
    "parse_layer",
    "quantise",
    "read_formats",
    "write_formats",
]
