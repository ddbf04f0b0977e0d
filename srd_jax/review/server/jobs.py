"""Runs analyses one after the other, each in a process of its own that tells its progress."""

import asyncio
import collections
import contextlib
import dataclasses
import json
import pathlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from srd_jax.review.server.answers import shown
from srd_jax.review.server.worker import running

WAITING, RUNNING, STOPPED, DONE, FAILED = "waiting", "running", "stopped", "done", "failed"
_MOST_WAITING = 10
_LONGEST_LINE = 1 << 20
_PATIENCE = 20.0  # s in which a stopped analysis may write its tables
_KEPT = 20  # ended jobs that are remembered


@dataclasses.dataclass
class Job:
    """An analysis of all micrographs that need one.

    Attributes:
      id: in addresses.
      state: waiting, running, stopped, done or failed.
      step: of the work, in words.
      file: that is worked on, by its name.
      done, total: numbers of files.
      error: why it failed; empty otherwise.
    """

    id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))
    state: str = WAITING
    step: str = ""
    file: str = ""
    done: int = 0
    total: int = 0
    error: str = ""
    stopping: bool = False
    # When the first file was begun, and the last one was done; s of a clock.
    begun: float | None = None
    last: float | None = None

    def told(self) -> dict[str, Any]:
        """Returns what pages show."""
        names = ("id", "state", "step", "file", "done", "total")
        plain = {name: getattr(self, name) for name in names}
        return {**plain, "seconds_left": self._seconds_left(), "error": self.error or None}

    def _seconds_left(self) -> float | None:
        if self.state != RUNNING or self.begun is None or self.last is None or not self.done:
            return None
        each = (self.last - self.begun) / self.done
        since = time.monotonic() - self.last
        return round(max(each * (self.total - self.done) - since, 1.0), 1)

    def hear(self, line: bytes) -> bool:
        """Takes a line of progress; tells whether a file is done."""
        try:
            given = json.loads(line)
        except ValueError:
            return False
        if not isinstance(given, dict):
            return False
        before = self.done
        for name, kind in (
            ("step", str),
            ("file", str),
            ("error", str),
            ("done", int),
            ("total", int),
        ):
            if isinstance(given.get(name), kind):
                setattr(self, name, given[name])
        self.error = shown(self.error)
        if self.begun is None and self.file:
            self.begun = time.monotonic()
        if self.done > before:
            self.last = time.monotonic()
        return self.done > before


class Jobs:
    """The line of analyses."""

    def __init__(
        self,
        command: Sequence[str],
        log: pathlib.Path,
        changed: Callable[[], None],
        results: Callable[[], Awaitable[None]],
    ):
        """Takes how an analysis is run.

        Args:
          command: program and arguments; it prints JSON lines with step, file, done, total and
            error, and ends in order when its standard input is closed.
          log: file for what it prints on stderr.
          changed: is called at each change of a job.
          results: is awaited when a file is done, and at the end.
        """
        self._command, self._log = list(command), log
        self._changed, self._results = changed, results
        self._waiting: collections.deque[Job] = collections.deque()
        self._ended: collections.deque[Job] = collections.deque(maxlen=_KEPT)
        self._running: Job | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def latest(self) -> Job | None:
        """The job that runs, else the first that waits, else the last one."""
        ended = self._ended[-1] if self._ended else None
        return self._running or (self._waiting[0] if self._waiting else ended)

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._running is not None

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return len(self._waiting)

    def add(self) -> Job:
        """Puts a job into the line.

        Raises:
          HTTPException: the line is too long.
        """
        if len(self._waiting) >= _MOST_WAITING:
            raise HTTPException(429, f"{_MOST_WAITING} analyses wait already; accepted is to wait")
        self._waiting.append(job := Job())
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        self._changed()
        return job

    async def stop(self, name: str) -> Job:
        """Stops a job; results so far stay.

        Raises:
          HTTPException: there is none of this name that has not ended.
        """
        if self._running is not None and self._running.id == name:
            self._running.stopping, self._running.step = True, "stopping"
            self._close_input()
            self._changed()
            return self._running
        for job in self._waiting:
            if job.id == name:
                self._waiting.remove(job)
                self._end(job, STOPPED)
                return job
        raise HTTPException(404, "there is no such analysis that runs or waits")

    async def close(self) -> None:
        """Stops all jobs, and waits for the one that runs."""
        self._waiting.clear()
        if self._running is not None:
            await self.stop(self._running.id)
        if self._task is not None:
            await asyncio.wait([self._task])

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _end(self, job: Job, state: str) -> None:
        job.state = state
        self._ended.append(job)
        self._changed()

    async def _work(self) -> None:
        while self._waiting:
            job = self._running = self._waiting.popleft()
            job.state = RUNNING
            self._changed()
            try:
                state = await self._run(job)
            except Exception as error:
                state, job.error = FAILED, job.error or f"the analysis cannot be run ({error})"
                job.error = shown(job.error)
            self._running = self._process = None
            with contextlib.suppress(Exception):
                await self._results()
            self._end(job, state)

    async def _run(self, job: Job) -> str:
        """Runs a job to its end and returns its state."""
        with self._log.open("wb") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=running.environment(),
                limit=_LONGEST_LINE,
                start_new_session=True,
            )
        if job.stopping:
            self._close_input()
        killer = asyncio.create_task(self._kill_when_slow(job, process))
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                stopping = job.step if job.stopping else ""
                if job.hear(line):
                    await self._results()
                job.step = stopping or job.step
                self._changed()
            await process.wait()
        finally:
            killer.cancel()
            running.end(process)
            await process.wait()
        if job.stopping:
            return STOPPED
        if process.returncode and not job.error:
            job.error = "the analysis ended unexpectedly; the memory may not have sufficed"
        return FAILED if job.error else DONE

    async def _kill_when_slow(self, job: Job, process: asyncio.subprocess.Process) -> None:
        """Kills the process of a job that doesn't end though it is stopped."""
        while not job.stopping:
            await asyncio.sleep(0.2)
        await asyncio.sleep(_PATIENCE)
        running.end(process)
