"""Documents of any form, files, registries, and what nobody meant to be tools."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn.cli import main
from edgefn.errors import DuplicateTool, MissingExtra, ToolDefinitionError, ToolsNotFound
from edgefn.importing import Imported, read_tools
from edgefn.registry import Registry

GOOD = {"name": "good", "description": "Does good.", "parameters": {"properties": {"x": {"type": "integer"}}}}
BROKEN = {"name": "broken", "parameters": {"not": {}}}
API = """
openapi: 3.1.0
paths:
  /lamps:
    get:
      operationId: lamps
      summary: List the lamps.
      parameters:
        - {name: state, in: query, schema: &state {enum: [on, off], example: 2026-03-31}}
      responses:
        200: {description: fine}
    post:
      operationId: add
      requestBody:
        content:
          application/json:
            schema:
              properties:
                state: {<<: *state, enum: [on, off, "true"]}
                level: {type: number, minimum: 1e1, maximum: 0x10}
"""


def written(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def refusal(document, kind=ToolDefinitionError) -> str:
    with pytest.raises(ToolDefinitionError) as caught:
        read_tools(document)
    assert type(caught.value) is kind
    assert caught.value.hint
    return caught.value.message


def test_broken_tools_are_left_out_and_listed():
    found = read_tools({"tools": [GOOD, BROKEN, GOOD]}, strict=False)
    assert isinstance(found, Imported)
    assert [each.name for each in found.tools] == ["good"]
    assert [each.message for each in found.problems] == [
        "/tools/1/parameters/not: the keyword 'not' is not supported",
        "/tools/2: two tools are named 'good', the other is /tools/0",
    ]
    assert isinstance(found.problems[1], DuplicateTool)
    assert refusal({"tools": [GOOD, BROKEN, 5]}).startswith("/tools/1/parameters/not")


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"name": 1, "properties": {}}, None, 5, True, {"tools": 5}, [5]])
def test_what_has_no_known_form(document):
    refusal(document)


@pytest.mark.parametrize("document", [{}, {"a": 1}, None, 5, True, {"tools": 5}, {"openapi": "1"}, {"x": {1}}])
def test_a_document_without_a_form_is_an_error_however_it_is_read(document):
    with pytest.raises(ToolDefinitionError):
        read_tools(document, strict=False)


def test_nothing_is_no_tools():
    assert read_tools([]) == read_tools({"tools": []}) == read_tools({"openapi": "3.1.0"}) == Imported(())


# ---- files ----


def test_a_json_file(tmp_path):
    path = written(tmp_path, "tools.json", "\ufeff" + json.dumps({"tools": [GOOD]}))
    for given_as in (path, str(path)):
        (tool,) = read_tools(given_as).tools
        assert (tool.name, tool.source) == ("good", str(path))


def test_a_yaml_file_is_read_as_1_2(tmp_path):
    pytest.importorskip("yaml")
    for name in ("api.yaml", "api.yml"):
        lamps, add = read_tools(written(tmp_path, name, API.replace("0x10", "16"))).tools
        assert lamps.schema["properties"]["state"] == {"enum": ["on", "off"], "examples": ["2026-03-31"]}
        assert add.schema["properties"]["state"]["enum"] == ["on", "off", "true"]
        assert add.schema["properties"]["level"] == {"type": "number", "minimum": 10.0, "maximum": 16}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "", "is empty"),
        ("a.json", "{", "is not JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"a": 1, "a": 2}', "'a' stands twice"),
        ("a.json", "[NaN]", "NaN"),
        ("a.json", "5", "the document: an object is expected"),
        ("a.json", [BROKEN], "/0/parameters/not: "),
        ("a.yaml", API, "maximum: a number is expected"),
        ("a.yaml", "a: [", "is not YAML"),
        ("a.yaml", "[" * 5_000, "nested too deeply"),
        ("a.yaml", "a: 1\na: 2", "'a' stands twice"),
        ("a.yaml", "", "is not known"),
        ("a.yaml", "&a [*a]", "nested more than"),
        ("a.yaml", "&a {x: *a}", "YAML"),
        ("a.yaml", "{[1]: 2}", "is not YAML"),
        ("a.yaml", "? !!set {a}\n: 1", "YAML"),
        ("a.yaml", "a: !!python/object:os.system {}", "is not YAML"),
        ("a.yaml", "a: !!binary aGk=", "no place in JSON"),
        ("a.yaml", "a: " + "1" * 5_000, "digits"),
        ("a.yaml", "a: !!int word", "word"),
        ("a.yaml", "a: 1\n--- 2", "is not YAML"),
        (
            "a.yaml",
            "x0: &x0 [1]\n" + "".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 9)),
            "more than 2,000,000 values",
        ),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, name, content, said):
    if name == "a.yaml":
        pytest.importorskip("yaml")
    path = written(tmp_path, name, content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert said in message


def test_a_file_that_is_not_there(tmp_path):
    assert "none.json" in refusal(tmp_path / "none.json", ToolsNotFound)
    refusal(str(tmp_path), ToolsNotFound)
    refusal(written(tmp_path, "a.txt", "[]"), ToolsNotFound)
    refusal('{"tools": []}', ToolsNotFound)
    refusal("a\0.json", ToolsNotFound)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refusal(tmp_path / "bytes.json")


def test_yaml_needs_pyyaml(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra) as caught:
        read_tools(written(tmp_path, "a.yaml", "[]"))
    assert "pip install" in caught.value.hint
    assert read_tools(written(tmp_path, "a.json", "[]")) == Imported(())


# ---- registries and the command line ----


def test_a_registry_from_a_file(tmp_path):
    registry = Registry.load(written(tmp_path, "tools.json", [GOOD, BROKEN]))
    assert registry.names == ("good",)
    assert registry["good"].function is None
    (broken,) = registry.broken
    assert "/1/parameters/not: the keyword 'not' is not supported (" in broken.error


def test_a_registry_from_a_file_without_tools(tmp_path):
    with pytest.raises(ToolsNotFound):
        Registry.load(written(tmp_path, "none.json", []))
    with pytest.raises(ToolsNotFound) as caught:
        Registry.load(written(tmp_path, "broken.json", [BROKEN]))
    assert "'not'" in caught.value.hint
    with pytest.raises(ToolDefinitionError, match="is not JSON"):
        Registry.load(written(tmp_path, "bad.json", "{"))


def test_the_data_in_a_folder_of_tools_is_left_alone(tmp_path):
    written(tmp_path, "tools.json", [GOOD])
    with pytest.raises(ToolsNotFound):
        Registry.load(tmp_path)


def test_the_command_line(tmp_path):
    path = written(tmp_path, "tools.json", [GOOD])
    assert CliRunner().invoke(main, ["tools", str(path)]).stdout == "good  Does good.\n"
    for form in ("openai", "mcp"):
        shown = json.loads(CliRunner().invoke(main, ["tools", str(path), "--format", form]).stdout)
        assert read_tools(shown).tools[0].fingerprint == read_tools(path).tools[0].fingerprint
    broken = CliRunner().invoke(main, ["tools", str(written(tmp_path, "b.json", [GOOD, BROKEN]))])
    assert (broken.exit_code, "the keyword 'not'" in broken.stderr) == (1, True)
    none = CliRunner().invoke(main, ["tools", str(tmp_path / "c.json")])
    assert (none.exit_code, "does not exist" in none.stderr) == (1, True)


def test_import_edgefn_does_not_import_it():
    code = "import sys, edgefn; assert not [name for name in sys.modules if name.startswith('edgefn.importing')]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# ---- any document ----

_WORDS = st.sampled_from(
    [
        "tools",
        "type",
        "function",
        "name",
        "description",
        "parameters",
        "inputSchema",
        "annotations",
        "readOnlyHint",
        "result",
        "jsonrpc",
        "error",
        "openapi",
        "paths",
        "/a",
        "get",
        "post",
        "operationId",
        "in",
        "schema",
        "content",
        "application/json",
        "requestBody",
        "required",
        "properties",
        "x",
        "items",
        "enum",
        "const",
        "$ref",
        "#/x",
        "#",
        "anyOf",
        "oneOf",
        "allOf",
        "nullable",
        "object",
        "string",
        "integer",
        "array",
        "null",
        "3.1.0",
        "query",
        "path",
        "$defs",
        "$id",
        "pattern",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "format",
        "date",
        "default",
        "title",
        "additionalProperties",
        "x-said-as",
        "multipleOf",
    ]
)
_TEXT = _WORDS | st.text(st.characters(), max_size=4)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
_ANY = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=25
)
_SCHEMA = st.recursive(
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["string", "integer", ["string", "null"]])}),
    lambda inner: (
        st.fixed_dictionaries(
            {},
            optional={
                "type": _WORDS | st.lists(_WORDS, max_size=2),
                "enum": st.lists(_SCALARS, max_size=3),
                "const": _SCALARS,
                "properties": st.dictionaries(_TEXT, inner, max_size=3),
                "required": st.lists(_TEXT, max_size=2),
                "anyOf": st.lists(inner | st.just({"type": "null"}), max_size=2),
                "$ref": st.sampled_from(["#", "#/properties/x", "#/$defs/x"]),
                "x-said-as": st.dictionaries(_TEXT, st.lists(_TEXT, max_size=2), max_size=2),
                "minimum": _SCALARS,
                "exclusiveMinimum": _SCALARS,
                "multipleOf": st.floats() | st.integers(),
                "maxLength": st.integers() | st.floats(),
                "pattern": _TEXT,
                "format": _TEXT,
                "nullable": st.booleans(),
                "additionalProperties": st.booleans() | inner,
            },
        )
        | _ANY
    ),
    max_leaves=8,
)
_DOCUMENTS = st.one_of(
    _ANY,
    _SCHEMA,
    st.lists(st.fixed_dictionaries({"name": _TEXT, "parameters": _SCHEMA}), max_size=3),
    st.lists(st.fixed_dictionaries({"name": _TEXT, "inputSchema": _SCHEMA, "annotations": _ANY}), max_size=2),
    st.fixed_dictionaries({"openapi": st.just("3.1.0"), "paths": st.dictionaries(_TEXT, _ANY)}),
    _SCHEMA.map(
        lambda schema: {
            "openapi": "3.0.0",
            "paths": {
                "/a": {
                    "post": {
                        "parameters": [{"name": "x", "in": "query", "schema": schema}],
                        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                    }
                }
            },
        }
    ),
)


@settings(max_examples=400, deadline=None)
@given(_DOCUMENTS)
def test_no_document_raises_anything_but_a_definition_error(document):
    try:
        found = read_tools(document)
    except ToolDefinitionError as exc:
        assert exc.message and exc.hint
    else:
        assert all(len(each.fingerprint) > 60 for each in found.tools)
        assert not found.problems
    try:
        found = read_tools(document, strict=False)
    except ToolDefinitionError:
        return
    for each in found.tools:
        assert read_tools([each.to_mcp()]).tools[0].fingerprint == each.fingerprint


@settings(max_examples=100, deadline=None)
@given(st.text() | st.binary())
def test_no_file_raises_anything_but_a_definition_error(tmp_path_factory, content):
    pytest.importorskip("yaml")
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.json", "a.yaml"):
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / name).write_bytes(data)
        try:
            read_tools(folder / name)
        except ToolDefinitionError:
            continue
