"""Awaiting the native half: the core's threads know numbers, and this knows whom to wake."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any

from ._native import Operation, ended

# Seconds between two looks at an operation, where nobody is left to wake the loop.
_LOOK_AGAIN = 0.01
# The loop and the future of every operation that somebody awaits.
_awaited: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = {}
if hasattr(os, "register_at_fork"):
    # Whoever awaited in the parent is not here.
    os.register_at_fork(after_in_child=_awaited.clear)


async def done(operation: Operation) -> Any:
    """What an operation comes to. To cancel the task that awaits it is to give the operation up."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    _awaited[operation.number] = (loop, future)
    try:
        if not operation.start():
            if ended():
                # An exit handler awaits, later than the package's own.
                while not operation.is_done:
                    await asyncio.sleep(_LOOK_AGAIN)
            else:
                await future
        return operation.result()
    finally:
        # In a child that was forked off meanwhile it is not there.
        _awaited.pop(operation.number, None)
        operation.cancel()


def wake(numbers: Iterable[int]) -> None:
    """Called by a thread of the native half, for operations that are done."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for number in numbers:
        # Who gave up meanwhile is not there any more.
        if awaited := _awaited.get(number):
            by_loop.setdefault(awaited[0], []).append(awaited[1])
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, futures)
        except RuntimeError:
            # The loop was closed, with everything that it ran.
            pass


def _resolve(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
