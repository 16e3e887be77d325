"""Drives the conformance server with the official Python client, 1.x.

Usage: python_1x.py COMMAND [ARGUMENT...]    over stdio, as a child process
       python_1x.py URL                      over HTTP; SERVER_LOG is the server's log

This line of the client knows the versions up to 2025-11-25 only. Runs each
function in STEPS. Ends with 0 and one line, or with 1 and what was wrong.
"""

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from pydantic import AnyUrl
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client, types
from mcp.client.streamable_http import streamable_http_client

VERSION = "2025-11-25"
PATIENCE = 30


class Wrong(Exception):
    """The server did something else than it should."""


@dataclass
class Answers:
    """What the client answers to the server's questions, and what it was sent."""

    # The answer to a form, by the message of the form.
    forms: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    logged: list = field(default_factory=list)
    notified: list = field(default_factory=list)

    async def elicit(self, context, params):
        self.asked.append(params)
        return self.forms[params.message]

    async def sample(self, context, params):
        self.asked.append(params)
        said = params.messages[-1].content_as_list[0].text
        content = types.TextContent(type="text", text=f"I read: {said}")
        return types.CreateMessageResult(role="assistant", content=content, model="none")

    async def roots(self, context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada", name="home")])

    async def log(self, params):
        self.logged.append(params)

    async def notify(self, message):
        if isinstance(message, types.ServerNotification):
            self.notified.append(message.root)

    def visited(self) -> list[str]:
        """The ids of the visits whose end was announced."""
        messages = [getattr(message, "root", message) for message in self.notified]
        ends = [end for end in messages if isinstance(end, types.ElicitCompleteNotification)]
        return [end.params.elicitationId for end in ends]


@dataclass
class Session:
    client: ClientSession
    answers: Answers
    # The path of the server's log.
    log: str


def check(holds: bool, wrong) -> None:
    if not holds:
        raise Wrong(str(wrong))


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def refused(code: int, call) -> McpError:
    """The error with this code that the call must end with."""
    try:
        result = await call
    except McpError as error:
        check(error.error.code == code, f"the error is {error.error.code}, not {code}: {error}")
        return error
    raise Wrong(f"no error: {result}")


async def eventually(holds, wrong: str) -> None:
    """Waits for what the server does without an answer."""
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, wrong)
        await asyncio.sleep(0.02)


async def listing(session: Session) -> None:
    tools = {tool.name: tool for tool in (await session.client.list_tools()).tools}
    check("greet" in tools, f"greet is not listed, only {sorted(tools)}")
    check(bool(tools["greet"].description), "greet has no description")
    check(tools["greet"].inputSchema["required"] == ["name"], tools["greet"].inputSchema)


async def content(session: Session) -> None:
    call = session.client.call_tool
    greeting = await call("greet", {"name": "Ada"})
    check(text_of(greeting) == "Hello, Ada!", greeting)
    mixed = await call("test_multiple_content_types")
    check([block.type for block in mixed.content] == ["text", "image", "resource"], mixed)
    image = mixed.content[1]
    check(image.mimeType == "image/png" and base64.b64decode(image.data).startswith(b"\x89PNG"), image)
    audio = (await call("test_audio_content")).content[0]
    check(audio.type == "audio" and audio.mimeType == "audio/wav", audio)


async def failures(session: Session) -> None:
    failed = await session.client.call_tool("test_error_handling")
    check(failed.isError and "intentionally" in text_of(failed), failed)
    invalid = await session.client.call_tool("greet", {"name": "", "nmae": "x"})
    check(invalid.isError and "nmae" in text_of(invalid), invalid)
    await refused(-32602, session.client.call_tool("no_such_tool"))


async def progress(session: Session) -> None:
    reports = []

    async def report(done: float, total: float | None, message: str | None) -> None:
        reports.append((done, total))

    result = await session.client.call_tool("test_tool_with_progress", progress_callback=report)
    check(not result.isError, result)
    check(reports == [(0, 100), (50, 100), (100, 100)], reports)


async def prompts(session: Session) -> None:
    listed = {prompt.name: prompt for prompt in (await session.client.list_prompts()).prompts}
    arguments = listed["test_prompt_with_arguments"].arguments
    check([(one.name, one.required) for one in arguments] == [("arg1", True), ("arg2", True)], arguments)
    get = session.client.get_prompt
    message = (await get("test_prompt_with_arguments", {"arg1": "tea", "arg2": "milk"})).messages[0]
    check(message.role == "user" and "arg1='tea', arg2='milk'" in message.content.text, message)
    embedded = (await get("test_prompt_with_embedded_resource", {"resourceUri": "test://x"})).messages[0]
    check(str(embedded.content.resource.uri) == "test://x", embedded)
    image = (await get("test_prompt_with_image")).messages[0].content
    check(image.type == "image" and base64.b64decode(image.data).startswith(b"\x89PNG"), image)
    await refused(-32602, get("no_such_prompt"))
    missing = await refused(-32602, get("test_prompt_with_arguments", {"arg1": "tea"}))
    check("arg2" in missing.error.message, missing)


async def resources(session: Session) -> None:
    read = lambda uri: session.client.read_resource(AnyUrl(uri))
    listed = {str(resource.uri): resource for resource in (await session.client.list_resources()).resources}
    check(listed["test://static-text"].mimeType == "text/plain", listed)
    templates = (await session.client.list_resource_templates()).resourceTemplates
    check("test://template/{id}/data" in [template.uriTemplate for template in templates], templates)
    text = (await read("test://static-text")).contents[0]
    check(text.text == "This is the content of the static text resource.", text)
    image = (await read("test://static-binary")).contents[0]
    check(base64.b64decode(image.blob).startswith(b"\x89PNG"), image)
    data = (await read("test://template/a%20b/data")).contents[0]
    check(json.loads(data.text)["data"] == "Data for ID: a b" and data.mimeType == "application/json", data)
    await refused(-32002, read("test://nothing"))


