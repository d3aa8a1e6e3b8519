"""The computer of the kiosk itself. Restarting it is dangerous: a visitor may be in the middle of something."""

from typing import Literal

from edgefn.tool import tool

When = Literal["现在", "今晚"]
SAYS: dict[When, str] = {"现在": "这台机器现在重启。", "今晚": "这台机器今天夜里三点重启。"}

# A real kiosk would ask its operating system; this one only remembers what it was told.
restarts: list[When] = []


@tool(destructive=True)
def restart_kiosk(when: When = "现在") -> str:
    """重启这台机器的电脑，游客没做完的操作都会丢失。

    Args:
        when: 现在重启，还是今晚闭馆以后重启。
    """
    restarts.append(when)
    return SAYS[when]
