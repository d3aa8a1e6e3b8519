"""Readings of Chinese characters, and which are taken for each other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgefn.arguments.pinyin import likeness, syllable, syllables


@pytest.mark.parametrize(
    ("character", "reading"), [("厨", "chu"), ("灯", "deng"), ("燈", "deng"), ("绿", "lv"), ("a", "")]
)
def test_readings(character, reading):
    assert syllable(character) == reading


def test_a_text():
    assert syllables("客厅TV") == ("ke", "ting", "T", "V")
    assert syllables("") == ()


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("厅", "听", 1.0),
        ("山", "三", 0.5),  # sh, s
        ("兰", "南", 0.5),  # l, n
        ("金", "京", 0.5),  # n, ng
        ("湖", "福", 0.5),  # h, f
        ("窗", "船", 0.5),
        ("厨", "租", 0.0),
        ("厅", "灯", 0.0),
        ("x", "x", 0.0),
    ],
)
def test_likeness(first, second, alike):
    assert likeness(first, second) == likeness(second, first) == alike


def test_the_table_holds_the_common_characters():
    first_level = [bytes((row, cell)).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)]
    assert all(syllable(character).isalpha() and syllable(character).islower() for character in first_level)


def test_the_table_is_read_at_first_use_only():
    code = """
import sys
opened = []
sys.addaudithook(lambda event, details: opened.append(str(details[0])) if event == "open" else None)
from edgefn.arguments import names, pinyin
assert not any("pinyin.txt" in each for each in opened)
pinyin.syllable("灯")
assert any("pinyin.txt" in each for each in opened)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
