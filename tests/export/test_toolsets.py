"""The language of tool sets: every form, every mistake, and the sets that come with the package."""

import json

import pytest
from edgefn.export.toolsets import PACKAGED, digest_of, read_tool_set, read_tool_sets
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edgefn.errors import DataError
from edgefn.rows import Row

SET = """
tools:
- name: convert
  description: >
    Convert an amount
    of money.
  parameters:
    amount: number! How   much.
    to: array[EUR|GBP]! Into what.
    places: array[string]? Where.
    rounding: none|to the cent? How.
    gift: boolean?
    day: date?
    whole: object?
  says:
  - How much is {amount:250} pounds?
"""


@pytest.fixture
def reads(tmp_path):
    """Reads the text of a file."""

    def read(text):
        path = tmp_path / "money.yaml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return read_tool_set(path)

    return read


@pytest.fixture
def row_of(reads):
    """Reads one marked sentence of `convert`."""

    kinds = "amount: number!, to: 'array[EUR|GBP]!', rounding: none|cent?, gift: boolean?, note: string?"

    def read(marked):
        said = json.dumps(marked, ensure_ascii=False)
        return reads(f"tools:\n- name: convert\n  parameters: {{{kinds}}}\n  says: [{said}]").rows[0]

    return read


# Every form


def test_a_tool_is_its_name_its_description_and_its_parameters(reads):
    made = reads(SET.replace("none|to the cent", "none|cent"))
    assert made.name == "money" and len(made.tools) == 1
    tool = made.tools[0]
    assert (tool.name, tool.description) == ("convert", "Convert an amount of money.")
    assert tool.schema["properties"] == {
        "amount": {"type": "number", "description": "How much."},
        "to": {"type": "array", "items": {"type": "string", "enum": ["EUR", "GBP"]}, "description": "Into what."},
        "places": {"type": "array", "items": {"type": "string"}, "description": "Where."},
        "rounding": {"type": "string", "enum": ["none", "cent"], "description": "How."},
        "gift": {"type": "boolean", "description": ""},
        "day": {"type": "string", "format": "date", "description": ""},
        "whole": {"type": "object", "description": ""},
    }
    assert tool.schema["required"] == ["amount", "to"] and tool.schema["additionalProperties"] is False


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "object"])
def test_plain_types(reads, kind):
    tool = reads(f"tools: [{{name: a, parameters: {{b: {kind}? It.}}}}]").tools[0]
    assert tool.schema["properties"]["b"]["type"] == kind and not tool.schema["required"]


@pytest.mark.parametrize("kind", ["date", "time", "date-time", "duration"])
def test_formats(reads, kind):
    tool = reads(f"tools: [{{name: a, parameters: {{b: {kind}! It.}}}}]").tools[0]
    assert tool.schema["properties"]["b"] == {"type": "string", "format": kind, "description": "It."}


def test_nothing_but_a_name_is_needed(reads):
    made = reads("tools: [{name: stop, description: , parameters: , says: }]\noutside:\nrows:\n")
    assert (made.tools[0].description, made.tools[0].parameters, made.rows) == ("", (), ())


@pytest.mark.parametrize(
    ("marked", "text", "arguments", "spans"),
    [
        ("stop it", "stop it", {}, ()),
        ("{amount:250}", "250", {"amount": "250"}, ((0, 3, "amount"),)),
        ("put {amount:two hundred=200} in", "put two hundred in", {"amount": "200"}, ((4, 15, "amount"),)),
        ("now {to:euros=eur}, {to:GBP}", "now euros, GBP", {"to": ["eur", "GBP"]}, ((4, 9, "to"), (11, 14, "to"))),
        ("{rounding:CENT}", "CENT", {"rounding": "cent"}, ((0, 4, "rounding"),)),
        ("a {gift:present=True}", "a present", {"gift": True}, ((2, 9, "gift"),)),
        ("all || rounding=none", "all", {"rounding": "none"}, ()),
        ("{amount:9} || gift=false ; to=EUR;to = GBP;", "9", {"amount": "9", "gift": False, "to": ["EUR", "GBP"]},
         ((0, 1, "amount"),)),
        ("say {note:a=b=c}", "say a", {"note": "b=c"}, ((4, 5, "note"),)),
        ("note {note:Größe 😀}!", "note Größe 😀!", {"note": "Größe 😀"}, ((5, 12, "note"),)),
        ("a|b || c=d", None, None, None),
    ],
)  # fmt: skip
def test_marked_sentences(row_of, marked, text, arguments, spans):
    if text is None:
        with pytest.raises(DataError, match="'c' is no parameter"):
            row_of(marked)
    else:
        assert row_of(marked) == Row(text, "convert", arguments, spans)


