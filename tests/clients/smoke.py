"""Drives a built web-search server with the official Python client.

Usage: smoke.py COMMAND [ARGUMENT...]

In each era: list the tools, call one, check its structured content against the
output schema that was listed, let a validation fail, call a tool that does not
exist. Ends with 0 and one line for each step, or with 1 and what was wrong.
"""

import asyncio
import sys

import jsonschema
from mcp import Client, MCPError, StdioServerParameters

TOOL = "search_web"
# How the client negotiates, and the version that must come of it.
ERAS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28", "auto": "2026-07-28"}


class Wrong(Exception):
    """The server did something else than it should."""


def check(holds: bool, wrong: str) -> None:
    if not holds:
        raise Wrong(wrong)


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def listing(client):
    listed = await client.list_tools()
    tools = {tool.name: tool for tool in listed.tools}
    check(TOOL in tools, f"{TOOL} is not listed, only {sorted(tools)}")
    tool = tools[TOOL]
    check(bool(tool.description), f"{TOOL} has no description")
    check(tool.input_schema.get("type") == "object", f"the input schema is no object: {tool.input_schema}")
    jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    check(tool.output_schema is not None, f"{TOOL} has no output schema")
    jsonschema.Draft202012Validator.check_schema(tool.output_schema)
    return tool


async def call(client, tool):
    arguments = {"query": "timeout"}
    jsonschema.validate(arguments, tool.input_schema)
    result = await client.call_tool(TOOL, arguments)
    check(not result.is_error, f"the call failed: {text_of(result)}")
    check(bool(text_of(result)), "the result has no text for clients that show text alone")
    check(result.structured_content is not None, "the result has no structured content")
    jsonschema.validate(result.structured_content, tool.output_schema)
    check("timeout" in text_of(result).lower(), f"no hit mentions what was searched: {text_of(result)}")


async def validation(client, tool):
    secret = "a-value-that-must-not-come-back"
    arguments = {"query": "", "qurey": secret}
    try:
        jsonschema.validate(arguments, tool.input_schema)
    except jsonschema.ValidationError:
        pass
    else:
        raise Wrong("the listed schema admits an empty query and an unknown argument")
    result = await client.call_tool(TOOL, arguments)
    said = text_of(result)
    check(result.is_error, f"an empty query was accepted: {said}")
    check("query" in said and "qurey" in said, f"the refusal does not name what is wrong: {said}")
    check(secret not in said, f"the refusal repeats a value: {said}")


async def unknown(client):
    try:
        result = await client.call_tool("no_such_tool", {})
    except MCPError as error:
        check(error.error.code == -32602, f"an unknown tool is answered with {error.error.code}: {error}")
    else:
        raise Wrong(f"a tool that does not exist answered: {text_of(result)}")


async def converse(mode: str, server: StdioServerParameters) -> None:
    async with Client(server, mode=mode, read_timeout_seconds=60) as client:
        check(client.protocol_version == ERAS[mode], f"negotiated {client.protocol_version}, not {ERAS[mode]}")
        tool = await listing(client)
        await call(client, tool)
        await validation(client, tool)
        await unknown(client)
        # Still there, and twenty at once.
        await asyncio.gather(*(call(client, tool) for _ in range(20)))


def reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    # What goes wrong is told here; a line for each call would bury it.
    quiet = {"RUST_LOG": "warn"}
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=quiet)
    failed = False
    for mode in ERAS:
        try:
            asyncio.run(asyncio.wait_for(converse(mode, server), timeout=120))
        except Exception as error:  # whatever it is, the other eras are tried too
            failed = True
            print(f"python client, {mode}: FAILED: {reason(error)}", file=sys.stderr)
        else:
            print(f"python client, {mode}: listed, called, refused and answered as it should")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
