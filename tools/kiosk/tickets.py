"""Tickets for the museum: what they cost, and buying them."""

from decimal import Decimal
from typing import Annotated, Literal

from edgefn.arguments.marks import Synonyms
from edgefn.schema import Range
from edgefn.tool import tool

Visitor = Literal["adult", "child", "student", "senior", "family"]
# What visitors say for themselves beside the name of the ticket.
VISITORS = {
    "adult": ("adults", "grown up", "grown ups", "grown-up"),
    "child": ("children", "children's", "kid", "kids", "kid's", "baby", "babies", "toddler", "toddlers", "little ones"),
    "student": ("students", "university student", "university students"),
    "senior": ("seniors", "pensioner", "pensioners", "retired", "retired person", "retired people", "over 65s"),
    "family": ("families", "family of four", "whole family"),
}

PRICES: dict[str, Decimal] = {
    "adult": Decimal("12.00"),
    "child": Decimal("0.00"),
    "student": Decimal("7.00"),
    "senior": Decimal("9.00"),
    "family": Decimal("25.00"),
}
MAX_TICKETS = 20


@tool(read_only=True, idempotent=True)
def ticket_prices(visitor: Annotated[Visitor, Synonyms(VISITORS)] | None = None) -> str:
    """Tell the visitor what admission to the museum costs and who pays less.

    Args:
        visitor: who the ticket is for; without it, all prices.
    """
    if visitor is None:
        return ", ".join(f"{name} {_price(name)}" for name in PRICES).capitalize() + "."
    return f"{visitor.capitalize()} ticket: {_price(visitor)}."


@tool
def buy_ticket(
    count: Annotated[int, Range(ge=1, le=MAX_TICKETS)] = 1, visitor: Annotated[Visitor, Synonyms(VISITORS)] = "adult"
) -> str:
    """Sell admission tickets for the museum: show the total and ask for the card.

    Args:
        count: how many tickets the visitor wants.
        visitor: who the tickets are for.
    """
    total = PRICES[visitor] * count
    tickets = f"{count} {visitor} {'ticket' if count == 1 else 'tickets'}"
    if not total:
        return f"{tickets}: free. Your tickets are being printed."
    return f"{tickets}: {total} euros. Please hold your card to the reader."


def _price(visitor: str) -> str:
    price = PRICES[visitor]
    return f"{price} euros" if price else "free"
