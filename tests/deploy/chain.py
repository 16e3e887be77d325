"""Runs the whole way of a call: TLS, Caddy, two replicas, Redis.

Usage: chain.py REMOTE

Starts redis-server, two replicas of `REMOTE` (the built examples/remote) and
Caddy with the Caddyfile of examples/remote, of which only addresses are changed:
everything listens on this machine alone, on ports that are free. The replicas
search a stand-in for Brave's API, whose answers this program holds back as it
likes. Then it looks at what a person would notice: certificates, keys, the
addresses that limits count, events that arrive at once, hanging up that cancels
a call, sessions that any replica serves, and a restart of both replicas, one
after the other, under calls, of which none may fail. Ends with 0, or with 1 and
what was wrong.
"""

import http.client
import http.server
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

REMOTE = Path(__file__).resolve().parents[2] / "examples" / "remote"
PATIENCE = 60
DRAIN_DELAY = 3
# As many callers as calls stay below 60 a minute for each.
KEYS = {f"caller-{number}": secrets.token_hex(16) for number in range(40)}


class Wrong(Exception):
    """Something else happened than should."""


def check(holds, wrong: str) -> None:
    if not holds:
        raise Wrong(wrong)


def until(holds, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < deadline, f"it never came to be: {what}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_sockets:
        found = []
        for _ in range(count):
            bound = open_sockets.enter_context(socket.socket())
            bound.bind(("127.0.0.1", 0))
            found.append(bound.getsockname()[1])
        return found


class Brave(http.server.ThreadingHTTPServer):
    """The stand-in: answers at once, unless the query is `hold`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), BraveHandler)
        self.asked = threading.Semaphore(0)
        self.release = threading.Event()
        self.left = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class BraveHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "q=hold" in self.path:
            self.server.asked.release()
            self.connection.settimeout(0.02)
            while not self.server.release.is_set():
                try:
                    if self.connection.recv(1) == b"":
                        self.server.left.set()
                        return
                except TimeoutError:
                    continue
            self.connection.settimeout(None)
        hit = {"title": "A hit", "url": "https://example.com/", "description": "What was looked for"}
        body = json.dumps({"type": "search", "web": {"results": [hit]}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


class Process:
    """A program that is ended with the run; its output is kept."""

    def __init__(self, name: str, command: list, environment: dict | None = None):
        self.name, self.log = name, []
        self._process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=lambda: self.log.extend(self._process.stdout), daemon=True)
        self._reader.start()

    def has_logged(self, part: str) -> bool:
        check(self._process.poll() is None, f"{self.name} has ended:\n{''.join(self.log[-20:])}")
        return any(part in line for line in list(self.log))

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Wrong(f"{self.name} does not end") from None
        self._reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Chain:
    """All that runs, and how to call it."""

    def __init__(self, remote: str, scratch: Path, running: ExitStack):
        self.remote, self.scratch, self.running = remote, scratch, running
        self.redis_port, self.public_port, *self.replica_ports = free_ports(4)
        self.brave = Brave()
        self.keys = scratch / "keys"
        self.keys.write_text("".join(f"{name}:{key}\n" for name, key in KEYS.items()))
        self.keys.chmod(0o600)
        self.processes: list[Process] = []

        redis = ["redis-server", "--bind", "127.0.0.1", "--port", self.redis_port, "--save", "", "--dir", scratch]
        self.redis = self.start("redis", redis)
        self.replicas = [self.replica(port) for port in self.replica_ports]
        self.caddy = self.start("caddy", ["caddy", "run", "--config", self.caddy_config()], self.caddy_environment())
        root = scratch / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        until(root.exists, "Caddy has an authority of its own")
        self.tls = ssl.create_default_context(cafile=root)
        until(self.is_up, "the chain answers")

    def start(self, name: str, command: list, environment: dict | None = None) -> Process:
        process = Process(name, command, environment)
        self.processes.append(process)
        self.running.callback(process.kill)
        return process

    def replica(self, port: int) -> Process:
        settings = {
            "MCP_HTTP_ADDR": f"127.0.0.1:{port}",
            "MCP_PUBLIC_URL": f"https://localhost:{self.public_port}/mcp",
            "MCP_API_KEYS_FILE": str(self.keys),
            "MCP_TRUSTED_PROXIES": "127.0.0.1/32",
            "MCP_DRAIN_DELAY": f"{DRAIN_DELAY}s",
            "MCP_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "BRAVE_API_KEY": "not-a-real-key",
            "BRAVE_BASE_URL": f"http://127.0.0.1:{self.brave.server_port}",
            "RUST_LOG": "info",
        }
        process = self.start(f"replica on {port}", [self.remote, "http"], settings)
        until(lambda: process.has_logged('"listening"'), f"{process.name} listens")
        return process

    def caddy_environment(self) -> dict:
        return {
            "DOMAIN": f"localhost:{self.public_port}",
            "REPLICAS": " ".join(f"127.0.0.1:{port}" for port in self.replica_ports),
            "XDG_DATA_HOME": str(self.scratch / "data"),
            "XDG_CONFIG_HOME": str(self.scratch / "config"),
            "HOME": str(self.scratch),
        }

    def caddy_config(self) -> Path:
        """The Caddyfile as Caddy reads it, on this machine's own address, and
        without a mark on the machine: no redirect from port 80, no authority
        that browsers here would trust."""
        adapt = ["caddy", "adapt", "--config", REMOTE / "Caddyfile", "--adapter", "caddyfile"]
        adapted = subprocess.run(adapt, env={**os.environ, **self.caddy_environment()}, capture_output=True, check=True)
        told = json.loads(adapted.stdout)
        (server,) = told["apps"]["http"]["servers"].values()
        server["listen"] = [f"127.0.0.1:{self.public_port}"]
        server["automatic_https"] = {"disable_redirects": True}
        told["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
        told["admin"] = {"disabled": True}
        path = self.scratch / "caddy.json"
        path.write_text(json.dumps(told))
        return path

    def is_up(self) -> bool:
        self.caddy.has_logged("")
        try:
            return self.call("caller-0", "anything")[0] == 200
        except OSError:
            return False

    @contextmanager
    def request(self, method: str, path: str, headers: dict, body: str | None = None, reads: bool = True):
        connection = http.client.HTTPSConnection("localhost", self.public_port, context=self.tls, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            yield connection, connection.getresponse() if reads else None
        finally:
            connection.close()

    def post(self, caller: str | None, message: dict, headers: dict, reads: bool = True):
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
        if caller:
            headers["x-api-key"] = KEYS[caller]
        return self.request("POST", "/mcp", headers, json.dumps(message), reads)

    def modern(self, caller: str | None, method: str, params: dict, reads: bool = True):
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        own = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
        if "name" in params:
            own["mcp-name"] = params["name"]
        return self.post(caller, message, own, reads)

    def search(self, caller: str | None, query: str, reads: bool = True):
        return self.modern(caller, "tools/call", {"name": "search_web", "arguments": {"query": query}}, reads)

    @contextmanager
    def search_later(self, caller: str, query: str):
        """A search that is sent, and whose answer is read later."""
        with self.search(caller, query, reads=False) as (connection, _):
            yield connection

    def call(self, caller: str | None, query: str) -> tuple[int, str]:
        with self.search(caller, query) as (_, answer):
            return answer.status, answer.read().decode()

    def tell(self) -> None:
        for process in self.processes:
            print(f"--- {process.name}, its end", *process.log[-20:], sep="\n", file=sys.stderr)


def doors(chain: Chain) -> None:
    """TLS, keys, and nothing but the endpoint in the open."""
    status, body = chain.call("caller-0", "anything")
    check(status == 200 and "A hit" in body, f"a call is answered with {status}: {body}")
    check(chain.call(None, "anything")[0] == 401, "a call without a key is not refused")
    for path in ("/livez", "/readyz", "/health", "/metrics", "/"):
        with chain.request("GET", path, {}) as (_, answer):
            check(answer.status == 404, f"{path} is answered outside with {answer.status}")
    large = {"x-api-key": KEYS["caller-0"], "content-type": "application/json", "content-length": str(6 << 20)}
    with chain.request("POST", "/mcp", large) as (_, answer):
        check(answer.status == 413, f"6 MiB are answered with {answer.status}")
    with chain.request("GET", "/mcp", {}) as (_, answer):
        check(answer.headers["strict-transport-security"], "the answer does not ask for TLS in future")


def addresses(chain: Chain) -> None:
    """What a client claims to be forwarded for is dropped: all that it claims
    counts for one address, and that has a limit."""
    def status(number: int) -> int:
        with chain.request("POST", "/mcp", {"x-forwarded-for": f"203.0.113.{number % 250}"}, "{}") as (_, answer):
            return answer.status

    answers = (status(number) for number in range(1000))
    refused = next((answer for answer in answers if answer == 429), None)
    check(refused, "an address that claims to be many is not limited")


def streams(chain: Chain) -> None:
    """The first event arrives while the stream is open."""
    params = {"notifications": {"toolsListChanged": True}}
    with chain.modern("caller-1", "subscriptions/listen", params) as (_, answer):
        check(answer.status == 200, f"listening is answered with {answer.status}")
        check(answer.headers["content-type"].startswith("text/event-stream"), "listening gives no stream")
        line = next(line for line in answer if line.startswith(b"data:") and b"{" in line)
        check(b"acknowledged" in line, f"the first event is {line}")


def hanging_up(chain: Chain) -> None:
    """A client that leaves cancels its call, through Caddy."""
    with chain.search_later("caller-2", "hold") as connection:
        check(chain.brave.asked.acquire(timeout=PATIENCE), "the call does not arrive")
        connection.close()
    check(chain.brave.left.wait(PATIENCE), "the call goes on though its caller has left")
    cancelled = '"outcome":"cancelled"'
    until(lambda: any(replica.has_logged(cancelled) for replica in chain.replicas), "the log says that it was cancelled")


def sessions(chain: Chain) -> None:
    """A session works wherever Caddy sends it, for its owner alone."""
    for number in range(6):
        session = Session(chain, f"caller-{3 + number}")
        check(session.call()[0] == 200, "a session is not known where Caddy sends it")
        check(session.call("caller-0")[0] == 404, "a session is another caller's too")


class Session:
    """A legacy client."""

    def __init__(self, chain: Chain, caller: str):
        self.chain, self.caller = chain, caller
        self.headers = {"mcp-protocol-version": "2025-11-25"}
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "chain", "version": "1"}}
        with self.send({"id": 0, "method": "initialize", "params": info}) as (_, answer):
            body = answer.read()
            check(answer.status == 200, f"initialize is answered with {answer.status}: {body}")
            self.headers["mcp-session-id"] = answer.headers["mcp-session-id"]
        with self.send({"method": "notifications/initialized"}) as (_, answer):
            check(answer.status == 202, f"initialized is answered with {answer.status}")

    def send(self, message: dict, caller: str | None = None):
        return self.chain.post(caller or self.caller, {"jsonrpc": "2.0", **message}, self.headers)

    def call(self, caller: str | None = None) -> tuple[int, str]:
        params = {"name": "search_web", "arguments": {"query": "anything"}}
        with self.send({"id": 1, "method": "tools/call", "params": params}, caller) as (_, answer):
            return answer.status, answer.read().decode()


def rolling_restart(chain: Chain) -> None:
    """Both replicas are replaced while calls come, in both eras. None fails, and
    one that is in flight all the time of a shutdown is answered."""
    stop, failed, done = threading.Event(), [], []

    def calls(callers: list[str], as_session: bool) -> None:
        session = Session(chain, callers[0]) if as_session else None
        number = 0
        while not stop.is_set():
            try:
                status, body = session.call() if session else chain.call(callers[number % len(callers)], "anything")
                (done if status == 200 and '"isError":true' not in body else failed).append((status, body))
            except OSError as error:
                failed.append((0, repr(error)))
            number += 1
            # No caller is to meet its limit, and neither is the one address
            # that all of them have.
            stop.wait(1.2 if session else 0.1)

    names = list(KEYS)
    # Callers of their own, enough that none meets the limit.
    groups = [(names[10:25], False), (names[25:38], False), (names[38:39], True), (names[39:40], True)]
    threads = [threading.Thread(target=calls, args=group, daemon=True) for group in groups]
    for thread in threads:
        thread.start()
    for index, port in enumerate(chain.replica_ports):
        old = chain.replicas[index]
        chain.brave.release.clear()
        held = [chain.running.enter_context(chain.search_later(name, "hold")) for name in names[3:9]]
        for _ in held:
            check(chain.brave.asked.acquire(timeout=PATIENCE), "a call does not arrive")
        old.terminate()
        until(lambda: old.has_logged('"draining"'), "the replica drains")
        until(lambda: not is_ready(port), "it says that it is to be left alone")
        time.sleep(DRAIN_DELAY + 1)  # until no new call is taken
        chain.brave.release.set()
        for connection in held:
            answer = connection.getresponse()
            body = answer.read()
            check(answer.status == 200 and b"A hit" in body, f"a call in flight is answered with {answer.status}: {body}")
        code = old.end()
        check(code == 0, f"the replica ends with {code}")
        chain.replicas[index] = chain.replica(port)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    check(not failed, f"{len(failed)} of {len(failed) + len(done)} calls failed: {failed[:3]}")
    check(len(done) > 20, f"there were only {len(done)} calls")
    print(f"chain: {len(done)} calls during the restart of both replicas, none lost")


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as running:
        chain = None
        try:
            chain = Chain(sys.argv[1], Path(scratch), running)
            for step in (doors, streams, hanging_up, sessions, rolling_restart, addresses):
                step(chain)
                print(f"chain, {step.__name__.replace('_', ' ')}: as it should be", flush=True)
        except Wrong as wrong:
            print(f"chain: FAILED: {wrong}", file=sys.stderr)
            if chain:
                chain.tell()
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
