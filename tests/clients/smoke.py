"""Drives a web-search server with the official Python client.

Usage: smoke.py COMMAND [ARGUMENT...]    over stdio, as a child process
       smoke.py URL                      over HTTP; over SSE where the path is /sse

Over HTTP the keys in MCP_KEYS, separated by commas, take turns: one for each
era, since each has a limit of its own. They travel as X-API-Key and as a bearer
token by turns.

In each era: list the tools, call one, check its structured content against the
output schema that was listed, let a validation fail, call a tool that does not
exist. Ends with 0 and one line for each step, or with 1 and what was wrong.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import jsonschema
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

TOOL = "search_web"
# How the client negotiates, and the version that must come of it.
ERAS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28", "auto": "2026-07-28"}
# The old transport knows no other era.
SSE_ERAS = {"legacy": "2025-11-25"}


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
    check(tool.input_schema.get("type") == "object", f"the input schema is not an object: {tool.input_schema}")
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


async def converse(mode: str, version: str, server) -> None:
    async with server as transport, Client(transport, mode=mode, read_timeout_seconds=60) as client:
        check(client.protocol_version == version, f"negotiated {client.protocol_version}, not {version}")
        tool = await listing(client)
        await call(client, tool)
        await validation(client, tool)
        await unknown(client)
        # Still there, and twenty at once.
        await asyncio.gather(*(call(client, tool) for _ in range(20)))


@asynccontextmanager
async def over_stdio(command: list[str]):
    # Only failures are printed; a line for each call would bury them.
    yield StdioServerParameters(command=command[0], args=command[1:], env={"RUST_LOG": "warn"})


@asynccontextmanager
async def over_http(url: str, headers: dict[str, str]):
    async with create_mcp_http_client(headers=headers) as http_client:
        yield streamable_http_client(url, http_client=http_client)


@asynccontextmanager
async def over_sse(url: str, headers: dict[str, str]):
    yield sse_client(url, headers=headers)


def credentials(turn: int) -> dict[str, str]:
    keys = [key for key in os.environ.get("MCP_KEYS", "").split(",") if key]
    if not keys:
        return {}
    key = keys[turn % len(keys)]
    return {"X-API-Key": key} if turn % 2 else {"Authorization": f"Bearer {key}"}


async def refused_without_a_key(url: str, sse: bool) -> None:
    """Nobody gets in without a key, or with a wrong one."""
    for headers in ({}, {"X-API-Key": "not-the-key"}):
        async with create_mcp_http_client(headers=headers) as client:
            answer = await client.get(url) if sse else await client.post(url, json={})
            check(answer.status_code == 401, f"without a good key the answer is {answer.status_code}, not 401")
            check("www-authenticate" in answer.headers, "the refusal does not say how to authenticate")


def reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"


def main() -> int:
    target = sys.argv[1:]
    if not target:
        print(__doc__, file=sys.stderr)
        return 2
    is_http = target[0].startswith(("http://", "https://"))
    is_sse = is_http and urlsplit(target[0]).path.rstrip("/").endswith("/sse")
    name = "python client" + (" over SSE" if is_sse else " over HTTP" if is_http else "")
    steps = {}
    if is_http and credentials(0):
        steps["keys"] = lambda: refused_without_a_key(target[0], is_sse)
    for turn, (mode, version) in enumerate((SSE_ERAS if is_sse else ERAS).items()):
        if is_http:
            server = (over_sse if is_sse else over_http)(target[0], credentials(turn))
        else:
            server = over_stdio(target)
        steps[mode] = lambda mode=mode, version=version, server=server: converse(mode, version, server)
    failed = False
    for step, run in steps.items():
        try:
            asyncio.run(asyncio.wait_for(run(), timeout=120))
        except Exception as error:  # whatever it is, the other steps are tried too
            failed = True
            print(f"{name}, {step}: FAILED: {reason(error)}", file=sys.stderr)
        else:
            done = "refused who has none" if step == "keys" else "listed, called, refused and answered"
            print(f"{name}, {step}: {done} as it should")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
