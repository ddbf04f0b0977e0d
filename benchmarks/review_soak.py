"""Reviews 50 micrographs by five clients at once, of which two run analyses, for some minutes.

python benchmarks/review_soak.py [--minutes=30] [--files=50] [--seed=0] [--real]

The clients speak HTTP with a server of its own process. Results are drawn and measured by geometry
alone, unless --real takes `srd app` with the classical detector. It prints the memory and the open
files of the server, with its child processes, each minute. The exit status is 1 if an answer says
that the server failed, if an acknowledged edit isn't in the log, or if the review differs after a
restart.

Needs: the review app (pip install '.[app]'); Linux.
Takes: 30 min, or --minutes.
Writes: a line a minute to the terminal.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
from typing import Any

from review_load import Client, Lost, Server, lost_edits, noise, serving

_REVIEWERS, _RUNNERS = 3, 2
_PAGE = os.sysconf("SC_PAGE_SIZE")


def used(server: Server) -> tuple[float, float, int]:
    """Returns resident MB of the server and of all its children, and its number of open files."""
    children: dict[int, list[int]] = collections.defaultdict(list)
    memory: dict[int, int] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parts = (path / "stat").read_text().rpartition(")")[2].split()
            children[int(parts[1])].append(int(path.name))
            memory[int(path.name)] = int(parts[21]) * _PAGE
    own, total, waiting = memory[server.process.pid], 0, [server.process.pid]
    while waiting:
        one = waiting.pop()
        total += memory.get(one, 0)
        waiting += children[one]
    files = len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()))
    return own / 1e6, total / 1e6, files


def analysed(client: Client, job: str) -> str:
    """Waits for the end of an analysis; returns its state, as far as it is told."""
    while True:
        latest = client.get("/api/state")["job"]
        if latest["id"] != job or latest["state"] not in ("waiting", "running"):
            return latest["state"]
        time.sleep(0.2)


def reviewing(client: Client, names: list[str], until: float) -> None:
    """Reviews, and looks at all that a page shows."""
    while time.monotonic() < until:
        name = client.chance.choice(names)
        client.review(name)
        state = client.get("/api/state")
        file = next((one for one in state["files"] if one["name"] == name), None)
        what = client.chance.random()
        if file is None:
            continue
        if what < 0.3:
            for granum in client.get(f"/api/files/{name}")["grana"][:2]:
                client.ask("GET", f"/api/files/{name}/grana/{granum['number']}.png?r=0")
        elif what < 0.4 and file["tiles"]:
            info = client.get(f"/tiles/{file['tiles']}/info.json")
            client.ask("GET", f"/tiles/{file['tiles']}/{info['levels'] - 1}/0_0.jpg")
        elif what < 0.45:
            client.ask("GET", "/api/violins.svg?quantity=srd_nm&group=1")
        elif what < 0.46:
            client.ask("GET", "/download.zip")
        elif what < 0.5:
            client.edit(name, {"do": "period", "granum": 1, "period_px": -1}, 10**6)


def running(client: Client, names: list[str], until: float) -> None:
    """Changes scales and groups, hands in files, and runs analyses, some of which it stops."""
    number = 0
    while time.monotonic() < until:
        number += 1
        some = client.chance.sample(names, 3)
        setting = {
            "px_per_nm": round(client.chance.uniform(0.4, 0.9), 2),
            "group": f"g{number % 3}",
        }
        client.ask("POST", "/api/settings", {"files": dict.fromkeys(some, setting)})
        if number % 5 == 0:
            new = client.upload(noise(client.chance.randrange(2**31)), "new.png")
            client.ask("DELETE", f"/api/files/{new}")
        status, answer = client.ask("POST", "/api/jobs", {})
        if status != 200:
            time.sleep(1)
            continue
        job = json.loads(answer)["id"]
        if number % 4 == 0:
            time.sleep(client.chance.uniform(0, 2))
            client.ask("DELETE", f"/api/jobs/{job}")
        analysed(client, job)


def guarded(work: Any, client: Client, *given: Any) -> None:
    """Works; what goes wrong is kept."""
    try:
        work(client, *given)
    except (Lost, AssertionError, KeyError, TypeError, ValueError) as error:
        client.bad.append(f"{work.__name__}: {type(error).__name__} {error}")


def grana_of(client: Client) -> dict[str, Any]:
    """Returns the grana of all micrographs by name."""
    names = [one["name"] for one in client.get("/api/state")["files"]]
    return {name: client.get(f"/api/files/{name}")["grana"] for name in names}


def tell(server: Server, begun: float, clients: list[Client], where: str = "") -> None:
    """Prints what the server takes."""
    own, total, files = used(server)
    edits = sum(len(one.edits) for one in clients)
    print(
        f"{(time.monotonic() - begun) / 60:5.1f} min{where}: server {own:.0f} MB, with children "
        f"{total:.0f} MB, {files} files open, {edits} edits",
        flush=True,
    )


def soak(folder: pathlib.Path, options: argparse.Namespace) -> list[str]:
    """Runs; prints figures, and returns what is wrong."""
    with serving(folder, options.real) as server:
        first = Client(server, options.seed)
        names = [first.upload(noise(i), f"m{i:02}.png") for i in range(options.files)]
        first.ask("POST", "/api/settings", {"files": {name: {"px_per_nm": 0.6} for name in names}})
        job = json.loads(first.ask("POST", "/api/jobs", {})[1])["id"]
        print(f"{len(names)} micrographs analysed: {analysed(first, job)}", flush=True)
        # Other scales leave the decisions of a micrograph behind, so some have only reviewers.
        calm = names[: options.files // 2]
        begun = time.monotonic()
        until = begun + 60 * options.minutes
        clients = [Client(server, options.seed + i) for i in range(1, _REVIEWERS + _RUNNERS + 1)]
        works = [(reviewing, names)] * (_REVIEWERS - 1) + [(reviewing, calm)]
        works += [(running, names[options.files // 2 :])] * _RUNNERS
        threads = [
            threading.Thread(target=guarded, args=(work, client, *given, until), daemon=True)
            for client, (work, *given) in zip(clients, works, strict=True)
        ]
        for one in threads:
            one.start()
        step = min(60.0, 10 * options.minutes)
        while any(one.is_alive() for one in threads):
            tell(server, begun, clients)
            for one in threads:
                one.join(step / len(threads))
        time.sleep(5)
        tell(server, begun, clients, " at rest")
        before = grana_of(first)
    with serving(folder, options.real) as server:
        after = grana_of(Client(server, 0))
    statuses = sum((collections.Counter(one.statuses) for one in clients), collections.Counter())
    print(f"{sum(statuses.values())} requests by {len(clients)} clients; answers by status: "
          f"{dict(sorted(statuses.items()))}")  # fmt: skip
    wrong = [text for one in (first, *clients) for text in one.bad]
    if before != after:
        wrong.append("the review differs after a restart")
    return wrong + lost_edits(folder, clients)


def main() -> int:
    """Soaks; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args()
    # Ended from outside, it ends its server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as temporary:
        wrong = soak(pathlib.Path(temporary) / "w", options)
    print("nothing lost, no failure" if not wrong else "\n".join(wrong[:20]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
