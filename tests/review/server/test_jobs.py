import asyncio
import time

import pytest
from helpers import review_app
from helpers.review_app import OWN, browsing, post, service_of, stand_in
from starlette.exceptions import HTTPException

from srd_jax.review.server.jobs import Job, Jobs

ENDLESS = """
import json, sys
print(json.dumps({"step": "measuring", "file": "a", "done": 1, "total": 9}), flush=True)
sys.stdin.read()
print(json.dumps({"step": "stopped"}), flush=True)
"""


def run(program, scenario):
    """Runs a scenario with jobs of a program; returns what it returns, and what happened."""
    told = {"changes": 0, "results": 0}

    async def main(folder):
        def changed():
            told["changes"] += 1

        async def results():
            told["results"] += 1

        jobs = Jobs([*stand_in(program), str(folder)], folder / "log.txt", changed, results)
        try:
            return await asyncio.wait_for(scenario(jobs), 60)
        finally:
            await jobs.close()

    return lambda folder: (asyncio.run(main(folder)), told)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.02)


async def ended(job):
    await until(lambda: job.state not in ("waiting", "running"))
    return job.told()


def test_a_job_tells_its_progress_and_ends(tmp_path):
    program = review_app.ANALYSIS[-1]

    async def scenario(jobs):
        job = jobs.add()
        assert (job.state, jobs.latest, jobs.waiting) == ("waiting", job, 1)
        return await ended(job)

    found, told = run(program, scenario)(tmp_path)
    assert (found["state"], found["done"], found["total"]) == ("done", 3, 3)
    assert (found["error"], found["seconds_left"]) == (None, None)
    assert told["results"] == 4  # of three files, and at the end
    assert told["changes"] >= 5


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit(3)", "ended unexpectedly"),
        ("import os; os.kill(os.getpid(), 9)", "ended unexpectedly"),
        ('print(\'{"error": "no room at /home/me/data/x.tif"}\')', "no room at x.tif"),
        ("print('x' * 3_000_000)", "cannot be run"),
    ],
)
def test_a_job_that_fails_tells_why(tmp_path, program, words):
    async def scenario(jobs):
        return await ended(jobs.add())

    found, _ = run(program, scenario)(tmp_path)
    assert found["state"] == "failed"
    assert words in found["error"]
    assert "/home" not in found["error"]


def test_junk_in_between_is_passed_over(tmp_path):
    program = 'print(\'junk\\n[1]\\nnull\\n{"done": "x", "total": 2}\')'

    async def scenario(jobs):
        return await ended(jobs.add())

    found, _ = run(program, scenario)(tmp_path)
    assert (found["state"], found["done"], found["total"]) == ("done", 0, 2)


def test_one_runs_and_others_wait(tmp_path):
    async def scenario(jobs):
        first, second, third = jobs.add(), jobs.add(), jobs.add()
        await until(lambda: first.done == 1)
        assert jobs.latest is first
        assert (second.state, third.state, jobs.waiting) == ("waiting", "waiting", 2)
        await jobs.stop(second.id)
        assert (second.state, jobs.waiting) == ("stopped", 1)
        stopping = await jobs.stop(first.id)
        assert stopping.step == "stopping"
        assert (await ended(first))["state"] == "stopped"
        await until(lambda: third.state == "running")
        with pytest.raises(HTTPException):
            await jobs.stop(first.id)
        await jobs.stop(third.id)
        return (await ended(third))["state"]

    assert run(ENDLESS, scenario)(tmp_path)[0] == "stopped"


def test_the_line_is_limited(tmp_path):
    async def scenario(jobs):
        for _ in range(10):
            jobs.add()
        with pytest.raises(HTTPException, match="wait already"):
            jobs.add()

    run(ENDLESS, scenario)(tmp_path)


def test_a_job_that_does_not_stop_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("srd_jax.review.server.jobs._PATIENCE", 0.1)

    async def scenario(jobs):
        job = jobs.add()
        await until(lambda: job.state == "running")
        await jobs.stop(job.id)
        return await ended(job)

    found, _ = run("import time\nwhile True: time.sleep(9)", scenario)(tmp_path)
    assert found["state"] == "stopped"


def test_the_time_left_is_that_of_the_files_so_far(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    job = Job(state="running")
    assert not job.hear(b'{"step": "reading", "file": "a", "done": 0, "total": 4}')
    now[0] = 110.0
    assert job.told()["seconds_left"] is None
    assert job.hear(b'{"step": "done", "file": "a", "done": 1, "total": 4}')
    now[0] = 114.0
    assert job.told()["seconds_left"] == 26.0
    now[0] = 999.0
    assert job.told()["seconds_left"] == 1.0


def test_jobs_by_requests(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    with browsing(service_of(tmp_path / "w", analysis=stand_in(ENDLESS))) as client:
        job = post(client, "/api/jobs").json()
        assert client.delete("/api/jobs/nothing", headers=OWN).status_code == 404
        assert client.get("/download.zip").status_code == 409
        assert client.delete(f"/api/jobs/{job['id']}", headers=OWN).status_code == 200
        while (shown := client.get("/api/state").json()["job"])["state"] == "running":
            time.sleep(0.05)
        assert (shown["id"], shown["state"]) == (job["id"], "stopped")


def test_without_micrographs_there_is_nothing_to_do(tmp_path):
    with browsing(service_of(tmp_path / "w")) as client:
        assert post(client, "/api/jobs").status_code == 422
        assert client.get("/download.zip").status_code == 409


def test_the_end_of_the_app_ends_a_job(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    with browsing(service_of(tmp_path / "w", analysis=stand_in(ENDLESS))) as client:
        post(client, "/api/jobs")
        service = client.service
    assert service.jobs.latest.state == "stopped"
    assert service.review.closed
