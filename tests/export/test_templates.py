"""Rows from sentence templates; hassil's own recogniser is the judge of every one of them."""

import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from edgefn.export.sentences import expand
from edgefn.export.templates import find_templates, load_templates
from hassil.intents import Intents
from hassil.recognize import recognize_all
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn.errors import DataError

CORPUS = """
language: en
intents:
  set_timer:
    data:
      - sentences:
          - "(set|start) [a|an] <timer> for {minutes} minute[s] [called {label}]"
          - "{minutes:duration} minute timer[;please]"
        slots: {repeat: false}
      - sentences: ["<timer> <timer>"]
        expansion_rules: {timer: "(tick|tock)[ing]"}
  turn_on:
    data:
      - sentences:
          - "[please] turn on [all] [the] {lamp} [in [the] {room}]"
          - "(turn on;[the] {lamp};in {room})"
          - "light {0..100,25:level} percent"
        slots: {"on": true, kind: [lamp, light]}
      - sentences: ["heat <room> to {warmth}", "\\\\(now\\\\) {shade:@unsaid} in {room}"]
        lists: {shade: {values: [red, green]}}
  add_item:
    data: [{sentences: ["add {item} to the list", "add {item} and {item}", "  put   {item}  \\n on it "]}]
lists:
  minutes: {range: {from: 1, to: 90, step: 5}}
  label: {wildcard: true}
  item: {values: [milk, {in: "[green] apple[s]", out: apples}, {in: "<sour> cherries"}, "(oat|rye) bread"]}
  lamp: {values: [{in: "(ceiling|top) light[s]", out: ceiling}, {in: "lamp", out: 3}]}
  room: {values: [kitchen, "living room"]}
  warmth: {range: {from: -2, to: 2, fractions: halves, multiplier: 10}}
wildcard_examples: {label: [pasta, my  laundry]}
expansion_rules: {timer: "[kitchen ]timer", room: "the {room}", sour: "[very] sour"}
"""


