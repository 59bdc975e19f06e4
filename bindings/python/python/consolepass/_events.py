"""Something that happened to a console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Event:
    """Something that happened to one console, for the portal's audit. It holds no secret."""

    what: Literal["taken", "connected", "ended", "lost", "other"]
    """A browser's pass was taken; the browser has the screen; the console ended, or never began; events were not fetched in
    time and are lost. More may be added."""
    at: datetime
    """When, in UTC."""
    reference: str | None
    """The console's public name, as its pass has it; None if no valid pass named one."""
    backend: str | None
    machine: str | None
    user: str | None
    """The portal's name for the person."""
    code: str | None
    """Why a console ended, as the browser was told."""
    message: str | None
    """The same in words that may name hosts and nodes: for the log, not for the browser."""
    lost: int
    """How many events were lost; 0 for every event but that one."""


# Named as it is imported.
Event.__module__ = "consolepass"
