"""How ``voxplain serve`` answers many at once, over loopback, on this machine.

    python benchmarks/serve.py examples/cremad_1089_tie_ang.opus [--workers 2] [--seconds 60]

One client, and as many as are declared (in work or waiting), by turns of ten seconds, so that
whatever else the machine does slows both; then 50, who wait as long as a 503 tells them to. Prints
a Markdown table: times of what was answered, what else there was, and the memory of all processes
of the service after each crowd.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np

_TURN = 10.0  # s


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "voxplain", "serve", "--port", "0", "--data", folder]
        limits = ["--workers", str(arguments.workers), "--rate", "1000000"]
        with (
            Path(folder, "log").open("w") as log,
            subprocess.Popen(
                [*command, *limits], stdout=subprocess.PIPE, stderr=log, text=True
            ) as server,
        ):
            assert server.stdout
            url = server.stdout.readline().split()[-1]
            try:
                asyncio.run(_measure(url, server.pid, arguments))
            finally:
                server.terminate()


async def _measure(url: str, pid: int, arguments: argparse.Namespace) -> None:
    content = arguments.clip.read_bytes()
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as http:
        for _ in range(4 * arguments.workers):  # every worker has heard something
            await http.post("/v1/analyze", files={"file": content})
        declared = (await http.get("/v1/models")).json()["limits"]["concurrency"]
        print(
            "| clients | answered | p50 (s) | p95 (s) | beside unloaded | busy (503) | "
            "other | memory (MB) |\n|---|---|---|---|---|---|---|---|"
        )
        turns = max(1, round(arguments.seconds / _TURN))
        found: dict[int, tuple[list[float], Counter[int]]] = {}
        memory = {}
        crowds = [(1, _TURN), (declared, _TURN)] * turns
        for clients, duration in [*crowds, (arguments.clients, arguments.seconds)]:
            seconds, statuses = found.setdefault(clients, ([], Counter()))
            await _load(http, content, clients, duration, seconds, statuses)
            memory[clients] = _memory(pid)
        unloaded = np.percentile(found[1][0], 95)
        for clients, (seconds, statuses) in found.items():
            p50, p95 = np.percentile(seconds, [50, 95])
            other = sum(statuses.values()) - statuses[200] - statuses[503]
            print(
                f"| {clients} | {statuses[200]} | {p50:.2f} | {p95:.2f} | {p95 / unloaded:.1f} x | "
                f"{statuses[503]} | {other} | {memory[clients]:.0f} |"
            )


async def _load(
    http: httpx2.AsyncClient,
    content: bytes,
    clients: int,
    duration: float,
    seconds: list[float],
    statuses: Counter[int],
) -> None:
    """Note the seconds of each answer, and how many there are of each status; 0: none at all."""
    end = time.monotonic() + duration

    async def client() -> None:
        while (began := time.monotonic()) < end:
            try:
                answer = await http.post("/v1/analyze", files={"file": content})
            except httpx2.TransportError as error:
                print(f"no answer: {error!r}", file=sys.stderr)
                statuses[0] += 1
                continue
            statuses[answer.status_code] += 1
            if answer.status_code == 503:
                await asyncio.sleep(float(answer.headers["retry-after"]))
            elif answer.status_code == 200:
                seconds.append(time.monotonic() - began)

    await asyncio.gather(*(client() for _ in range(clients)))


def _memory(pid: int) -> float:
    """MB of a process and all below it; what they share counts once (Linux)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    kilobytes = 0
    for one in family:
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            kilobytes += int(line.split()[1]) if line.startswith("Pss:") else 0
    return kilobytes / 1000


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
