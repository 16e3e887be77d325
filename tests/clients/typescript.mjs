// Drives the conformance server with the official TypeScript client, 2.x.
//
// Usage: node typescript.mjs COMMAND [ARGUMENT...]    over stdio, as a child process
//        node typescript.mjs URL                      over HTTP; SERVER_LOG is the server's log
//
// TYPESCRIPT_CLIENT is the folder whose node_modules has @modelcontextprotocol/client.
// Runs each function in `steps` in each era. Ends with 0 and one line for each era,
// or with 1 and what was wrong.

import { strict as assert } from "node:assert";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(join(process.env.TYPESCRIPT_CLIENT ?? ".", "package.json"));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");

const MODERN = "2026-07-28";
// How the client negotiates, and the version that must come of it.
const eras = [
  ["legacy", "legacy", "2025-11-25"],
  ["modern", { pin: MODERN }, MODERN],
  ["auto", "auto", MODERN],
];
const PATIENCE = 30_000;

const textOf = (result) => result.content.filter((block) => block.type === "text").map((block) => block.text).join("\n");

// Waits for what the server does without an answer.
async function eventually(holds, wrong) {
  const end = Date.now() + PATIENCE;
  while (!holds()) {
    assert(Date.now() < end, wrong);
    await sleep(20);
  }
}

async function listing({ client }) {
  const { tools } = await client.listTools(undefined, { cacheMode: "bypass" });
  const greet = tools.find((tool) => tool.name === "greet");
  assert(greet?.description, "greet is not listed with a description");
  assert.deepEqual(greet.inputSchema.required, ["name"]);
}

async function content({ client }) {
  const greeting = await client.callTool({ name: "greet", arguments: { name: "Ada" } });
  assert.equal(textOf(greeting), "Hello, Ada!");
  const mixed = await client.callTool({ name: "test_multiple_content_types" });
  assert.deepEqual(mixed.content.map((block) => block.type), ["text", "image", "resource"]);
  const image = mixed.content[1];
  assert.equal(image.mimeType, "image/png");
  assert.equal(Buffer.from(image.data, "base64").subarray(1, 4).toString(), "PNG");
  const audio = (await client.callTool({ name: "test_audio_content" })).content[0];
  assert.deepEqual([audio.type, audio.mimeType], ["audio", "audio/wav"]);
}

async function failures({ client }) {
  const failed = await client.callTool({ name: "test_error_handling" });
  assert(failed.isError && textOf(failed).includes("intentionally"), JSON.stringify(failed));
  const invalid = await client.callTool({ name: "greet", arguments: { name: "", nmae: "x" } });
  assert(invalid.isError && textOf(invalid).includes("nmae"), JSON.stringify(invalid));
  await assert.rejects(client.callTool({ name: "no_such_tool" }), { code: -32602 });
}

async function progress({ client }) {
  const reports = [];
  const onprogress = ({ progress, total }) => reports.push([progress, total]);
  const result = await client.callTool({ name: "test_tool_with_progress" }, { onprogress });
  assert(!result.isError, JSON.stringify(result));
  assert.deepEqual(reports, [[0, 100], [50, 100], [100, 100]]);
}

async function cancellation(session) {
  const cancelled = () =>
    readFileSync(session.log, "utf8")
      .split("\n")
      .filter((line) => line.includes('"slow_compute"') && line.includes('"outcome":"cancelled"')).length;
  const before = cancelled();
  const controller = new AbortController();
  await new Promise((resolve, reject) => {
    const call = session.client.callTool(
      { name: "slow_compute", arguments: { seconds: 100 } },
      { signal: controller.signal, onprogress: resolve },
    );
    call.then(reject, reject);
  });
  controller.abort();
  await eventually(() => cancelled() === before + 1, "the call was not cancelled");
  await listing(session);
}

