"""One row for each finished fault in a Parquet file, which keeps types and is small and fast to read."""

from __future__ import annotations

import os

from fat_fpga.arguments import checked
from fat_fpga.campaign import Run
from fat_fpga.errors import CampaignError
from fat_fpga.extras import advice, installed
from fat_fpga.files import replacing


def check_parquet() -> None:
    """CampaignError, with advice, unless the packages are here."""
    for package in ("pandas", "pyarrow"):
        if not installed(package):
            raise CampaignError(f"a Parquet file needs the package {package}: {advice('tables')}")


@checked
def write_parquet(run: Run, path: str | os.PathLike[str]) -> None:
    """Write `Run.to_pandas`; the file appears whole or not at all.

    Raises:
        CampaignError: pandas or pyarrow is not installed.
        OSError: the file cannot be written.
    """
    check_parquet()
    table = run.to_pandas()
    with replacing(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False)
