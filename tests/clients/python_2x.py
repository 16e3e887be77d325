"""Drives the conformance server with the official Python client, 2.x.

Usage: python_2x.py COMMAND [ARGUMENT...]    over stdio, as a child process
       python_2x.py URL                      over HTTP; SERVER_LOG is the server's log

Runs each function in STEPS in each era. Ends with 0 and one line for each era,
or with 1 and what was wrong.
"""

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import mcp_types as types
from mcp import Client, MCPDeprecationWarning, MCPError, StdioServerParameters, stdio_client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.subscriptions import PromptsListChanged, ResourceUpdated, ToolsListChanged
from pydantic import TypeAdapter

warnings.simplefilter("ignore", MCPDeprecationWarning)

# How the client negotiates, and the version that must come of it.
ERAS = {"legacy": "2025-11-25", "2026-07-28": "2026-07-28", "auto": "2026-07-28"}
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
        self.notified.append(message)

    def visited(self) -> list[str]:
        """The ids of the visits whose end was announced."""
        messages = [getattr(message, "root", message) for message in self.notified]
        ends = [end for end in messages if isinstance(end, types.ElicitCompleteNotification)]
        return [end.params.elicitation_id for end in ends]


@dataclass
class Session:
    client: Client
    answers: Answers
    # The path of the server's log.
    log: str
    is_modern: bool


def check(holds: bool, wrong) -> None:
    if not holds:
        raise Wrong(str(wrong))


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def refused(code: int, call) -> MCPError:
    """The error with this code that the call must end with."""
    try:
        result = await call
    except MCPError as error:
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
    check(tools["greet"].input_schema["required"] == ["name"], tools["greet"].input_schema)


async def content(session: Session) -> None:
    call = session.client.call_tool
    greeting = await call("greet", {"name": "Ada"})
    check(text_of(greeting) == "Hello, Ada!", greeting)
    mixed = await call("test_multiple_content_types")
    check([block.type for block in mixed.content] == ["text", "image", "resource"], mixed)
    image = mixed.content[1]
    check(image.mime_type == "image/png" and base64.b64decode(image.data).startswith(b"\x89PNG"), image)
    audio = (await call("test_audio_content")).content[0]
    check(audio.type == "audio" and audio.mime_type == "audio/wav", audio)


async def failures(session: Session) -> None:
    failed = await session.client.call_tool("test_error_handling")
    check(failed.is_error and "intentionally" in text_of(failed), failed)
    invalid = await session.client.call_tool("greet", {"name": "", "nmae": "x"})
    check(invalid.is_error and "nmae" in text_of(invalid), invalid)
    await refused(-32602, session.client.call_tool("no_such_tool"))


async def progress(session: Session) -> None:
    reports = []

    async def report(done: float, total: float | None, message: str | None) -> None:
        reports.append((done, total))

    result = await session.client.call_tool("test_tool_with_progress", progress_callback=report)
    check(not result.is_error, result)
    check(reports == [(0, 100), (50, 100), (100, 100)], reports)


async def cancellation(session: Session) -> None:
    def cancelled() -> int:
        with open(session.log, encoding="utf-8") as log:
            return sum('"slow_compute"' in line and '"outcome":"cancelled"' in line for line in log)

    begun = asyncio.Event()

    async def report(done: float, total: float | None, message: str | None) -> None:
        begun.set()

    before = cancelled()
    slow = session.client.call_tool("slow_compute", {"seconds": 100}, progress_callback=report)
    call = asyncio.create_task(slow)
    await asyncio.wait_for(begun.wait(), PATIENCE)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await eventually(lambda: cancelled() == before + 1, "the call was not cancelled")
    await listing(session)


async def prompts(session: Session) -> None:
    listed = {prompt.name: prompt for prompt in (await session.client.list_prompts()).prompts}
    arguments = listed["test_prompt_with_arguments"].arguments
    check([(one.name, one.required) for one in arguments] == [("arg1", True), ("arg2", True)], arguments)
    get = session.client.get_prompt
    message = (await get("test_prompt_with_arguments", {"arg1": "tea", "arg2": "milk"})).messages[0]
    check(message.role == "user" and "arg1='tea', arg2='milk'" in message.content.text, message)
    reference = types.PromptReference(name="test_prompt_with_arguments")
    completed = await session.client.complete(reference, {"name": "arg1", "value": "par"})
    check(completed.completion.values == ["paris", "park", "party"], completed)
    embedded = (await get("test_prompt_with_embedded_resource", {"resourceUri": "test://x"})).messages[0]
    check(embedded.content.resource.uri == "test://x", embedded)
    image = (await get("test_prompt_with_image")).messages[0].content
    check(image.type == "image" and base64.b64decode(image.data).startswith(b"\x89PNG"), image)
    await refused(-32602, get("no_such_prompt"))
    missing = await refused(-32602, get("test_prompt_with_arguments", {"arg1": "tea"}))
    check("arg2" in missing.error.message, missing)


