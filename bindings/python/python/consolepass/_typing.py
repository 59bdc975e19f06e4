"""Names of annotations that Python 3.10 does not have itself.

They are there at run time, for the frameworks that read annotations then, and the package needs nothing else for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack
elif sys.version_info >= (3, 11):
    from typing import Self, Unpack
else:
    Self = Any

    class Unpack:
        """Says nothing more than the options themselves do."""

        def __class_getitem__(cls, options):
            return options


__all__ = ["Self", "Unpack"]
