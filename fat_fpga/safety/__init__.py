"""Safety metrics from campaigns: failure rates, SPFM, LFM, PMHF (ISO 26262-5), DC and SFF (IEC 61508), an FMEDA table.

>>> from fat_fpga.campaign import Run
>>> from fat_fpga.safety import assess, read_fit, safety_text
>>> found = assess([Run.open("weights.run")], read_fit("fit.toml"))   # doctest: +SKIP
>>> print(safety_text(found))                                          # doctest: +SKIP
"""

from fat_fpga.safety.assessment import Assessment, assess
from fat_fpga.safety.fit import Fit, read_fit, write_template
from fat_fpga.safety.resources import read_resources
from fat_fpga.safety.table import safety_json, safety_text, write_fmeda, write_safety_json

__all__ = [
    "Assessment",
    "Fit",
    "assess",
    "read_fit",
    "read_resources",
    "safety_json",
    "safety_text",
    "write_fmeda",
    "write_safety_json",
    "write_template",
]
