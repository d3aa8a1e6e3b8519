"""How the kiosk itself shows and says things: language, text size, voice, and starting over."""

from dataclasses import dataclass
from typing import Annotated, Literal

from edgefn.arguments.marks import Among
from edgefn.tool import tool

# How the screen writes each language, then what else visitors call it.
LANGUAGES = {
    "English": ("English", "anglais", "inglés"),
    "German": ("Deutsch",),
    "French": ("Français",),
    "Spanish": ("Español", "Castellano"),
    "Italian": ("Italiano",),
    "Portuguese": ("Português",),
    "Dutch": ("Nederlands",),
    "Swedish": ("Svenska",),
    "Finnish": ("Suomi",),
    "Polish": ("Polski",),
    "Russian": ("Русский",),
    "Ukrainian": ("Українська",),
    "Greek": ("Ελληνικά",),
    "Turkish": ("Türkçe",),
    "Arabic": ("العربية",),
    "Hindi": ("हिन्दी",),
    "Chinese": ("中文", "Mandarin"),
    "Japanese": ("日本語",),
    "Korean": ("한국어",),
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
def change_language(language: Annotated[str, Among(LANGUAGES)] | None = None) -> str:
    """Show the kiosk in another language.

    Args:
        language: the language that the visitor wants; without it, the languages to choose from.
    """
    if language is None:
        return f"Choose a language: {', '.join(shown for shown, *_ in LANGUAGES.values())}."
    screen.language = language
    return f"Language: {LANGUAGES[language][0]}."


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
