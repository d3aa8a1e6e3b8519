"""Schemas of others in the one form that schemas of tools have."""

from __future__ import annotations

from datetime import datetime

import pytest

from edgefn.arguments.reader import reader_of
from edgefn.errors import ArgumentError, ToolDefinitionError
from edgefn.importing import from_json_schema

NOW = datetime(2026, 1, 1, 12)


def tool_of(schema, **properties):
    """Return the tool whose one parameter `x` has a schema."""
    whole = {"title": "act", "properties": {"x": schema, **properties.pop("more", {})}, **properties}
    (tool,) = from_json_schema(whole)
    return tool


def read(schema, **around):
    return tool_of(schema, **around).schema["properties"]["x"]


def refusal(document) -> ToolDefinitionError:
    with pytest.raises(ToolDefinitionError) as caught:
        from_json_schema(document, name="act")
    assert caught.value.hint
    return caught.value


def null(schema, **about):
    return {"anyOf": [schema, {"type": "null"}], **about}


WORD = {"type": "string"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"type": "string", "minLength": 1, "pattern": "^a"}, {"type": "string", "minLength": 1, "pattern": "^a"}),
        ({"type": ["string"]}, WORD),
        ({"type": ["null", "string"], "maxLength": 3}, null({"type": "string", "maxLength": 3})),
        ({"type": "string", "nullable": True, "description": "a."}, null(WORD, description="a.")),
        ({"type": "string", "nullable": False}, WORD),
        ({"anyOf": [{"type": "null"}, WORD], "title": "T"}, null(WORD, title="T")),
        ({"oneOf": [{**WORD, "description": "in."}, {"type": "null"}]}, null(WORD, description="in.")),
        ({"anyOf": [{"type": ["string", "null"]}, {"type": "null"}]}, null(WORD)),
        ({"allOf": [{**WORD, "description": "in."}], "description": "out."}, {**WORD, "description": "out."}),
        ({"allOf": [WORD], "nullable": True}, null(WORD)),
        ({"anyOf": [WORD]}, WORD),
        ({"enum": ["a", None, "b", "a"]}, null({"enum": ["a", "b"]})),
        ({"type": ["string", "null"], "enum": ["a", None]}, null({"type": "string", "enum": ["a"]})),
        ({"type": ["string", "null"], "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "nullable": True, "const": "a"}, {"type": "string", "const": "a"}),
        ({"type": "number", "enum": [1, 2.5]}, {"type": "number", "enum": [1, 2.5]}),
        ({"type": "integer", "format": "int32"}, {"type": "integer"}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": False}, {"type": "integer", "maximum": 1}),
        ({"type": "number", "exclusiveMinimum": True}, {"type": "number"}),
        ({"type": "string", "minLength": 2.0}, {"type": "string", "minLength": 2}),
        ({"items": WORD, "uniqueItems": True}, {"type": "array", "items": WORD, "uniqueItems": True}),
        ({"type": "array", "items": True}, {"type": "array", "items": {}}),
        ({"type": "string", "example": "a", "optional": True, "$comment": 1}, {"type": "string", "examples": ["a"]}),
        (
            {"type": "string", "x-of": {"if": 1}, "readOnly": True},
            {"type": "string", "x-of": {"if": 1}, "readOnly": True},
        ),
        ({"properties": {"if": True}}, {"type": "object", "properties": {"if": {}}}),
        (
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            {"type": "object", "additionalProperties": null(WORD)},
        ),
        ({}, {}),
    ],
)
def test_a_schema_in_its_one_form(given, kept):
    assert read(given) == kept
    assert read(kept) == kept


def test_references_are_written_out():
    around = {
        "$defs": {"a~b/c d": {"type": "integer", "description": "deep."}},
        "definitions": {"link": {"$ref": "#/$defs/a~0b~1c%20d"}},
    }
    assert read({"$ref": "#/definitions/link"}, **around) == {"type": "integer", "description": "deep."}
    assert read({"anyOf": [{"$ref": "#/definitions/link"}, {"type": "null"}], "default": 1}, **around) == {
        **null({"type": "integer"}),
        "description": "deep.",
        "default": 1,
    }
    tool = tool_of({"$ref": "#/definitions/link", "description": "near."}, **around)
    assert tool.parameters[0].description == "near."
    assert not tool.schema.keys() & {"$defs", "definitions", "title"}


def test_the_outermost_schema_may_be_a_reference():
    (tool,) = from_json_schema(
        {"$schema": "any", "$id": "https://a/b", "$ref": "#/$defs/it", "$defs": {"it": {"properties": {"x": WORD}}}},
        name="act",
        description="Act.",
    )
    assert tool.schema == {"type": "object", "properties": {"x": WORD}}
    assert (tool.name, tool.description) == ("act", "Act.")


def test_an_own_id_is_where_references_start():
    inner = {"$id": "inner", "properties": {"y": {"$ref": "#/$defs/it"}}, "$defs": {"it": {"type": "integer"}}}
    assert read(inner, **{"$defs": {"it": WORD}})["properties"]["y"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("schema", "where", "said"),
    [
        ({"if": {}}, "/if", "the keyword 'if' is not supported"),
        ({"type": "array", "items": {"not": {}}}, "/items/not", "'not' is not supported"),
        ({"properties": {"y/z": {"patternProperties": {}}}}, "/properties/y~1z/patternProperties", "not supported"),
        ({"prefixItems": []}, "/prefixItems", "not supported"),
        ({"items": [WORD]}, "/items", "a list of schemas"),
        ({"anyOf": [WORD, {"type": "integer"}]}, "/anyOf", "but for a schema and null"),
        ({"oneOf": [{"type": "null"}]}, "/oneOf", "but for a schema and null"),
        ({"oneOf": []}, "/oneOf", "but for a schema and null"),
        ({"allOf": [WORD, WORD]}, "/allOf", "but for one schema"),
        ({"allOf": WORD}, "/allOf", "a list is expected"),
        ({"anyOf": [WORD], "minLength": 1}, "/minLength", "not supported beside 'anyOf'"),
        ({"anyOf": [WORD], "oneOf": [WORD]}, "/oneOf", "not supported beside 'anyOf'"),
        ({"anyOf": [WORD], "additionalProperties": False}, "/additionalProperties", "beside 'anyOf'"),
        ({"type": ["string", "integer"]}, "/type", "one type, or one and null"),
        ({"type": "null"}, "/type", "one type"),
        ({"type": []}, "/type", "one type"),
        ({"type": "text"}, "/type", "there is no type 'text'"),
        ({"type": 5}, "/type", "text is expected, not 5"),
        ({"type": [5]}, "/type/0", "text is expected"),
        ({"nullable": 1}, "/nullable", "true or false"),
        ({"optional": "no"}, "/optional", "true or false"),
        ({"enum": []}, "/enum", "without values"),
        ({"enum": [None]}, "/enum", "nothing but null"),
        ({"const": None}, "/const", "nothing but null"),
        ({"enum": ["a", [1]]}, "/enum/1", "closed set of lists"),
        ({"type": "integer", "enum": [1, True]}, "/enum", "True is not of the type 'integer'"),
        ({"type": "object", "const": "a"}, "/const", "not of the type"),
        ({"minimum": "1"}, "/minimum", "a number is expected"),
        ({"exclusiveMaximum": None}, "/exclusiveMaximum", "a number is expected"),
        ({"multipleOf": 0}, "/multipleOf", "above zero"),
        ({"minItems": -1}, "/minItems", "whole number"),
        ({"maxLength": 1.5}, "/maxLength", "whole number"),
        ({"pattern": "("}, "/pattern", "no regular expression"),
        ({"format": 5}, "/format", "text is expected"),
        ({"description": []}, "/description", "text is expected"),
        ({"properties": []}, "/properties", "an object is expected"),
        ({"properties": {"y": False}}, "/properties/y", "an object is expected, not False"),
        ({"required": "y"}, "/required", "a list is expected"),
        ({"required": ["y", "y"]}, "/required", "stands twice"),
        ({"additionalProperties": 1}, "/additionalProperties", "an object is expected"),
        ({"x-said-as": {"a": "b"}}, "/x-said-as/a", "a list is expected"),
        ({"$id": 1}, "/$id", "text is expected"),
        ({"$ref": 1}, "/$ref", "text is expected"),
        ({"$ref": "https://a/b"}, "/$ref", "is not local"),
        ({"$ref": "#anchor"}, "/$ref", "is not local"),
        ({"$ref": "#/$defs/none"}, "/$ref", "leads nowhere: there is no /$defs"),
        ({"$ref": "#/properties/x"}, "/$ref", "'#/properties/x' is recursive"),
        ({"properties": {"y": {"$ref": "#"}}}, "/properties/y/$ref", "'#' is recursive"),
    ],
)
def test_what_is_not_supported_is_named_with_its_place(schema, where, said):
    refused = refusal({"type": "object", "properties": {"x": schema}})
    assert refused.message.startswith(f"/properties/x{where}: ")
    assert said in refused.message


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "an object"),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, "an object"),
        ({"required": ["x"]}, "'x' is required, and is not among"),
        ({"properties": {"x": {"type": "integer", "x-said-as": {"one": ["1"]}, "enum": [1]}}}, "x: "),
        ({"properties": {"x": {"type": "integer", "x-said-as": {"[1]": ["1"]}, "enum": [1]}}}, "x: "),
        ([], "an object is expected"),
        ({"$ref": "#"}, "recursive"),
        ({"properties": {"x": {"default": float("nan")}}}, "/properties/x/default: nan is no number"),
        ({"properties": {"x": {"default": 10**400}}}, "no number that a double can hold"),
        ({"properties": {"x": {"default": {1}}}}, "{1} has no place in JSON"),
        ({"properties": {5: {}}}, "/properties: 5 has no place"),
        ({"properties": {"\ud800": {}}}, "half a character"),
    ],
)
def test_what_cannot_be_arguments(schema, said):
    assert said in refusal(schema).message


