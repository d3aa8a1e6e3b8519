"""How the kiosk itself shows and says things: language, text size, voice, and starting over."""

from dataclasses import dataclass
from typing import Literal

from edgefn.tool import tool

# What a visitor may call the language, in English or in the language itself, and how the screen writes it.
LANGUAGES = {
    "english": "English",
    "german": "Deutsch",
    "deutsch": "Deutsch",
    "french": "Français",
    "français": "Français",
    "francais": "Français",
    "spanish": "Español",
    "español": "Español",
    "espanol": "Español",
    "italian": "Italiano",
    "italiano": "Italiano",
    "dutch": "Nederlands",
    "polish": "Polski",
    "turkish": "Türkçe",
    "arabic": "العربية",
    "chinese": "中文",
    "mandarin": "中文",
    "japanese": "日本語",
}
SIZES = (80, 100, 130, 160, 200)
NORMAL_SIZE = 100


@dataclass
class Screen:
    """What a visitor can set; a new visitor starts with these values."""

    language: str = "English"
    text_size: int = NORMAL_SIZE
    reading: bool = False


screen = Screen()


@tool(idempotent=True)
def change_language(language: str | None = None) -> str:
    """Show the kiosk in another language.

    Args:
        language: the language that the visitor wants; without it, the languages to choose from.
    """
    choices = ", ".join(dict.fromkeys(LANGUAGES.values()))
    if language is None:
        return f"Choose a language: {choices}."
    known = LANGUAGES.get(language.casefold().strip())
    if known is None:
        return f"{language.capitalize()} is not available. Choose a language: {choices}."
    screen.language = known
    return f"Language: {known}."


@tool
def text_size(change: Literal["larger", "smaller", "normal"] = "larger") -> str:
    """Make the text on the screen larger or smaller so that the visitor can read it.

    Args:
        change: larger, smaller, or back to normal.
    """
    if change == "normal":
        screen.text_size = NORMAL_SIZE
    else:
        step = 1 if change == "larger" else -1
        index = SIZES.index(screen.text_size) + step
        screen.text_size = SIZES[min(max(index, 0), len(SIZES) - 1)]
    return f"Text size: {screen.text_size} %."


@tool(idempotent=True)
def read_aloud(on: bool = True, speed: Literal["slow", "normal", "fast"] = "normal") -> str:
    """Read what is on the screen to the visitor with a voice, or stop reading.

    Args:
        on: whether to read; false stops the voice.
        speed: how fast the voice speaks.
    """
    screen.reading = on
    if not on:
        return "The voice is off."
    return "Reading this page aloud." if speed == "normal" else f"Reading this page aloud, {speed}."


@tool(idempotent=True)
def start_over() -> str:
    """Go back to the first page and forget the settings of this visitor."""
    screen.language, screen.text_size, screen.reading = "English", NORMAL_SIZE, False
    return "Welcome to the Harbour Museum. How can I help you?"