async def resources(session: Session) -> None:
    read = session.client.read_resource
    listed = {str(resource.uri): resource for resource in (await session.client.list_resources()).resources}
    check(listed["test://static-text"].mime_type == "text/plain", listed)
    templates = (await session.client.list_resource_templates()).resource_templates
    check("test://template/{id}/data" in [template.uri_template for template in templates], templates)
    text = (await read("test://static-text")).contents[0]
    check(text.text == "This is the content of the static text resource.", text)
    image = (await read("test://static-binary")).contents[0]
    check(base64.b64decode(image.blob).startswith(b"\x89PNG"), image)
    data = (await read("test://template/a%20b/data")).contents[0]
    check(json.loads(data.text)["data"] == "Data for ID: a b" and data.mime_type == "application/json", data)
    await refused(-32602 if session.is_modern else -32002, read("test://nothing"))


def accept(**content):
    return types.ElicitResult(action="accept", content=content)


async def elicitation(session: Session) -> None:
    forms = session.answers.forms
    forms["Who?"] = accept(username="ada", email="ada@example.org")
    answer = text_of(await session.client.call_tool("test_elicitation", {"message": "Who?"}))
    check('"username":"ada"' in answer and '"email":"ada@example.org"' in answer, answer)
    schema = session.answers.asked[-1].requested_schema
    check(schema["required"] == ["username", "email"], schema)
    forms["Who?"] = types.ElicitResult(action="decline")
    answer = text_of(await session.client.call_tool("test_elicitation", {"message": "Who?"}))
    check(answer == "User response: action=decline", answer)
    choices = {
        "untitledSingle": "option2",
        "titledSingle": "value3",
        "legacyEnum": "opt1",
        "untitledMulti": ["option1", "option3"],
        "titledMulti": ["value2"],
    }
    forms["What do you choose?"] = accept(**choices)
    answer = text_of(await session.client.call_tool("test_elicitation_sep1330_enums"))
    check('"titledMulti":["value2"]' in answer and '"legacyEnum":"opt1"' in answer, answer)
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
    if session.is_modern:
        check(asked.elicitation_id is None, asked)
    else:
        ended = lambda: session.answers.visited() == [asked.elicitation_id]
        await eventually(ended, "the end of the visit was not announced")
    forms["Connect?"] = types.ElicitResult(action="decline")
    answer = text_of(await session.client.call_tool("test_url_elicitation"))
    check(answer == "User response: action=decline", answer)


async def sampling_and_roots(session: Session) -> None:
    answer = text_of(await session.client.call_tool("test_sampling", {"prompt": "Hello"}))
    check(answer == "LLM response: I read: Hello", answer)
    check(session.answers.asked[-1].max_tokens == 100, session.answers.asked[-1])
    answer = text_of(await session.client.call_tool("test_input_required_result_list_roots"))
    check(answer == "Roots: file:///home/ada", answer)
    session.answers.forms["What is your name?"] = accept(name="Ada")
    answer = text_of(await session.client.call_tool("test_input_required_result_multiple_inputs"))
    check(answer == "I read: Generate a greeting Ada has 1 roots.", answer)


async def logging(session: Session) -> None:
    if not session.is_modern:
        await session.client.set_logging_level("debug")
    session.answers.logged.clear()
    await session.client.call_tool("test_tool_with_logging")
    logged = [(message.level, message.data) for message in session.answers.logged]
    texts = ["Tool execution started", "Tool processing data", "Tool execution completed"]
    check(logged == [("info", text) for text in texts], logged)


async def subscriptions(session: Session) -> None:
    call = session.client.call_tool
    async with session.client.listen(tools_list_changed=True) as subscription:
        check(subscription.honored.tools_list_changed, subscription.honored)
        events = aiter(subscription)
        for _ in range(2):
            # Not requested, so it must not arrive.
            await call("test_trigger_prompt_change")
            await call("test_trigger_tool_change")
            event = await asyncio.wait_for(anext(events), PATIENCE)
            check(isinstance(event, ToolsListChanged), event)
    async with session.client.listen(prompts_list_changed=True) as subscription:
        await call("test_trigger_prompt_change")
        event = await asyncio.wait_for(anext(aiter(subscription)), PATIENCE)
        check(isinstance(event, PromptsListChanged), event)


async def updates(session: Session) -> None:
    """A resource that changes notifies the clients that watch it."""
    uri = "test://watched-resource"
    trigger = session.client.call_tool
    if session.is_modern:
        async with session.client.listen(resource_subscriptions=[uri]) as subscription:
            await trigger("test_trigger_resource_update")
            event = await asyncio.wait_for(anext(aiter(subscription)), PATIENCE)
            check(isinstance(event, ResourceUpdated) and event.uri == uri, event)
        return

    def seen() -> bool:
        return any(isinstance(message, types.ResourceUpdatedNotification) for message in session.answers.notified)

    await session.client.subscribe_resource(uri)
    await trigger("test_trigger_resource_update")
    await eventually(seen, "no notification of the resource")
    await session.client.unsubscribe_resource(uri)


async def changes(session: Session) -> None:
    def seen(kind) -> bool:
        return any(isinstance(message, kind) for message in session.answers.notified)

    await session.client.call_tool("test_trigger_tool_change")
    await eventually(lambda: seen(types.ToolListChangedNotification), "no notification of the tools")
    await session.client.call_tool("test_trigger_prompt_change")
    await eventually(lambda: seen(types.PromptListChangedNotification), "no notification of the prompts")


