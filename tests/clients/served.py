"""Runs commands against a server over HTTP.

Usage: served.py [--open] SERVER [OPTION...] -- COMMAND [ARGUMENT...] [-- COMMAND ...]

Starts `SERVER http --addr 127.0.0.1:0 OPTION...` with three keys, or without
keys if the first argument is `--open`, and waits until it listens. Runs each
command with `{url}` in it replaced by the endpoint's URL, `{sse}` by that of the
old transport, the keys in MCP_KEYS, and the path of the server's log in
SERVER_LOG. Then ends the server with SIGTERM. Ends with 0 if every command and
the server did.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading

NAMES = ["ada", "ben", "cleo"]
PATIENCE = 60


def split(arguments: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for argument in arguments:
        if argument == "--":
            parts.append([])
        else:
            parts[-1].append(argument)
    return [part for part in parts if part]


class Server:
    """A server that listens; its log is kept for when something fails."""

    def __init__(self, command: list[str], keys: dict[str, str]):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MCP_")}
        if keys:
            environment["MCP_API_KEYS"] = ",".join(f"{name}:{key}" for name, key in keys.items())
        self.log: list[str] = []
        self.file = tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".log")
        self.address: str | None = None
        self._listens = threading.Event()
        self._process = subprocess.Popen(
            [command[0], "http", "--addr", "127.0.0.1:0", *command[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._listens.wait(PATIENCE)
        if self.address is None:
            self._process.kill()
            self.tell()
            raise SystemExit("the server did not begin to listen")

    def _read(self) -> None:
        for line in self._process.stderr:
            self.log.append(line)
            self.file.write(line)
            self.file.flush()
            if self.address is None and '"listening"' in line:
                entry = json.loads(line)
                self.address = (entry.get("fields") or entry)["address"]
                self._listens.set()
        self._listens.set()

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(PATIENCE)
        return code

    def tell(self) -> None:
        print("--- the server's log, its end", *self.log[-40:], sep="\n", file=sys.stderr)


def main() -> int:
    is_open = sys.argv[1:2] == ["--open"]
    parts = split(sys.argv[2:] if is_open else sys.argv[1:])
    if len(parts) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    keys = {} if is_open else {name: secrets.token_hex(32) for name in NAMES}
    server = Server(parts[0], keys)
    environment = {**os.environ, "MCP_KEYS": ",".join(keys.values()), "SERVER_LOG": server.file.name}
    places = {"{url}": f"http://{server.address}/mcp", "{sse}": f"http://{server.address}/sse"}
    failed = False
    for command in parts[1:]:
        command = [places.get(argument, argument) for argument in command]
        failed |= subprocess.run(command, env=environment).returncode != 0
    code = server.end()
    if code != 0:
        print(f"the server ended with {code} after SIGTERM, not 0", file=sys.stderr)
    leaked = [line for line in server.log if any(key in line for key in keys.values())]
    if leaked:
        print(f"the log has a key in it: {leaked[0]}", file=sys.stderr)
    if failed or code != 0 or leaked:
        server.tell()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
