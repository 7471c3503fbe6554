"""Do the fields that --query names exist in what the operation answers?

The AWS command line compiles a query before it calls, but prints null for a field that is not there. The shapes of botocore know
better. Reads a list of commands from standard input, [{"tool": "aws", "args": [...]}], and prints a list of faults, null where there
is none. Of other tools that take the same language (az) the query is only compiled.
"""

import json
import sys

import botocore.session
import jmespath
from botocore import xform_name
from jmespath.exceptions import JMESPathError

# The command line has its own names for these services.
SERVICES = {"s3api": "s3", "configservice": "config", "deploy": "codedeploy"}
SESSION = botocore.session.get_session()


class Fault(Exception):
    pass


def value_of(args, option):
    for at, arg in enumerate(args):
        if arg == option:
            return args[at + 1] if at + 1 < len(args) else ""
        if arg.startswith(option + "="):
            return arg[len(option) + 1 :]
    return None


def kind(shape):
    """Of a shape of botocore, or of what an expression made: ("list", element) or ("structure", members)."""
    if shape is None or isinstance(shape, tuple):
        return shape
    if shape.type_name == "list":
        return ("list", shape.member)
    if shape.type_name == "structure":
        return ("structure", shape.members)
    if shape.type_name == "map":
        return ("map", shape.value)
    return ("scalar", shape.type_name)


def element(shape):
    """What a list holds; None is anything, as after a function."""
    found = kind(shape)
    if found is None:
        return None
    if found[0] != "list":
        raise Fault(f"a {found[0]} is used as a list")
    return found[1]


def field(name, shape):
    found = kind(shape)
    if found is None:
        return None
    if found[0] == "map":
        return found[1]
    if found[0] != "structure":
        raise Fault(f"`{name}` is asked of a {found[0]}")
    if name not in found[1]:
        raise Fault(f"there is no `{name}` among {', '.join(sorted(found[1])) or 'no fields'}")
    return found[1][name]


def walk(node, shape):
    """The shape that an expression makes of a shape."""
    what, children = node["type"], node["children"]
    if what == "field":
        return field(node["value"], shape)
    if what in ("subexpression", "index_expression", "pipe"):
        for child in children:
            shape = walk(child, shape)
        return shape
    if what in ("identity", "current"):
        return shape
    if what == "index":
        return element(shape)
    if what == "slice":
        return ("list", element(shape))
    if what == "flatten":
        inner = element(walk(children[0], shape))
        found = kind(inner)
        return ("list", found[1] if found is not None and found[0] == "list" else inner)
    if what == "projection":
        return ("list", walk(children[1], element(walk(children[0], shape))))
    if what == "filter_projection":
        inner = element(walk(children[0], shape))
        walk(children[2], inner)
        return ("list", walk(children[1], inner))
    if what == "value_projection":
        found = kind(walk(children[0], shape))
        return ("list", walk(children[1], found[1] if found is not None and found[0] == "map" else None))
    if what == "multi_select_dict":
        return ("structure", {pair["value"]: walk(pair["children"][0], shape) for pair in children})
    if what == "multi_select_list":
        for child in children:
            walk(child, shape)
        return ("list", None)
    if what == "function_expression":
        results = [walk(child, shape) for child in children if child["type"] != "expref"]
        for child in children:
            if child["type"] == "expref":
                walk(child["children"][0], element(results[0]))
        return results[0] if node["value"] in ("sort", "sort_by", "reverse") else None
    for child in children:  # comparisons, and, or, not, literals
        walk(child, shape)
    return None


def fault(command):
    args = command["args"]
    query = value_of(args, "--query")
    if query is None:
        return None
    try:
        parsed = jmespath.compile(query).parsed
    except JMESPathError as error:
        return f"{query}: {error}"
    if command["tool"] != "aws":
        return None
    words = [arg for arg in args[:2] if not arg.startswith("-")]
    if len(words) < 2:
        return "no service and operation before the options"
    service = SERVICES.get(words[0], words[0])
    if service not in SESSION.get_available_services():
        return f"there is no service {words[0]}"
    model = SESSION.get_service_model(service)
    names = [name for name in model.operation_names if xform_name(name, "-") == words[1]]
    if not names:
        return f"there is no operation {words[1]} of {words[0]}"
    try:
        walk(parsed, model.operation_model(names[0]).output_shape)
    except Fault as error:
        return f"{query}: {error}"
    return None


print(json.dumps([fault(command) for command in json.load(sys.stdin)]))
