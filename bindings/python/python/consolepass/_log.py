"""The library's log lines, in the logger `consolepass`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

logger = logging.getLogger("consolepass")


def level() -> int:
    """From which level on somebody wants lines."""
    return max(logger.getEffectiveLevel(), logger.manager.disable + 1)


def handle(number: int, target: str, text: str, message: str, fields: Sequence[tuple[str, str]]) -> None:
    """One line. Its parts are attributes of the record as well, for handlers that keep structure."""
    if logger.isEnabledFor(number):
        extra = {"target": target, "event": message, "fields": dict(fields)}
        logger.handle(logger.makeRecord(logger.name, number, target, 0, text, (), None, target, extra))


def lost(count: int) -> None:
    logger.warning("%d log lines were lost: a handler takes longer than they came", count)
