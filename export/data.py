"""Rows for training, calibration and evaluation: dividing, removing leaks, writing.

Nothing here depends on the order of the rows in a file or on the hash seed of the process.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from edgefn.errors import DataError
from edgefn.rows import Row


def text_key(text: str) -> str:
    """Return the form in which two texts count as the same: casefolded, runs of spaces as one."""
    return " ".join(text.casefold().split())


def split(rows: Sequence[Row], share: float = 0.5, seed: int = 0) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Divide validation rows into those for early stopping and those, about `share` of all, for calibration.

    Every tool's rows are divided, those out of scope too; the same text is never on both sides.
    Raises DataError when `share` is not between 0 and 1.
    """
    return _divide(rows, share, seed, keep_one=False)


def hold_out(rows: Sequence[Row], share: float = 0.1, seed: int = 0) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Divide training rows into those to train on and about `share` of them held out.

    As `split`, but every tool keeps at least one text to train on.
    Raises DataError when `share` is not between 0 and 1.
    """
    return _divide(rows, share, seed, keep_one=True)


def _divide(rows: Sequence[Row], share: float, seed: int, *, keep_one: bool) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return the rows in two parts, in the order given; `keep_one` leaves no tool out of the first."""
    if not 0 <= share <= 1:
        raise DataError(f"a share of {share} cannot be divided off", hint="give a number between 0 and 1")
    taken: set[str] = set()
    for tool, texts in _texts_of_tools(rows).items():
        # Rounding up or down by chance keeps the share right over many tools with few rows.
        wanted = math.floor(share * len(texts) + _uniform(seed, "tool", tool))
        alone = len(texts) == 1 or share == 1
        most = len(texts) if alone and not keep_one else len(texts) - 1
        ordered = sorted(texts, key=lambda text: (_uniform(seed, "text", text), text))
        taken.update(ordered[: min(wanted, most)])
    first = tuple(row for row in rows if text_key(row.text) not in taken)
    return first, tuple(row for row in rows if text_key(row.text) in taken)


def _texts_of_tools(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Return the distinct texts of each tool, "" for none; a text of two tools goes to the first name."""
    tool_of: dict[str, str] = {}
    for row in rows:
        key, tool = text_key(row.text), row.tool or ""
        tool_of[key] = min(tool, tool_of.get(key, tool))
    texts: dict[str, list[str]] = {}
    for key, tool in tool_of.items():
        texts.setdefault(tool, []).append(key)
    return texts


def _uniform(seed: int, kind: str, text: str) -> float:
    """Return a number in [0, 1) that depends on nothing but what is passed."""
    hashed = hashlib.sha256(f"{seed}\0{kind}\0{text}".encode()).digest()
    # 53 bits, what a float holds exactly: more could round up to 1.
    return (int.from_bytes(hashed[:8], "big") >> 11) / 2**53


def drop_seen(rows: Iterable[Row], seen: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows whose text, casefolded and with spaces collapsed, does not stand in `seen`."""
    keys = {text_key(row.text) for row in seen}
    return tuple(row for row in rows if text_key(row.text) not in keys)


def write_rows(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows as JSONL, whole or not at all.

    Raises DataError when a row has no JSON form or the disk refuses.
    """
    try:
        lines = [json.dumps(row.to_json(), ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
        content = "".join(lines).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as exc:
        raise DataError(
            f"{path} was not written: a row has no JSON form ({exc})", hint="arguments hold JSON values only"
        ) from exc
    write_file(path, content)


def write_file(path: str | Path, content: bytes) -> None:
    """Put a file in place in one step, so that a reader sees all of it or none.

    Raises DataError when the disk is full or refuses; nothing half-written is left then.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except (OSError, ValueError) as exc:
        raise _unwritable(target, exc) from exc
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read.
        os.chmod(name, 0o644)
        os.replace(name, target)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _unwritable(path: Path, exc: Exception) -> DataError:
    """Return the error for a file that could not be written."""
    return DataError(f"{path} was not written: {exc}", hint="check the folder, its rights and the free space")


def digest(path: str | Path) -> str:
    """Return the sha256 of a file in hex; raises DataError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as exc:
        raise DataError(f"{path} cannot be read: {exc}", hint="check the path of the data file") from exc
