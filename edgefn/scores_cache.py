"""The scores of utterances that were read a moment ago.

Kept by token ids: two utterances that the tokenizer makes the same, whatever their case and spaces, have the same
scores on one bundle, always. What may change from one call to the next is worked out anew each time: which tools are
there, the names on live lists, thresholds and corrections, what "tomorrow" is, and where in the text a word stands. So
nothing that is kept can be stale, and nothing has to be dropped when tools or names change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TypeAlias

from edgefn.encoder import Scores

Key: TypeAlias = tuple[tuple[int, ...], bool]


class ScoresCache:
    """A bounded cache of scores; those used longest ago go first."""

    def __init__(self, most: int) -> None:
        """Keep the scores of at most so many utterances."""
        self._most = most
        self._kept: OrderedDict[Key, Scores] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Scores | None:
        """Return the scores of an utterance, if they are kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Key, scores: Scores) -> None:
        """Keep the scores of an utterance; nobody may change their arrays."""
        with self._lock:
            self._kept[key] = scores
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """Count the utterances."""
        return len(self._kept)
