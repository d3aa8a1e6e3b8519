"""OpenAPI documents."""

from __future__ import annotations

import copy

import pytest

from edgefn.errors import DuplicateTool, ToolDefinitionError
from edgefn.importing import from_openapi, read_tools
from edgefn.tool import Hints

PET = {
    "type": "object",
    "required": ["name", "id"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": True},
        "name": {"type": "string", "description": "what it is called."},
        "tag": {"type": "string", "nullable": True},
        "owner": {"$ref": "#/components/schemas/Owner"},
    },
}
API = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "x-of": 5,
        "/pets/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}, "description": "which."},
                {"name": "X-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                {"name": "session", "in": "cookie", "schema": {"type": "string"}},
            ],
            "get": {
                "operationId": "showPet",
                "summary": "Show a pet.",
                "description": "At length.",
                "parameters": [
                    {"$ref": "#/components/parameters/Limit"},
                    {"name": "id", "in": "path", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"not": "read"}},
            },
            "delete": {"description": "Remove a pet."},
            "put": {
                "operationId": "replace pet",
                "requestBody": {"$ref": "#/components/requestBodies/Pet"},
            },
        },
        "/pets": {
            "post": {
                "parameters": [{"name": "name", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {"content": {"application/vnd.a+json; v=1": {"schema": PET}}},
            },
            "patch": {
                "operationId": "several",
                "requestBody": {
                    "required": True,
                    "description": "The pets.",
                    "content": {"text/csv": {}, "application/json": {"schema": {"type": "array", "items": PET}}},
                },
            },
        },
    },
    "components": {
        "parameters": {
            "Limit": {"name": "limit", "in": "query", "content": {"application/json": {"schema": {"type": "integer"}}}}
        },
        "requestBodies": {
            "Pet": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
            }
        },
        "schemas": {"Pet": PET, "Owner": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
}


@pytest.fixture(scope="module")
def tools():
    return {each.name: each for each in from_openapi(API)}


def test_one_tool_per_operation(tools):
    assert list(tools) == ["showPet", "replace_pet", "delete_pets_id", "post_pets", "several"]
    assert tools["showPet"].description == "Show a pet."
    assert tools["delete_pets_id"].description == "Remove a pet."
    assert read_tools(API).tools == tuple(tools.values())


def test_parameters_of_path_and_query(tools):
    assert tools["showPet"].schema == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    assert tools["delete_pets_id"].parameters[0].description == "which."


def test_properties_of_the_body(tools):
    replace = tools["replace_pet"]
    assert list(replace.schema["properties"]) == ["id", "name", "tag", "owner"]
    assert replace.schema["properties"]["id"] == {"type": "integer", "description": "which."}
    assert replace.schema["properties"]["owner"]["properties"] == {"name": {"type": "string"}}
    assert replace.schema["required"] == ["id", "name"]
    assert replace.bind({"id": 1, "name": "Rex", "tag": None, "owner": {"name": "Ann"}})


def test_a_name_that_is_taken(tools):
    post = tools["post_pets"]
    assert list(post.schema["properties"]) == ["name", "body_name", "tag", "owner"]
    assert post.schema["required"] == []  # the body may be left out


def test_a_body_that_is_no_object(tools):
    (body,) = tools["several"].parameters
    assert (body.name, body.required, body.description) == ("body", True, "The pets.")
    assert body.schema["type"] == "array"


def test_methods_are_hints(tools):
    assert {name: each.hints for name, each in tools.items()} == {
        "showPet": Hints(read_only=True, idempotent=True, open_world=True),
        "replace_pet": Hints(idempotent=True, open_world=True),
        "delete_pets_id": Hints(destructive=True, idempotent=True, open_world=True),
        "post_pets": Hints(open_world=True),
        "several": Hints(open_world=True),
    }


def get(**operation):
    return {"/a": {"get": operation}}


def query(**parameter):
    return get(parameters=[{"name": "q", "in": "query", **parameter}])


def body(schema):
    return get(requestBody={"content": {"application/json": {"schema": schema}}})


LOOP = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}}}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "/paths: an object is expected"),
        ({"/a": 5}, "/paths/~1a: an object is expected"),
        ({"/a": {"$ref": "other.json"}}, "/paths/~1a/$ref: 'other.json' is not local"),
        ({"/a": {"$ref": "#/paths/~1a"}}, "/paths/~1a/$ref: '#/paths/~1a' is recursive"),
        ({"/a": {"get": None}}, "/paths/~1a/get: an object is expected"),
        (get(operationId=5), "/paths/~1a/get/operationId: text is expected"),
        (get(parameters={}), "/paths/~1a/get/parameters: a list is expected"),
        (get(parameters=[5]), "/paths/~1a/get/parameters/0: an object is expected"),
        (get(parameters=[{"in": "query"}]), "/paths/~1a/get/parameters/0/name: is missing"),
        (query(**{"in": "body"}), "/paths/~1a/get/parameters/0/in: 'body' is no place"),
        (query(), "/paths/~1a/get/parameters/0/schema: is missing"),
        (query(schema={"type": "file"}), "/paths/~1a/get/parameters/0/schema/type: there is no type 'file'"),
        (query(required="yes"), "/paths/~1a/get/parameters/0/required: true or false"),
        (query(content={"text/xml": {}}), "/paths/~1a/get/parameters/0/content: nothing here is JSON"),
        (get(requestBody={}), "/paths/~1a/get/requestBody/content: is missing"),
        (get(requestBody={"content": {"text/xml": {}}}), "/paths/~1a/get/requestBody/content: nothing here is JSON"),
        (
            body({"$ref": "#/components/schemas/Loop"}),
            "/components/schemas/Loop/properties/next/$ref: '#/components/schemas/Loop' is recursive",
        ),
        (body({"$ref": "#/components/schemas/If"}), "/components/schemas/If/if: the keyword 'if' is not supported"),
        (
            body({"properties": {"a": {}}, "required": ["b"]}),
            "/paths/~1a/get/requestBody/content/application~1json/schema: 'b' is required",
        ),
        (
            get(
                parameters=[{"name": name, "in": "query", "schema": {}} for name in ("q", "body_q")],
                requestBody={"content": {"*/*": {"schema": {"properties": {"q": {}}}}}},
            ),
            "/paths/~1a/get: two arguments are named 'body_q'",
        ),
    ],
)
def test_a_malformed_api_is_refused_with_the_place(paths, message):
    api = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"Loop": LOOP, "If": {"if": {}}}}}
    with pytest.raises(ToolDefinitionError) as caught:
        from_openapi(api)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize("version", [{"openapi": "2.0"}, {"openapi": "4.0.0"}, {"openapi": 3.1}, {"swagger": "2.0"}])
def test_other_versions_are_refused(version):
    with pytest.raises(ToolDefinitionError, match="/openapi: "):
        read_tools({**version, "paths": {}})


def test_two_operations_of_one_name():
    api = copy.deepcopy(API)
    api["paths"]["/pets"]["post"]["operationId"] = "showPet"
    with pytest.raises(DuplicateTool, match="two tools are named 'showPet'"):
        from_openapi(api)


def test_broken_operations_are_left_out():
    api = {**API, "paths": {**API["paths"], "/broken": 5, **get(parameters=5)}}
    found = read_tools(api, strict=False)
    assert len(found.tools) == 5
    assert [each.message.split(":")[0] for each in found.problems] == ["/paths/~1broken", "/paths/~1a/get/parameters"]
