"""A coroutine that waits through BLOCKING is brought to its end without a loop; any other cannot be."""

from __future__ import annotations

import asyncio

import pytest

from edgefn.execution.waiting import BLOCKING, drive


def test_drive_returns_what_the_coroutine_returns():
    async def twice(number: int) -> int:
        return 2 * await BLOCKING.do(lambda: number)

    assert drive(twice(4)) == 8


def test_drive_raises_what_the_coroutine_raises():
    async def breaks() -> None:
        raise ValueError("no lamp")

    with pytest.raises(ValueError, match="no lamp"):
        drive(breaks())


def test_only_what_blocks_can_be_driven():
    with pytest.raises(RuntimeError, match="event loop"):
        drive(asyncio.sleep(0))
