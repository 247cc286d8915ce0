"""Whether each example of an OpenAPI description is valid by the schema that it stands beside: examples.py FILE"""

import sys

import yaml
from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.safe_load(file)


def resolved(node):
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def examples_beside_schemas(node, path=""):
    """Each example with its schema and its place."""
    if isinstance(node, dict):
        if "schema" in node:
            named = {name: resolved(example)["value"] for name, example in node.get("examples", {}).items()}
            if "example" in node:
                named["example"] = node["example"]
            for name, value in named.items():
                yield f"{path}/{name}", node["schema"], value
        for name, child in node.items():
            yield from examples_beside_schemas(child, f"{path}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from examples_beside_schemas(child, f"{path}/{index}")


count, faults = 0, 0
for place, schema, value in examples_beside_schemas(document):
    count += 1
    # "#/components/..." is found where the whole document has it
    validator = Draft202012Validator({"allOf": [schema], "components": document["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for error in validator.iter_errors(value):
        faults += 1
        print(f"{place}: {error.message}")
print(f"{count} examples, {faults} faults")
sys.exit(1 if faults or not count else 0)