async function prompts({ client }) {
  const { prompts } = await client.listPrompts(undefined, { cacheMode: "bypass" });
  const { arguments: listed } = prompts.find((prompt) => prompt.name === "test_prompt_with_arguments");
  assert.deepEqual(listed.map(({ name, required }) => [name, required]), [["arg1", true], ["arg2", true]]);
  const get = (name, given) => client.getPrompt({ name, arguments: given });
  const [message] = (await get("test_prompt_with_arguments", { arg1: "tea", arg2: "milk" })).messages;
  assert(message.role === "user" && message.content.text.includes("arg1='tea', arg2='milk'"), JSON.stringify(message));
  const ref = { type: "ref/prompt", name: "test_prompt_with_arguments" };
  const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
  assert.deepEqual(completion.values, ["paris", "park", "party"]);
  const [embedded] = (await get("test_prompt_with_embedded_resource", { resourceUri: "test://x" })).messages;
  assert.equal(embedded.content.resource.uri, "test://x");
  const [image] = (await get("test_prompt_with_image")).messages;
  assert.equal(Buffer.from(image.content.data, "base64").subarray(1, 4).toString(), "PNG");
  await assert.rejects(get("no_such_prompt"), { code: -32602 });
  await assert.rejects(get("test_prompt_with_arguments", { arg1: "tea" }), { code: -32602, message: /arg2/ });
}

async function resources({ client }) {
  const { resources } = await client.listResources(undefined, { cacheMode: "bypass" });
  assert.equal(resources.find(({ uri }) => uri === "test://static-text").mimeType, "text/plain");
  const { resourceTemplates } = await client.listResourceTemplates(undefined, { cacheMode: "bypass" });
  assert(resourceTemplates.some(({ uriTemplate }) => uriTemplate === "test://template/{id}/data"));
  const read = async (uri) => (await client.readResource({ uri })).contents[0];
  assert.equal((await read("test://static-text")).text, "This is the content of the static text resource.");
  const image = await read("test://static-binary");
  assert.equal(Buffer.from(image.blob, "base64").subarray(1, 4).toString(), "PNG");
  const data = await read("test://template/a%20b/data");
  assert.equal(data.mimeType, "application/json");
  assert.equal(JSON.parse(data.text).data, "Data for ID: a b");
  // The client gives the older code, -32002, a class of its own with the newer one.
  await assert.rejects(read("test://nothing"), { code: -32602 });
}

// What the client answers to the server's questions, and what it was sent.
class Answers {
  // The answer to a form, by the message of the form.
  forms = {};
  asked = [];
  logged = [];
  // How often a list was announced to have changed, by the name of the list.
  changes = { tools: 0, prompts: 0 };
  updated = [];
  // The ids of the visits whose end was announced.
  visited = [];

  attach(client) {
    client.setRequestHandler("elicitation/create", ({ params }) => {
      this.asked.push(params);
      return this.forms[params.message];
    });
    client.setRequestHandler("sampling/createMessage", ({ params }) => {
      this.asked.push(params);
      const { content } = params.messages.at(-1);
      const text = `I read: ${[content].flat()[0].text}`;
      return { role: "assistant", model: "none", content: { type: "text", text } };
    });
    client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///home/ada", name: "home" }] }));
    client.setNotificationHandler("notifications/message", ({ params }) => this.logged.push(params));
    client.setNotificationHandler("notifications/elicitation/complete", ({ params }) => void this.visited.push(params.elicitationId));
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => this.updated.push(params.uri));
    for (const list of Object.keys(this.changes)) {
      client.setNotificationHandler(`notifications/${list}/list_changed`, () => void (this.changes[list] += 1));
    }
  }
}

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const accept = (content) => ({ action: "accept", content });

async function elicitation({ client, answers }) {
  const { forms, asked } = answers;
  const ask = async (name, given) => textOf(await client.callTool({ name, arguments: given }));
  forms["Who?"] = accept({ username: "ada", email: "ada@example.org" });
  const answer = await ask("test_elicitation", { message: "Who?" });
  assert(answer.includes('"username":"ada"') && answer.includes('"email":"ada@example.org"'), answer);
  assert.deepEqual(asked.at(-1).requestedSchema.required, ["username", "email"]);
  forms["Who?"] = { action: "decline" };
  assert.equal(await ask("test_elicitation", { message: "Who?" }), "User response: action=decline");
  forms["What do you choose?"] = accept({
    untitledSingle: "option2",
    titledSingle: "value3",
    legacyEnum: "opt1",
    untitledMulti: ["option1", "option3"],
    titledMulti: ["value2"],
  });
  const choices = await ask("test_elicitation_sep1330_enums");
  assert(choices.includes('"titledMulti":["value2"]') && choices.includes('"legacyEnum":"opt1"'), choices);
  forms["Step 1: What is your name?"] = accept({ name: "Ada" });
  forms["Step 2: What is your favorite color?"] = accept({ color: "blue" });
  assert.equal(await ask("test_input_required_result_multi_round"), "Ada likes blue.");
  forms["What context should the prompt use?"] = accept({ context: "tea" });
  const prompt = await client.getPrompt({ name: "test_input_required_result_prompt" });
  assert.equal(prompt.messages[0].content.text, "Use this context: tea");
}