def test_what_no_tool_can_do_and_labelled_rows_stand_beside(reads, tmp_path):
    (tmp_path / "more").mkdir()
    rows = [Row("halt", "stop"), Row("why", None)]
    (tmp_path / "more" / "rows.jsonl").write_text("\n".join(json.dumps(row.to_json()) for row in rows))
    head = "tools: [{name: stop, says: [stop]}]\noutside: [who]\n"
    for beside in ("rows: more/rows.jsonl", "rows: [more/rows.jsonl]"):
        assert [(row.text, row.tool) for row in reads(head + beside).rows] == [
            ("stop", "stop"), ("who", None), ("halt", "stop"), ("why", None)
        ]  # fmt: skip


def test_labelled_rows_may_lie_in_a_folder_of_their_own(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.jsonl").write_text(json.dumps(Row("halt", "stop").to_json()))
    (tmp_path / "set.yaml").write_text("tools: [{name: stop}]\nrows: rows.jsonl")
    assert read_tool_sets([tmp_path], tmp_path / "data")[0].rows[0].text == "halt"
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        read_tool_sets([tmp_path])


def test_folders_and_files_are_read_once_and_in_order(tmp_path):
    for name in "ba":
        (tmp_path / f"{name}.yaml").write_text(f"tools: [{{name: {name}, says: [hey]}}]")
    (tmp_path / "notes.txt").write_text("nothing")
    sets = read_tool_sets([tmp_path, tmp_path / "a.yaml"])
    assert [each.name for each in sets] == ["a", "b"]
    assert digest_of(sets) == digest_of(read_tool_sets([tmp_path])) != digest_of(sets[:1])


# Every mistake


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no list of `tools`"),
        ("- a", "no list of `tools`"),
        ("tools:", "no list of `tools`"),
        ("tools: {name: a}", "no list of `tools`"),
        ("tools: [a]", "without a name: 'a'"),
        ("tools: [{description: it}]", "without a name"),
        ("tools: [{name: on}]", "without a name"),
        ("tools: [{name: 'two words'}]", "two words"),
        ("tools: [{name: a}, {name: a}]", "two tools are named 'a'"),
        ("tools: [{name: a, parameters: [b]}]", "a: `parameters` is no mapping"),
        ("tools: [{name: a, parameters: {on: date!}}]", "a: the parameter True has no name"),
        ("tools: [{name: a, parameters: {b: }}]", "a, b: None is not `type! description`"),
        ("tools: [{name: a, parameters: {b: number}}]", "a, b: 'number' is not `type! description`"),
        ("tools: [{name: a, parameters: {b: float!}}]", "a, b: there is no type 'float'"),
        ("tools: [{name: a, parameters: {b: x||y!}}]", "a, b: there is no type"),
        ("tools: [{name: a, parameters: {b: x|x!}}]", "a, b: there is no type"),
        ("tools: [{name: a, parameters: {b: 'array[array[date]]!'}}]", r"a, b: there is no type 'array\[date\]'"),
        ("tools: [{name: a, says: stop it}]", "`says` is no list of sentences"),
        ("tools: [{name: a, says: [No]}]", "`says`: False is no sentence"),
        ("tools: [{name: a, says: [12:30]}]", "`says`: .* is no sentence"),
        ("tools: [{name: a, says: ['  ']}]", "`says`: '  ' is no sentence"),
        ("tools: [{name: a}]\noutside: who", "`outside` is no list"),
        ("tools: [{name: a}]\noutside: [who: me]", "`outside`: .* is no sentence"),
        ("tools: [{name: a}]\nrows: [3]", "unsupported operand"),
        ("tools: [{name: a}]\nrows: none.jsonl", r"there is no file .*none\.jsonl"),
        ("tools: [", "cannot be read"),
        ("tools: " + "[" * 3000 + "]" * 3000, r"money\.yaml"),
        ("tools: &all [*all]", "without a name"),
    ],
)
def test_a_mistake_is_named_with_its_file(reads, text, wrong):
    with pytest.raises(DataError, match=wrong) as raised:
        reads(text)
    assert raised.value.hint and (".jsonl" in raised.value.message or "money.yaml" in raised.value.message)