def nested(depth, leaf):
    for _ in range(depth):
        leaf = {"properties": {"y": leaf}}
    return leaf


def test_what_is_too_deep_or_too_large_is_refused():
    endless: list = []
    endless.append(endless)
    assert "nested more than" in refusal({"properties": {"x": {"default": endless}}}).message
    assert "nested more than" in refusal(nested(2000, WORD)).message
    chain = {f"d{at}": nested(20, {"$ref": f"#/$defs/d{at + 1}"}) for at in range(3)} | {"d3": WORD}
    assert "nested more than 32 deep" in refusal({"$ref": "#/$defs/d0", "$defs": chain}).message
    laughs = {f"d{at}": {"properties": {k: {"$ref": f"#/$defs/d{at + 1}"} for k in "abcdefghij"}} for at in range(9)}
    assert "has over" in refusal({"$ref": "#/$defs/d0", "$defs": laughs | {"d9": WORD}}).message


def test_objects_stay_and_are_validated():
    tool = tool_of({"type": "object", "properties": {"y": {"type": "integer"}}, "required": ["y"]}, required=["x"])
    assert tool.bind({"x": {"y": 1}}) == {"x": {"y": 1}}
    for wrong in ({}, {"y": "a"}, 5):
        with pytest.raises(ArgumentError) as caught:
            tool.bind({"x": wrong})
        assert caught.value.parameter == "x"


def test_values_that_differ_in_case_alone_are_taken_as_they_are_written():
    """A document cannot be changed by who reads it; AA and Aa are told apart where they are written."""
    document = {"properties": {"x": {"enum": ["AA", "Aa"]}}}
    (tool,) = from_json_schema(document, name="genotype", description="A genotype.")
    reader = reader_of(tool.parameters[0])
    assert reader.read("Aa", NOW).value == "Aa"
    with pytest.raises(ValueError):
        reader.read("aa", NOW)
