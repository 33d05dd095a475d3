"""Real processes on one run file: races to make it, and kills at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fat_fpga.campaign import Run
from fat_fpga.files import replacing

from .tiny import tiny_run

RACER = """
    import sys, time
    from pathlib import Path
    from fat_fpga.campaign import run_campaign
    from fat_fpga.errors import CampaignError
    from fat_fpga.faults import fault_space
    from tests.campaign.tiny import Watched, tiny_data, tiny_network

    class Slow(Watched):
        def run(self, *arguments, **options):
            if arguments[3]:
                time.sleep(0.3)
            return super().run(*arguments, **options)

    network, data = tiny_network(), tiny_data()
    print("ready", flush=True)
    for line in sys.stdin:  # a path a line: go, all at once
        try:
            run_campaign(network, data, fault_space(network), line.strip(), Slow())
            print("done", flush=True)
        except CampaignError as error:
            print(error, flush=True)
"""
WORKER = """
    import sys
    from fat_fpga.campaign import run_campaign
    from fat_fpga.faults import fault_space
    from tests.campaign.tiny import Watched, tiny_data, tiny_network

    class Logging(Watched):
        def run(self, network, images, labels, faults, **options):
            outcome = super().run(network, images, labels, faults, **options)
            with open(sys.argv[2], "a") as log:
                print(*map(str, faults), sep="\\n", file=log)
            return outcome

    network = tiny_network()
    print("ready", flush=True)
    run_campaign(network, tiny_data(), fault_space(network), sys.argv[1], Logging(), chunk=1)
"""


def program(text: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    lines = "\n".join(line.removeprefix("    ") for line in text.splitlines())
    command = [sys.executable, "-c", lines, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, **options)


def test_of_processes_that_make_one_file_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    racers = [program(RACER, stdin=subprocess.PIPE) for _ in range(3)]
    expected, told = tiny_run(tmp_path / "expected.run").results, 0
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    try:
        for round_ in range(6):
            path = tmp_path / f"{round_}.run"
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write(f"{path}\n")
                racer.stdin.flush()
            said = [racer.stdout.readline() for racer in racers if racer.stdout is not None]
            winners = [racer.pid for racer, line in zip(racers, said, strict=True) if line == "done\n"]
            assert winners, said  # more than one where a process came to a finished file
            for line in said:
                if line != "done\n":
                    assert any(f"working on {path} (process {pid} on " in line for pid in winners), said
                    told += 1
            run = Run.open(path)
            assert run.results == expected
            assert [session.faults for session in run.sessions] == [14]
        assert told > 0
    finally:
        for racer in racers:
            racer.communicate()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [*(f"{i}.run" for i in range(6)), "expected.run"]


KILLS = int(os.environ.get("FAT_FPGA_KILLS", "20"))


@pytest.mark.parametrize("seed", [0])
def test_kills_at_any_moment_lose_repeat_and_change_nothing(seed: int, tmp_path: Path) -> None:
    rng, expected = random.Random(seed), {r.fault: r for r in tiny_run(tmp_path / "expected.run").results}
    path, log, kills = tmp_path / "a.run", tmp_path / "log", 0
    while kills < KILLS:
        done = {r.fault for r in Run.open(path).results} if path.exists() else set()
        log.unlink(missing_ok=True)
        process = program(WORKER, path, log)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.expovariate(1 / 0.05))
        how = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP))
        process.send_signal(how)
        if how == signal.SIGSTOP:
            time.sleep(0.01)
            process.kill()
        process.communicate()
        kills += 1
        asked = log.read_text().split("\n")[:-1] if log.exists() else []
        assert len(set(asked)) == len(asked)
        assert done.isdisjoint(asked)
        if not path.exists():
            continue
        found = {r.fault: r for r in Run.open(path).results}
        assert done <= found.keys() <= done | set(asked)
        assert all(expected[fault] == result for fault, result in found.items())
        if len(found) == len(expected):
            path.unlink()
    program(WORKER, path, log).communicate()
    assert Run.open(path).results == tuple(expected.values())
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left == {"a.run", "expected.run", "log"}


WRITER = """
    import sys, time
    from fat_fpga.files import replacing
    with replacing(sys.argv[1]) as temporary:
        temporary.write_text("half")
        print("ready", flush=True)
        time.sleep(60)
"""


def test_what_a_killed_writer_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / ".file.0000.tmp"
    other.write_text("somebody else's")
    killed, living = (program(WRITER, path) for _ in range(2))
    try:
        for process in (killed, living):
            assert process.stdout is not None
            process.stdout.readline()
        killed.kill()
        killed.communicate()
        assert len(list(tmp_path.iterdir())) == 3
        with replacing(path) as temporary:
            temporary.write_text("whole")
        assert path.read_text() == "whole"
        assert other.exists()
        assert len(list(tmp_path.iterdir())) == 3
    finally:
        living.kill()
        living.communicate()
    with replacing(path) as temporary:
        temporary.write_text("whole again")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [other.name, path.name]