// The user opens a URL; a legacy client is notified that the visit is over.
async function urls({ client, answers: { forms, asked, visited }, isModern }) {
  const ask = async () => textOf(await client.callTool({ name: "test_url_elicitation" }));
  forms["Connect?"] = { action: "accept" };
  assert.equal(await ask(), "User response: action=accept, content=null");
  const { mode, url, elicitationId } = asked.at(-1);
  assert.equal(mode, "url");
  assert(url.startsWith("https://example.com/connect/"), url);
  if (isModern) assert.equal(elicitationId, undefined);
  else await eventually(() => visited.at(-1) === elicitationId, "the end of the visit was not announced");
  forms["Connect?"] = { action: "decline" };
  assert.equal(await ask(), "User response: action=decline");
}

async function samplingAndRoots({ client, answers }) {
  const ask = async (name, given) => textOf(await client.callTool({ name, arguments: given }));
  assert.equal(await ask("test_sampling", { prompt: "Hello" }), "LLM response: I read: Hello");
  assert.equal(answers.asked.at(-1).maxTokens, 100);
  assert.equal(await ask("test_input_required_result_list_roots"), "Roots: file:///home/ada");
  answers.forms["What is your name?"] = accept({ name: "Ada" });
  const together = await ask("test_input_required_result_multiple_inputs");
  assert.equal(together, "I read: Generate a greeting Ada has 1 roots.");
}

async function logging({ client, answers, isModern }) {
  const request = { name: "test_tool_with_logging" };
  if (isModern) request._meta = { "io.modelcontextprotocol/logLevel": "debug" };
  else await client.setLoggingLevel("debug");
  answers.logged.length = 0;
  await client.callTool(request);
  const texts = ["Tool execution started", "Tool processing data", "Tool execution completed"];
  assert.deepEqual(answers.logged.map(({ level, data }) => [level, data]), texts.map((text) => ["info", text]));
}

async function subscriptions({ client, answers }) {
  const subscription = await client.listen({ toolsListChanged: true });
  assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
  const { changes } = answers;
  const prompts = changes.prompts;
  for (const seen of [changes.tools + 1, changes.tools + 2]) {
    // Not requested, so it must not arrive.
    await client.callTool({ name: "test_trigger_prompt_change" });
    await client.callTool({ name: "test_trigger_tool_change" });
    await eventually(() => changes.tools === seen, "no notification of the tools");
  }
  assert.equal(changes.prompts, prompts);
  await subscription.close();
  assert.equal(await subscription.closed, "local");
}

// A resource that changes notifies the clients that watch it.
async function updates({ client, answers: { updated }, isModern }) {
  const uri = "test://watched-resource";
  const subscription = isModern ? await client.listen({ resourceSubscriptions: [uri] }) : undefined;
  if (!isModern) await client.subscribeResource({ uri });
  updated.length = 0;
  await client.callTool({ name: "test_trigger_resource_update" });
  await eventually(() => updated.length > 0, "no notification of the resource");
  assert.equal(updated[0], uri);
  if (isModern) await subscription.close();
  else await client.unsubscribeResource({ uri });
}

async function changes({ client, answers }) {
  for (const list of ["tool", "prompt"]) {
    const before = answers.changes[`${list}s`];
    await client.callTool({ name: `test_trigger_${list}_change` });
    await eventually(() => answers.changes[`${list}s`] > before, `no notification of the ${list}s`);
  }
}

