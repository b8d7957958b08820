"""How long the end of a gateway may take."""

from typing import Final

DRAIN_SECONDS: Final = 30  # for requests in flight
END_SECONDS: Final = DRAIN_SECONDS + 15  # and for shadows, traces and metrics after them