STEPS = [listing, content, failures, progress, cancellation, prompts, resources, logging, elicitation, urls, sampling_and_roots, updates]
LEGACY_STEPS = [changes]
MODERN_STEPS = [subscriptions]


class NewTask(types.Result):
    """The answer to a call that has become a task."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class TaskRequest(types.Request):
    """A request about a task, which the client repeats in a header."""

    name_param = "taskId"
    method: str
    params: dict


class Tasks(ClientExtension):
    """The extension for tasks: waits for the result of each, and keeps their states."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self, forms: dict):
        self.forms = forms
        self.states = []

    def claims(self):
        return [ResultClaim(result_type="task", model=NewTask, resolve=self.resolve)]

    async def resolve(self, created: NewTask, context: ClaimContext) -> types.CallToolResult:
        check(created.status == "working", created)
        while True:
            state = await ask(context.session, "tasks/get", created.task_id)
            self.states.append(state)
            if state["status"] == "completed":
                return types.CallToolResult.model_validate(state["result"])
            if state["status"] == "failed":
                error = state["error"]
                raise MCPError(error["code"], error["message"])
            check(state["status"] in ("working", "input_required"), state)
            answers = {
                key: self.forms[request["params"]["message"]]
                for key, request in state.get("inputRequests", {}).items()
            }
            if answers:
                await ask(context.session, "tasks/update", created.task_id, inputResponses=answers)
            await asyncio.sleep(0.02)


async def ask(session, method: str, task: str, **more) -> dict:
    params = {"taskId": task, **more}
    return await session.send_request(TaskRequest(method=method, params=params), TypeAdapter(dict))


async def tasks(target: list[str], mode: str, version: str) -> None:
    """In a session of its own, since its calls become tasks."""
    forms = {"Delete a.txt?": {"action": "accept", "content": {"confirm": True}}}
    extension = Tasks(forms)
    async with connected(target, mode, version, extensions=[extension]) as session:
        call = session.client.call_tool
        computed = await call("slow_compute", {"seconds": 1, "label": "tea"})
        check(text_of(computed) == "Computed tea for 1 s.", computed)
        check(len(extension.states) > 1, extension.states)
        deleted = await call("confirm_delete", {"filename": "a.txt"})
        check(text_of(deleted) == "a.txt was deleted.", deleted)
        failed = await call("failing_job")
        check(failed.is_error, failed)
        await refused(-32603, call("protocol_error_job"))
        created = await session.client.session.call_tool("slow_compute", {"seconds": 100}, allow_claimed=True)
        check(isinstance(created, NewTask), created)
        for _ in range(2):
            await ask(session.client.session, "tasks/cancel", created.task_id)
        state = await ask(session.client.session, "tasks/get", created.task_id)
        check(state["status"] == "cancelled", state)
        await refused(-32602, ask(session.client.session, "tasks/get", "made-up"))


@asynccontextmanager
async def connected(target: list[str], mode: str, version: str, extensions=None):
    answers = Answers()
    is_modern = version >= "2026"
    options = {
        "mode": mode,
        "read_timeout_seconds": 60,
        "cache": None,
        "elicitation_callback": answers.elicit,
        "sampling_callback": answers.sample,
        "list_roots_callback": answers.roots,
        "logging_callback": answers.log,
        "message_handler": answers.notify,
        "log_level": "debug" if is_modern else None,
        "extensions": extensions,
    }
    if target[0].startswith("http://"):
        async with Client(target[0], **options) as client:
            yield Session(client, answers, os.environ["SERVER_LOG"], is_modern)
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as log:
        transport = stdio_client(StdioServerParameters(command=target[0], args=target[1:]), errlog=log)
        async with Client(transport, **options) as client:
            yield Session(client, answers, log.name, is_modern)


async def converse(target: list[str], mode: str, version: str) -> int:
    async with connected(target, mode, version) as session:
        negotiated = session.client.protocol_version
        check(negotiated == version, f"negotiated {negotiated}, not {version}")
        steps = STEPS + (MODERN_STEPS if session.is_modern else LEGACY_STEPS)
        for step in steps:
            try:
                await step(session)
            except Exception as error:
                raise Wrong(f"{step.__name__}: {reason(error)}") from error
    if version < "2026":
        return len(steps)
    try:
        await tasks(target, mode, version)
    except Exception as error:
        raise Wrong(f"tasks: {reason(error)}") from error
    return len(steps) + 1


def reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"


def main() -> int:
    target = sys.argv[1:]
    if not target:
        print(__doc__, file=sys.stderr)
        return 2
    failed = False
    for mode, version in ERAS.items():
        try:
            steps = asyncio.run(asyncio.wait_for(converse(target, mode, version), timeout=120))
        except Exception as error:  # whatever it is, the other eras are tried too
            failed = True
            print(f"python client 2.x, {mode}: FAILED: {reason(error)}", file=sys.stderr)
        else:
            print(f"python client 2.x, {mode}: {steps} steps passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