// The client refuses results that are tasks, so this sends the messages of the
// extension over the client's transports.
async function tasks(transport) {
  const answers = new Map();
  transport.onmessage = (message) => answers.get(message.id)?.(message);
  await transport.start();
  const ask = async (method, params) => {
    const id = answers.size + 1;
    const answered = new Promise((resolve) => answers.set(id, resolve));
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": { name: "typescript-client", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {
        elicitation: { form: {} },
        extensions: { "io.modelcontextprotocol/tasks": {} },
      },
    };
    await transport.send({ jsonrpc: "2.0", id, method, params: { ...params, _meta } });
    return answered;
  };
  const begin = async (name, given) => {
    const { result } = await ask("tools/call", { name, arguments: given });
    assert.deepEqual([result.resultType, result.status], ["task", "working"]);
    return result.taskId;
  };
  const outcome = async (taskId) => {
    for (;;) {
      const { result } = await ask("tasks/get", { taskId });
      if (result.status !== "working") return result;
      await sleep(20);
    }
  };
  const computed = await outcome(await begin("slow_compute", { seconds: 1, label: "tea" }));
  assert.equal(textOf(computed.result), "Computed tea for 1 s.");
  const taskId = await begin("confirm_delete", { filename: "a.txt" });
  const asked = await outcome(taskId);
  assert.equal(asked.status, "input_required");
  const [[key, { params }]] = Object.entries(asked.inputRequests);
  assert.equal(params.message, "Delete a.txt?");
  const updated = await ask("tasks/update", { taskId, inputResponses: { [key]: accept({ confirm: true }) } });
  assert.equal(updated.result.resultType, "complete");
  assert.equal(textOf((await outcome(taskId)).result), "a.txt was deleted.");
  const failed = await outcome(await begin("protocol_error_job", {}));
  assert.deepEqual([failed.status, failed.error.code], ["failed", -32603]);
  const endless = await begin("slow_compute", { seconds: 100 });
  await ask("tasks/cancel", { taskId: endless });
  assert.equal((await outcome(endless)).status, "cancelled");
  assert.equal((await ask("tasks/get", { taskId: "made-up" })).error.code, -32602);
}

const steps = [listing, content, failures, progress, cancellation, prompts, resources, logging, elicitation, urls, samplingAndRoots, updates];
const legacySteps = [changes];
const modernSteps = [subscriptions];

// A transport of the client, and the path of the server's log.
function transportOf(target, folder) {
  if (target[0].startsWith("http://")) {
    return { transport: new StreamableHTTPClientTransport(new URL(target[0])), log: process.env.SERVER_LOG };
  }
  const log = join(folder, "log");
  const file = openSync(log, "w");
  const transport = new StdioClientTransport({ command: target[0], args: target.slice(1), stderr: file });
  return { transport, log, file };
}

async function converse(target, mode, version) {
  const folder = mkdtempSync(join(tmpdir(), "typescript-client-"));
  const info = { name: "typescript-client", version: "1" };
  const client = new Client(info, { capabilities, versionNegotiation: { mode } });
  const answers = new Answers();
  answers.attach(client);
  const { transport, log, file } = transportOf(target, folder);
  let bare;
  try {
    await client.connect(transport);
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    const session = { client, answers, log, isModern: version === MODERN };
    const all = [...steps, ...(session.isModern ? modernSteps : legacySteps)];
    for (const step of all) {
      await step(session).catch((error) => {
        throw new Error(`${step.name}: ${error.message}`, { cause: error });
      });
    }
    if (!session.isModern) return all.length;
    bare = transportOf(target, folder);
    await tasks(bare.transport).catch((error) => {
      throw new Error(`tasks: ${error.message}`, { cause: error });
    });
    return all.length + 1;
  } finally {
    await client.close();
    await bare?.transport.close();
    for (const open of [file, bare?.file]) if (open !== undefined) closeSync(open);
    rmSync(folder, { recursive: true });
  }
}

const target = process.argv.slice(2);
if (target.length === 0) {
  console.error("usage: node typescript.mjs URL | COMMAND [ARGUMENT...]");
  process.exit(2);
}
// Whatever hangs, this ends.
const deadline = setTimeout(() => {
  console.error("typescript client: FAILED: no end after 240 s");
  process.exit(1);
}, 240_000);
for (const [name, mode, version] of eras) {
  try {
    const done = await converse(target, mode, version);
    console.log(`typescript client, ${name}: ${done} steps passed`);
  } catch (error) {
    console.error(`typescript client, ${name}: FAILED: ${error.message}`);
    process.exitCode = 1;
  }
}
clearTimeout(deadline);
