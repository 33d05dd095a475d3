"""Float networks in fixed point: formats Qm.n, layer by layer, and the smallest that lose no accuracy."""

from fat_fpga.fixed_point.float_model import FloatModel, read_float_model
from fat_fpga.fixed_point.formats import Formats, LayerFormats, parse_layer, read_formats, write_formats
from fat_fpga.fixed_point.q_format import QFormat, parse_format
from fat_fpga.fixed_point.quantise import LayerRow, Quantised, quantise

__all__ = [
    "FloatModel",
    "Formats",
    "LayerFormats",
    "LayerRow",
    "QFormat",
    "Quantised",
    "parse_format",
    "parse_layer",
    "quantise",
    "read_float_model",
    "read_formats",
    "write_formats",
]
