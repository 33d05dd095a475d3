"""Workers of Dask: processes, here or on other machines, that compute tasks of one job. What is lost is sent again."""

from fat_fpga.workers.client import Pool, connected
from fat_fpga.workers.job import Answer, Job, Words, Work
from fat_fpga.workers.tasks import Task, Tasks

__all__ = ["Answer", "Job", "Pool", "Task", "Tasks", "Words", "Work", "connected"]