def put(folder, content, name="sentences.yaml"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def one(sentence, **rest):
    """A file with one sentence of one tool."""
    return {"language": "en", "intents": {"act": {"data": [{"sentences": [sentence]}]}}, **rest}


def load(tmp_path, content):
    return load_templates([put(tmp_path, content)])


def recognised(row, intents):
    """True when one of hassil's readings is this call, with the same words in the same slots."""
    wanted = {name: value if isinstance(value, list) else [value] for name, value in row.arguments.items()}
    said = sorted((name, row.text[start:end]) for start, end, name in row.spans)
    for result in recognize_all(row.text, intents):
        found, words = {}, []
        for entity in result.entities_list:
            found.setdefault(entity.name, []).append(entity.value)
            if entity.text:
                words.append((entity.name, entity.text.strip()))
        found = {name: each[0] if isinstance(each[0], list) else each for name, each in found.items()}
        if (result.intent.name, found, sorted(words)) == (row.tool, wanted, said):
            return True
    return False


def test_hassil_reads_every_row_as_the_same_call(tmp_path):
    rows = expand(load(tmp_path, CORPUS), per_tool=150, seed=1)
    intents = Intents.from_dict(yaml.safe_load(CORPUS))
    assert [row for row in rows if not recognised(row, intents)] == []
    assert {row.tool for row in rows} == {"set_timer", "turn_on", "add_item"}
    assert {row.lang for row in rows} == {"en"}


def test_rows_are_distinct_tidy_and_their_spans_are_plain_numbers(tmp_path):
    rows = expand(load(tmp_path, CORPUS), per_tool=150, seed=1)
    assert len({row.text for row in rows}) == len(rows)
    for row in rows:
        assert row.text == " ".join(row.text.split())
        for start, end, _ in row.spans:
            assert type(start) is type(end) is int
            assert row.text[start:end] == row.text[start:end].strip() != ""


def test_spans_are_the_words_said_and_arguments_what_they_mean(tmp_path):
    rows = {row.text: row for row in expand(load(tmp_path, CORPUS), per_tool=1000, seed=1)}
    row = rows["please turn on the top light in the living room"]
    assert [(row.text[a:b], name) for a, b, name in row.spans] == [
        ("top light", "lamp"),
        ("living room", "room"),
    ]
    assert row.arguments == {"on": True, "kind": ["lamp", "light"], "lamp": "ceiling", "room": "living room"}
    assert rows["add milk and very sour cherries"].arguments == {"item": ["milk", "very sour cherries"]}
    assert rows["light 75 percent"].arguments["level"] == 75
    assert rows["heat the kitchen to -1.5"].arguments == {"room": "kitchen", "warmth": -15.0}
    assert rows["(now) green in kitchen"].arguments == {"room": "kitchen"}
    assert rows["tick tocking"].arguments == {}
    row = rows["set a timer for 6 minutes called my laundry"]
    assert row.arguments == {"repeat": False, "minutes": 6, "label": "my laundry"}
    assert type(row.arguments["minutes"]) is int
    assert rows["put green apples on it"].spans == ((4, 16, "item"),)


def test_small_templates_are_said_out_whole(tmp_path):
    rows = expand(load(tmp_path, one("(a|b|c) [d] (e;f) [g|a]")), per_tool=10_000, seed=0)
    assert len(rows) == 3 * 2 * 2 * 3


def test_the_same_seed_gives_the_same_rows_in_every_process(tmp_path):
    path = put(tmp_path, CORPUS)
    code = (
        "import sys; from edgefn.export.sentences import expand; from edgefn.export.templates import load_templates\n"
        "print(expand(load_templates([sys.argv[1]]), 20, int(sys.argv[2])))"
    )

    def said(seed, hashing):
        command = [sys.executable, "-c", code, str(path), seed]
        env = {**os.environ, "PYTHONHASHSEED": hashing, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout

    assert said("4", "1") == said("4", "2") != said("5", "1")


def test_templates_take_turns_whatever_they_could_say(tmp_path):
    content = one("huge {0..1000000000:n}")
    content["intents"]["act"]["data"][0]["sentences"] += ["tiny (a|b)", "middle {0..99:n}"]
    rows = expand(load(tmp_path, content), per_tool=42, seed=0)
    assert Counter(row.text.split()[0] for row in rows) == {"huge": 20, "tiny": 2, "middle": 20}


def test_optional_words_are_left_out_half_of_the_time(tmp_path):
    rows = expand(load(tmp_path, one("go {0..999999:n} [to {0..999999:m}]")), per_tool=400, seed=0)
    assert 150 < sum("to" in row.text for row in rows) < 250


def test_a_smaller_amount_does_not_favour_the_first_sentences(tmp_path):
    content = one("s0 x")
    content["intents"]["act"]["data"][0]["sentences"] = [f"s{i} x" for i in range(50)]
    rows = expand(load(tmp_path, content), per_tool=10, seed=0)
    assert len(rows) == 10 and max(int(row.text.split()[0][1:]) for row in rows) > 20


def test_another_tool_changes_no_rows_and_a_shared_text_is_given_once(tmp_path):
    content = one("do (a|b|c|d|e|f|g|h) (1|2|3|4|5|6)")
    alone = expand(load(tmp_path, content), per_tool=10, seed=3)
    content["intents"]["other"] = {"data": [{"sentences": ["else", alone[0].text]}]}
    rows = expand(load(tmp_path, content), per_tool=10, seed=3)
    assert [row for row in rows if row.tool == "act"] == alone
    assert [row.text for row in rows if row.tool == "other"] == ["else"]


def test_files_of_one_language_share_lists_and_languages_do_not_mix(tmp_path):
    put(tmp_path, {"language": "en", "lists": {"x": {"values": ["one"]}}}, "common.yaml")
    put(tmp_path, one("say {x}"), "a.yml")
    put(tmp_path, {**one("说 {x}"), "language": "zh", "lists": {"x": {"values": ["一"]}}}, "zh.yaml")
    paths = find_templates([tmp_path / "tools.py", tmp_path / "more.py"])
    assert [path.name for path in paths] == ["a.yml", "common.yaml", "zh.yaml"]
    templates = load_templates(paths)
    assert templates.tools == ("act",)
    assert {(row.text, row.lang) for row in expand(templates, 5, 0)} == {("say one", "en"), ("说 一", "zh")}


def test_white_space_between_chinese_characters_goes_where_it_means_nothing(tmp_path):
    content = one("打开 [的] {x} 吧 now {x}", lists={"x": {"values": ["灯"]}}, settings={"ignore_whitespace": True})
    rows = expand(load(tmp_path, content), 5, 0)
    assert {row.text for row in rows} == {"打开灯吧 now 灯", "打开的灯吧 now 灯"}
    assert {row.text[a:b] for row in rows for a, b, _ in row.spans} == {"灯"}


def test_values_that_do_not_fit_the_context_are_not_said(tmp_path):
    values = [{"in": name, "out": name, "context": {"domain": name}} for name in ("light", "fan")]
    content = one("dim [the] {x}", lists={"x": {"values": values}})
    content["intents"]["act"]["data"][0]["requires_context"] = {"domain": "light"}
    content["intents"]["act"]["data"].append(
        {"sentences": ["spin {x}", "go [{x}]"], "excludes_context": {"domain": ["light", "fan"]}}
    )
    rows = expand(load(tmp_path, content), 20, 0)
    assert {row.text for row in rows} == {"dim light", "dim the light", "go"}


def test_a_slot_without_words_is_not_a_row(tmp_path):
    rows = expand(load(tmp_path, one("go {x} [now]", lists={"x": {"values": [{"in": "[up]", "out": 1}]}})), 20, 0)
    assert {row.text for row in rows} == {"go up", "go up now"}


def test_other_yaml_files_are_passed_over_with_a_warning(tmp_path, caplog):
    put(tmp_path, {"services": {"web": 1}}, "compose.yaml")
    put(tmp_path, "", "empty.yaml")
    with caplog.at_level(logging.WARNING):
        assert load_templates(find_templates([tmp_path / "x.py"])).items == ()
    assert "compose.yaml" in caplog.text and "empty.yaml" in caplog.text
    assert expand(load_templates([]), 5, 0) == []


BAD_SENTENCES = {
    "open group": ("go (a|b", {}, "group"),
    "closed too often": ("go a)", {}, "sentence"),
    "stray end": ("go a]", {}, "sentence"),
    "empty name": ("go {}", {}, "sentence"),
    "empty sentence": ("", {}, "sentence"),
    "not a string": (5, {}, "sentence"),
    "yes without quotes": (True, {}, "sentence"),
    "unknown rule": ("go <the>", {"expansion_rules": {"then": "x"}}, "<the> is not defined"),
    "unknown list": ("go {x}", {}, "{x} is not defined"),
    "unknown list in a rule": ("go <r>", {"expansion_rules": {"r": "[{x}]"}}, "{x} is not defined"),
    "unknown rule in a value": ("go {x}", {"lists": {"x": {"values": ["a <r>"]}}}, "<r> is not defined"),
    "rule in itself": ("go <r>", {"expansion_rules": {"r": "a [<r>]"}}, "<r> needs itself"),
    "rules in each other": ("<r>", {"expansion_rules": {"r": "<s>", "s": "[<r>]"}}, "<r> in <s> in <r>"),
    "list in itself": ("{x}", {"lists": {"x": {"values": ["a [{x}]"]}}}, "{x} needs itself"),
    "wildcard": ("go {x}", {"lists": {"x": {"wildcard": True}}}, "{x} takes any words and has no examples"),
    "words only": (
        "{x}",
        {"lists": {"x": {"range": {"from": 1, "to": 2, "digits": False}}}},
        "no number in digits",
    ),
    "backward inline range": ("{9..1:x}", {}, "{9..1}"),
}


@pytest.mark.parametrize(("sentence", "rest", "says"), BAD_SENTENCES.values(), ids=BAD_SENTENCES)
def test_a_bad_sentence_is_named_with_file_and_tool(tmp_path, sentence, rest, says):
    with pytest.raises(DataError) as raised:
        load(tmp_path, one(sentence, **rest))
    for part in ("sentences.yaml", "act", repr(sentence), says):
        assert part in raised.value.message
    assert raised.value.hint


BAD_FILES = {
    "bad YAML": ("intents: [", "cannot be read as YAML"),
    "not UTF-8": ("language: \x00", "cannot be read as YAML"),
    "a date": ("intents: {}\nx: 2024-01-01", "cannot be read as YAML"),
    "a key on without quotes": ("intents: {act: {data: [{slots: {on: 1}}]}}", "the key True is not text"),
    "an anchor in itself": ("intents: &a {b: *a}", "cannot be read as YAML"),
    "half a surrogate pair": ('intents: {}\nx: "\\ud800"', "cannot be read as YAML"),
    "no language": ("intents: {}", "names no language"),
    "language no": ("language: no\nintents: {}", "names no language"),
    "intents is a list": ("language: en\nintents: []", "intents is not a mapping"),
    "intent is a list": ("language: en\nintents: {act: []}", "tool act: intent is not a mapping"),
    "data is a mapping": ("language: en\nintents: {act: {data: {sentences: []}}}", "data is not a list"),
    "block is a string": ("language: en\nintents: {act: {data: [x]}}", "block is not a mapping"),
    "sentences is a string": (
        "language: en\nintents: {act: {data: [{sentences: x}]}}",
        "sentences is not a list",
    ),
    "list is empty": ({**one("{x}"), "lists": {"x": {}}}, "list {x}"),
    "list is a string": ({**one("{x}"), "lists": {"x": "y"}}, "list {x}"),
    "value is yes": ({**one("{x}"), "lists": {"x": {"values": [True]}}}, "list {x}"),
    "value without in": ({**one("{x}"), "lists": {"x": {"values": [{"out": 1}]}}}, "list {x}"),
    "backward range": ({**one("{x}"), "lists": {"x": {"range": {"from": 2, "to": 1}}}}, "{x}"),
    "range without end": ({**one("{x}"), "lists": {"x": {"range": {"from": 2}}}}, "list {x}"),
    "example is a number": (
        {**one("{x}"), "lists": {"x": {"wildcard": True}}, "wildcard_examples": {"x": [1]}},
        "list {x}",
    ),
    "rule is a list": ({**one("<r>"), "expansion_rules": {"r": ["a"]}}, "rule <r>"),
    "rule is open": ({**one("<r>"), "expansion_rules": {"r": "(a"}}, "rule <r>"),
}


@pytest.mark.parametrize(("content", "says"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_error_that_names_it(tmp_path, content, says):
    with pytest.raises(DataError) as raised:
        load(tmp_path, content)
    assert "sentences.yaml" in raised.value.message and says in raised.value.message
    assert raised.value.hint


def test_two_meanings_of_one_name_are_an_error_that_names_both_files(tmp_path):
    put(tmp_path, {"language": "en", "expansion_rules": {"r": "a"}}, "a.yaml")
    put(tmp_path, {"language": "en", "expansion_rules": {"r": "b"}}, "b.yaml")
    with pytest.raises(DataError, match=r"r is defined in .*a\.yaml and differently in .*b\.yaml"):
        load_templates(find_templates([tmp_path / "x.py"]))


def test_a_file_that_is_not_there_is_one_error():
    with pytest.raises(DataError):
        load_templates([Path("no/such.yaml")])


WORDS = ["alpha", "bravo", "delta", "echo", "golf", "hotel", "india", "kilo"]
SMALL_LISTS = {
    "n": {"range": {"from": 3, "to": 30, "step": 3}},
    "color": {"values": ["red", {"in": "[very] dark blue", "out": "blue"}, {"in": "off (white|grey)", "out": 7}]},
    "room": {"values": ["kitchen", {"in": "<big> hall", "out": "hall"}]},
}
SMALL_RULES = {"big": "(big|great)", "paint": "paint[ing] {color}"}
leaf = st.sampled_from([*WORDS, "{n}", "{color}", "{color:shade}", "{room}", "<big>", "<paint>", "{1..9:digit}"])


def joined(items):
    parts = st.lists(items, min_size=1, max_size=3)
    return st.one_of(
        parts.map(" ".join),
        parts.map(lambda each: f"({'|'.join(each)})"),
        parts.map(lambda each: f"[{'|'.join(each)}]"),
        st.lists(items, min_size=2, max_size=3).map(lambda each: f"({';'.join(each)})"),
    )


@settings(max_examples=60, deadline=None)
@given(st.recursive(leaf, joined, max_leaves=6), st.integers(0, 9))
def test_hassil_recognises_what_random_templates_say(tmp_path_factory, sentence, seed):
    content = one(f"go {sentence} stop", lists=SMALL_LISTS, expansion_rules=SMALL_RULES)
    path = put(tmp_path_factory.getbasetemp(), content, "random.yaml")
    intents = Intents.from_dict(content)
    rows = expand(load_templates([path]), per_tool=8, seed=seed)
    assert rows
    assert [row.text for row in rows if not recognised(row, intents)] == []
