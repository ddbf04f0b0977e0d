"""Tells pages that something has changed, by server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException

_MOST = 64
_ALIVE = 15.0  # s between signs of life, by which a lost connection shows
_PAUSE = 0.1  # s in which changes are told together
_CHANGED = b"event: state\ndata: {}\n\n"


class Events:
    """The pages that listen."""

    def __init__(self):
        """Begins with none."""
        self._listening: set[asyncio.Event] = set()
        self._closed = False

    def tell(self) -> None:
        """Tells all pages that the state has changed."""
        for one in self._listening:
            one.set()

    def close(self) -> None:
        """Ends all streams."""
        self._closed = True
        self.tell()

    def stream(self) -> AsyncIterator[bytes]:
        """Returns the events for one page; the first one at once.

        Raises:
          HTTPException: too many pages listen.
        """
        if len(self._listening) >= _MOST:
            raise HTTPException(503, f"too many pages are open; accepted are {_MOST}")
        return self._events()

    async def _events(self) -> AsyncIterator[bytes]:
        changed = asyncio.Event()
        changed.set()
        # Here, as a stream that its page has left before it began never comes to its end.
        self._listening.add(changed)
        try:
            while not self._closed:
                try:
                    await asyncio.wait_for(changed.wait(), _ALIVE)
                except TimeoutError:
                    yield b": alive\n\n"
                    continue
                changed.clear()
                yield _CHANGED
                await asyncio.sleep(_PAUSE)
        finally:
            self._listening.discard(changed)
