"""Every word a person reads, by key. Codes are never words: they are shown as they are.

A text may have plural forms under `key.one` and `key.other`, chosen by the parameter `n`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

_FOLDER = Path(__file__).parent
LANGUAGES = ("en",)
PSEUDO = "en-XA"
"""A made-up language, longer and accented: what stays plain English on a screen was forgotten."""

_ACCENTS = str.maketrans("aeiouAEIOUcnsyCNS", "áéíóúÁÉÍÓÚçñšýÇÑŠ")


class MissingWordsError(KeyError):
    """A screen asked for a text that no catalogue has: a defect, found by the tests."""


class Words:
    """The texts of one language. Call it: `words("count.finish", n=3)`."""

    def __init__(self, texts: dict[str, str], change: Callable[[str], str] | None = None) -> None:
        self._texts = texts
        self._change = change

    def __call__(self, key: str, **params: object) -> str:
        """The sentence of that key with its parameters filled in."""
        text = self._find(key, params)
        try:
            return text.format(**params)
        except (KeyError, IndexError) as error:
            raise MissingWordsError(f"{key} needs {error}") from error

    def _find(self, key: str, params: dict[str, object]) -> str:
        if "n" in params and f"{key}.other" in self._texts:
            key = f"{key}.one" if str(params["n"]) == "1" else f"{key}.other"
        if key not in self._texts:
            raise MissingWordsError(key)
        text = self._texts[key]
        return self._change(text) if self._change else text

    def has(self, key: str) -> bool:
        """Whether there is a text of that key."""
        return key in self._texts or f"{key}.other" in self._texts


def load_texts(language: str = "en") -> dict[str, str]:
    """All texts of a language: the floor's file and the review's, which share no key."""
    texts: dict[str, str] = {}
    for path in sorted(_FOLDER.glob(f"{language}*.json")):
        texts |= json.loads(path.read_text(encoding="utf-8"))
    return texts


def load_words(language: str = "en") -> Words:
    """The texts of a language; the made-up one is for tests of screens."""
    texts = load_texts()
    if language == PSEUDO:
        return Words(texts, pseudo)
    return Words(texts)


def pseudo(text: str) -> str:
    """The text 40 % longer and accented, its parameters untouched."""
    parts, at = [], 0
    while at < len(text):
        end = text.find("}", at) + 1 if text[at] == "{" else at + 1
        piece = text[at : end or at + 1]
        parts.append(piece if piece.startswith("{") else piece.translate(_ACCENTS))
        at += len(piece)
    return f"[{''.join(parts)}{'·' * (len(text) * 4 // 10)}]"