def accept(**content):
    return types.ElicitResult(action="accept", content=content)


async def elicitation(session: Session) -> None:
    forms = session.answers.forms
    forms["Who?"] = accept(username="ada", email="ada@example.org")
    answer = text_of(await session.client.call_tool("test_elicitation", {"message": "Who?"}))
    check('"username":"ada"' in answer and '"email":"ada@example.org"' in answer, answer)
    schema = session.answers.asked[-1].requestedSchema
    check(schema["required"] == ["username", "email"], schema)
    forms["Who?"] = types.ElicitResult(action="decline")
    answer = text_of(await session.client.call_tool("test_elicitation", {"message": "Who?"}))
    check(answer == "User response: action=decline", answer)
    forms["Step 1: What is your name?"] = accept(name="Ada")
    forms["Step 2: What is your favorite color?"] = accept(color="blue")
    answer = text_of(await session.client.call_tool("test_input_required_result_multi_round"))
    check(answer == "Ada likes blue.", answer)
    forms["What context should the prompt use?"] = accept(context="tea")
    prompt = await session.client.get_prompt("test_input_required_result_prompt")
    check(prompt.messages[0].content.text == "Use this context: tea", prompt)


async def urls(session: Session) -> None:
    """The user opens a URL; a legacy client is notified that the visit is over."""
    forms = session.answers.forms
    forms["Connect?"] = types.ElicitResult(action="accept")
    answer = text_of(await session.client.call_tool("test_url_elicitation"))
    check(answer == "User response: action=accept, content=null", answer)
    asked = session.answers.asked[-1]
    check(asked.mode == "url" and asked.url.startswith("https://example.com/connect/"), asked)
    ended = lambda: session.answers.visited() == [asked.elicitationId]
    await eventually(ended, "the end of the visit was not announced")
    forms["Connect?"] = types.ElicitResult(action="decline")
    answer = text_of(await session.client.call_tool("test_url_elicitation"))
    check(answer == "User response: action=decline", answer)


async def sampling_and_roots(session: Session) -> None:
    answer = text_of(await session.client.call_tool("test_sampling", {"prompt": "Hello"}))
    check(answer == "LLM response: I read: Hello", answer)
    check(session.answers.asked[-1].maxTokens == 100, session.answers.asked[-1])
    answer = text_of(await session.client.call_tool("test_input_required_result_list_roots"))
    check(answer == "Roots: file:///home/ada", answer)


async def logging(session: Session) -> None:
    await session.client.set_logging_level("debug")
    session.answers.logged.clear()
    await session.client.call_tool("test_tool_with_logging")
    logged = [(message.level, message.data) for message in session.answers.logged]
    texts = ["Tool execution started", "Tool processing data", "Tool execution completed"]
    check(logged == [("info", text) for text in texts], logged)


async def updates(session: Session) -> None:
    """A resource that changes notifies the clients that watch it."""

    def seen() -> bool:
        return any(isinstance(message, types.ResourceUpdatedNotification) for message in session.answers.notified)

    uri = AnyUrl("test://watched-resource")
    await session.client.subscribe_resource(uri)
    await session.client.call_tool("test_trigger_resource_update")
    await eventually(seen, "no notification of the resource")
    await session.client.unsubscribe_resource(uri)


async def changes(session: Session) -> None:
    def seen(kind) -> bool:
        return any(isinstance(message, kind) for message in session.answers.notified)

    await session.client.call_tool("test_trigger_tool_change")
    await eventually(lambda: seen(types.ToolListChangedNotification), "no notification of the tools")
    await session.client.call_tool("test_trigger_prompt_change")
    await eventually(lambda: seen(types.PromptListChangedNotification), "no notification of the prompts")


STEPS = [listing, content, failures, progress, prompts, resources, elicitation, urls, sampling_and_roots, logging, changes, updates]


@asynccontextmanager
async def connected(target: list[str]):
    async with AsyncExitStack() as stack:
        if target[0].startswith("http://"):
            log = os.environ["SERVER_LOG"]
            read, write, *_ = await stack.enter_async_context(streamable_http_client(target[0]))
        else:
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", encoding="utf-8"))
            log = file.name
            parameters = StdioServerParameters(command=target[0], args=target[1:])
            read, write = await stack.enter_async_context(stdio_client(parameters, errlog=file))
        answers = Answers()
        client = ClientSession(
            read,
            write,
            elicitation_callback=answers.elicit,
            sampling_callback=answers.sample,
            list_roots_callback=answers.roots,
            logging_callback=answers.log,
            message_handler=answers.notify,
        )
        yield Session(await stack.enter_async_context(client), answers, log)


async def converse(target: list[str]) -> None:
    async with connected(target) as session:
        version = (await session.client.initialize()).protocolVersion
        check(version == VERSION, f"negotiated {version}, not {VERSION}")
        for step in STEPS:
            try:
                await step(session)
            except Exception as error:
                raise Wrong(f"{step.__name__}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"


def main() -> int:
    target = sys.argv[1:]
    if not target:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        asyncio.run(asyncio.wait_for(converse(target), timeout=120))
    except Exception as error:
        print(f"python client 1.x: FAILED: {reason(error)}", file=sys.stderr)
        return 1
    print(f"python client 1.x: {len(STEPS)} steps passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
