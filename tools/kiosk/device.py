"""The computer of the kiosk itself. Restarting it is dangerous: a visitor may be in the middle of something."""

from typing import Literal

from edgefn.tool import tool

When = Literal["now", "tonight"]
SAYS: dict[When, str] = {"now": "The kiosk restarts now.", "tonight": "The kiosk restarts tonight at three."}

# A real kiosk would ask its operating system; this one only remembers what it was told.
restarts: list[When] = []


@tool(destructive=True)
def restart_kiosk(when: When = "now") -> str:
    """Restart the computer of this kiosk; whatever a visitor has not finished is lost.

    Args:
        when: now, or tonight when the museum is closed.
    """
    restarts.append(when)
    return SAYS[when]
