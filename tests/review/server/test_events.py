import asyncio

import pytest
from starlette.exceptions import HTTPException

from srd_jax.review.server import events
from srd_jax.review.server.events import Events


def test_all_pages_hear_of_changes_until_the_end(monkeypatch):
    monkeypatch.setattr(events, "_PAUSE", 0)

    async def main():
        told = Events()
        streams = [told.stream(), told.stream()]
        assert [await anext(one) for one in streams] == [b"event: state\ndata: {}\n\n"] * 2
        waiting = [asyncio.ensure_future(anext(one)) for one in streams]
        await asyncio.sleep(0.01)
        assert not any(one.done() for one in waiting)
        told.tell()
        assert await asyncio.gather(*waiting) == [b"event: state\ndata: {}\n\n"] * 2
        told.close()
        return [[part async for part in one] for one in streams], told._listening

    left, listening = asyncio.run(asyncio.wait_for(main(), 20))
    assert all(len(parts) <= 1 for parts in left)
    assert not listening


def test_signs_of_life_are_sent(monkeypatch):
    monkeypatch.setattr(events, "_ALIVE", 0.01)
    monkeypatch.setattr(events, "_PAUSE", 0)

    async def main():
        stream = Events().stream()
        await anext(stream)
        return await anext(stream)

    assert asyncio.run(asyncio.wait_for(main(), 20)) == b": alive\n\n"


def test_the_number_of_pages_is_limited():
    async def main():
        told = Events()
        streams = [told.stream() for _ in range(64)]
        for one in streams:
            await anext(one)
        with pytest.raises(HTTPException):
            told.stream()
        return streams

    asyncio.run(main())
