"""Kills the server of the review app in mid-review, again and again, and looks for lost decisions.

python benchmarks/review_kill.py [--kills=10] [--files=6] [--seed=0]

Two clients review micrographs of their own by HTTP; each kill is a SIGKILL at a random moment.
After each start they send the edit that wasn't answered again, as pages do. The exit status is 1 if
an acknowledged edit isn't in the log exactly once, or if the tables differ from those of a review
that does the same without a kill.

Needs: the review app (pip install '.[app]').
Takes: about 3 min on 2 cores.
Writes: a line a kill to the terminal.
"""

import argparse
import csv
import io
import json
import pathlib
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import zipfile
from typing import Any

from review_load import Client, Lost, lost_edits, noise, serving
from review_soak import analysed

_TABLES = ("reviewed.csv", "reviewed_summary.csv", "corrections.csv", "grana.csv", "summary.csv")
# Columns that differ though the same was done.
_OTHERS = ("changed_utc",)


def prepared(folder: pathlib.Path, files: int) -> list[str]:
    """Makes a folder with results; returns the names of its micrographs."""
    with serving(folder) as server:
        client = Client(server, 0)
        names = [client.upload(noise(i), f"m{i}.png") for i in range(files)]
        client.ask("POST", "/api/settings", {"files": {name: {"px_per_nm": 0.6} for name in names}})
        status, answer = client.ask("POST", "/api/jobs", {})
        assert status == 200, answer
        job = client.get("/api/state")["job"]["id"]
        assert analysed(client, job) == "done"
    return names


def reviewing(client: Client, names: list[str]) -> None:
    """Reviews until the server is gone."""
    try:
        if client.open is not None:
            status = client.send(*client.open)
            if status not in (200, 422):
                client.bad.append(f"an edit that was sent again was answered by {status}")
        while True:
            client.review(client.chance.choice(names))
    except Lost:
        pass


def tables(client: Client) -> dict[str, Any]:
    """Returns the rows of all tables in the download, with paths below their folder."""
    status, answer = client.ask("GET", "/download.zip")
    assert status == 200, answer
    found = {}
    with zipfile.ZipFile(io.BytesIO(answer)) as packed:
        for name in _TABLES:
            text = packed.read(f"srd/{name}").decode()
            # A copy of the folder names micrographs of the first one, too.
            rows = csv.DictReader(io.StringIO(re.sub(r"/[^,]*/uploads/", "", text)))
            found[name] = [{n: v for n, v in row.items() if n not in _OTHERS} for row in rows]
    return found


def done_again(folder: pathlib.Path, log: pathlib.Path) -> dict[str, Any]:
    """Does all that a log tells in a folder without any decision; returns the tables."""
    with serving(folder) as server:
        client = Client(server, 0)
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            op = {name: value for name, value in entry["op"].items() if name != "entry"}
            content = {"revision": entry["revision"] - 1, "key": entry["key"], "op": op}
            status = client.send(entry["file"], content)
            assert status == 200, entry
        return tables(client)


def killed(folder: pathlib.Path, names: list[str], options: argparse.Namespace) -> list[str]:
    """Reviews and kills; returns what is wrong."""
    chance = random.Random(options.seed)
    shutil.copytree(folder, folder.with_name("again"))
    # Each has its own micrographs, so that none of its edits is refused as stale.
    shares = [names[::2], names[1::2]]
    clients: list[Client] = []
    for number in range(options.kills):
        with serving(folder) as server:
            if not clients:
                clients = [Client(server, options.seed + i) for i in (1, 2)]
            for one in clients:
                one.server = server
            threads = [
                threading.Thread(target=reviewing, args=given, daemon=True)
                for given in zip(clients, shares, strict=True)
            ]
            for one in threads:
                one.start()
            threads[0].join(chance.uniform(0.5, 2.5))
            server.process.send_signal(signal.SIGKILL)
            for one in threads:
                one.join()
        wrong = lost_edits(folder, clients) + [text for one in clients for text in one.bad]
        count, waits = sum(len(one.edits) for one in clients), sum(bool(o.open) for o in clients)
        print(f"kill {number + 1}: {count} edits acknowledged so far, {waits} without an answer; "
              f"{len(wrong)} faults", flush=True)  # fmt: skip
        if wrong:
            return wrong
    with serving(folder) as server:
        found = tables(Client(server, 0))
    other = done_again(folder.with_name("again"), folder / "app" / "log.jsonl")
    rows = {name: len(content) for name, content in found.items()}
    print(f"tables after all kills, rows: {rows}")
    return [f"{name} differs" for name in _TABLES if found[name] != other[name]]


def main() -> int:
    """Kills; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # Ended from outside, it ends its server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "w"
        wrong = killed(folder, prepared(folder, options.files), options)
    print("nothing lost, the same tables" if not wrong else "\n".join(wrong[:20]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