@pytest.mark.parametrize(
    ("marked", "wrong"),
    [
        ("{size:9}", "'size' is no parameter"),
        ("all || size=9", "'size' is no parameter"),
        ("all || rounding", "rounding has no value after `=`"),
        ("{rounding:up}", "convert, rounding: 'up' is none of none, cent"),
        ("{gift:present=5}", "convert, gift: '5' is none of false, true"),
        ("{gift:present=yes}", "'yes' is none of"),
        ("{amount: 250}", "spaces beside"),
        ("{amount:=250}", "marks no words"),
        ("{amount}", "no sentence with"),
        ("{amount:250", "no sentence with"),
        ("250}", "no sentence with"),
        ("{amount:{gift:x=true}}", "no sentence with"),
        (" || rounding=none", "no sentence with"),
    ],
)
def test_a_mistake_in_a_sentence_is_named(row_of, marked, wrong):
    with pytest.raises(DataError, match=wrong) as raised:
        row_of(marked)
    assert "money.yaml" in raised.value.message and "convert" in raised.value.message


def test_rows_of_strange_tools_are_named(reads, tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps(Row("halt", "halt").to_json()))
    with pytest.raises(DataError, match=r"money\.yaml: rows name 'halt', which is none of its tools"):
        reads("tools: [{name: stop}]\nrows: rows.jsonl")


def test_no_files_are_a_mistake_too(tmp_path):
    with pytest.raises(DataError, match="no tool sets"):
        read_tool_sets([tmp_path])
    with pytest.raises(DataError, match=r"none\.yaml cannot be read"):
        read_tool_sets([tmp_path / "none.yaml"])
    (tmp_path / "bytes.yaml").write_bytes(b"tools: \xff")
    with pytest.raises(DataError, match=r"bytes\.yaml cannot be read"):
        read_tool_sets([tmp_path])


_MARKS = st.sampled_from(["{", "}", "{amount:", "{gift:", "=", "true", " || ", ";", "amount=", "\ud800", " "])
quietly = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quietly
@given(st.lists(_MARKS | st.text(max_size=5), max_size=8).map("".join))
@example("{amount:9}{gift:a=true} || amount=3")
def test_any_sentence_gives_a_row_or_a_data_error(row_of, marked):
    try:
        row = row_of(marked)
    except DataError as error:
        assert error.hint
        return
    for start, end, parameter in row.spans:
        assert row.text[start:end].strip() and parameter in row.arguments
    assert json.dumps(row.to_json(), ensure_ascii=False).encode() and "{" not in row.text


@quietly
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
            ["tools", "name", "parameters", "says", "outside", "rows", "description"]) | st.text(max_size=3),
            inner, max_size=4),
        max_leaves=8,
    )
)  # fmt: skip
def test_any_yaml_gives_a_set_or_a_data_error(reads, content):
    try:
        reads(json.dumps(content))
    except DataError as error:
        assert error.hint


# What comes with the package


@pytest.fixture(scope="module")
def packaged():
    return read_tool_sets([PACKAGED]), read_tool_sets([PACKAGED / "held_out"])


def test_every_packaged_span_is_said(packaged):
    for toolset in (*packaged[0], *packaged[1]):
        for row in toolset.rows:
            assert row.text.strip(), toolset.name
            for start, end, parameter in row.spans:
                words = row.text[start:end]
                assert words and words == words.strip() and parameter in row.arguments, (toolset.name, row.text)
            for name, value in row.arguments.items():
                spans = [row.text[start:end] for start, end, parameter in row.spans if parameter == name]
                assert not isinstance(value, list) or len(value) >= len(spans), (toolset.name, row.text)


def test_there_is_enough_to_learn_from(packaged):
    for toolset in (*packaged[0], *packaged[1]):
        said = {row.tool for row in toolset.rows}
        assert said >= {tool.name for tool in toolset.tools} and None in said, toolset.name
        assert all(tool.description for tool in toolset.tools), toolset.name


def test_training_never_sees_a_tool_that_is_held_out(packaged):
    trained, held_out = ({tool.name for each in sets for tool in each.tools} for sets in packaged)
    assert not trained & held_out
    texts, held_texts = ({row.text.casefold() for each in sets for row in each.rows} for sets in packaged)
    assert not texts & held_texts
