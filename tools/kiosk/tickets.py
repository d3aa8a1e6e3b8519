"""Tickets for the museum: what they cost, and buying them."""

from decimal import Decimal
from typing import Literal

from edgefn.tool import tool

Visitor = Literal["adult", "child", "student", "senior", "family"]

PRICES: dict[str, Decimal] = {
    "adult": Decimal("12.00"),
    "child": Decimal("0.00"),
    "student": Decimal("7.00"),
    "senior": Decimal("9.00"),
    "family": Decimal("25.00"),
}
MAX_TICKETS = 20


@tool(read_only=True, idempotent=True)
def ticket_prices(visitor: Visitor | None = None) -> str:
    """Tell the visitor what admission to the museum costs and who pays less.

    Args:
        visitor: who the ticket is for; without it, all prices.
    """
    if visitor is None:
        return ", ".join(f"{name} {_price(name)}" for name in PRICES).capitalize() + "."
    return f"{visitor.capitalize()} ticket: {_price(visitor)}."


@tool
def buy_ticket(count: int = 1, visitor: Visitor = "adult") -> str:
    """Sell admission tickets for the museum: show the total and ask for the card.

    Args:
        count: how many tickets the visitor wants.
        visitor: who the tickets are for.
    """
    if not 1 <= count <= MAX_TICKETS:
        return f"I can sell 1 to {MAX_TICKETS} tickets at a time. The ticket desk sells more."
    total = PRICES[visitor] * count
    tickets = f"{count} {visitor} {'ticket' if count == 1 else 'tickets'}"
    if not total:
        return f"{tickets}: free. Your tickets are being printed."
    return f"{tickets}: {total} euros. Please hold your card to the reader."


def _price(visitor: str) -> str:
    price = PRICES[visitor]
    return f"{price} euros" if price else "free"
