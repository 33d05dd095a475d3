"""Other forms of a graph, rewritten as standard operators before it is read.

| file | what it rewrites |
|---|---|
| ``channels_last`` | qonnx's operators with the channels last |
| ``lowered`` | convolutions as Im2Col and a product, XNOR and popcount, pools of FINN's earlier steps |
| ``binary`` | bits for XNOR as bipolar streams again |
| ``hardware`` | FINN's hardware layers that compute, whose weights are in the file |
| ``streams`` | those that join, move and rescale streams |
| ``qoperator`` | onnxruntime's operators on integers |
"""

from fat_fpga.network.lowering.forms.rewriting import in_standard_form

__all__ = ["in_standard_form"]
"""See `rewriting`."""
