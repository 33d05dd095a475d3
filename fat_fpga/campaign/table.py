"""The results of a run as a pandas table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fat_fpga.campaign.columns import COLUMNS
from fat_fpga.campaign.result import Result
from fat_fpga.errors import CampaignError
from fat_fpga.extras import advice

if TYPE_CHECKING:
    import pandas

    from fat_fpga.campaign.run import Run

TABLE_COLUMNS = ("fault", "layer", "kind", *COLUMNS, "correct", "changed", "accuracy", "drop")


def to_pandas(run: Run) -> pandas.DataFrame:
    """One row for each finished fault; see `Run.to_pandas`."""
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise CampaignError(f"tables need the package pandas: {advice('tables')}") from error

    def column(name: str) -> list[Any]:
        read = getattr(Result, name).__get__  # the slot itself: several times faster than by name
        return [read(result) for result in run.results]

    found: dict[str, Any] = {"fault": pd.array(column("fault"), dtype="string")}
    found |= {name: pd.Categorical(column(name)) for name in ("layer", "kind")}
    found |= {name: pd.array(column(name), dtype="boolean" if name == "flip" else "Int32") for name in COLUMNS}
    found |= {"correct": run.correct, "changed": run.changed, "accuracy": run.accuracy}
    found["drop"] = run.error_free_accuracy - run.accuracy
    found |= {name.replace(" ", "_"): numbers for name, numbers in run.counts.items()}
    if run.outputs is not None:
        total, largest = (np.array(column(name), np.int64) for name in ("total", "largest"))
        found["mean_deviation"] = total * (run.outputs.unit / (run.images * run.outputs.values))
        found["largest_deviation"] = largest * run.outputs.unit
    frame = pd.DataFrame(found, columns=list(found))
    frame.attrs = {
        "network": run.identity.network,
        "network_fingerprint": run.identity.network_fingerprint,
        "dataset": run.identity.dataset,
        "dataset_fingerprint": run.identity.dataset_fingerprint,
        "fault_list": run.identity.fault_list,
        "images": run.images,
        "error_free": run.error_free,
        "asked": run.asked,
        "done": run.done,
    }
    return frame
