"""Checks the deployment files of the examples, without a container engine.

Usage: check.py

Reads each file as its program would, and asserts what matters: no process is
root, nothing secret is baked in, probes are wired, the supervisor waits
for its drain, and ports, users and networks agree from file to file. Wants
PyYAML, compose-spec, kubernetes-validate and hadolint beside this Python, and
caddy, systemd-analyze and cargo on the path. Ends with 0, or with 1 and all that
is wrong.
"""

import ipaddress
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from compose_spec import PyCompose

import image

ROOT = Path(__file__).resolve().parents[2]
REMOTE = ROOT / "examples" / "remote"
COPIED = ROOT / "examples" / "web-search"
# How long calls in flight get once a server drains (mcp-kit's default).
DRAIN_SECONDS = 10
SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
# Names that only look secret: they say where something is.
PLACES = re.compile(r"_FILE$|_PATH$")

problems: list[str] = []


def check(holds, wrong: str) -> None:
    if not holds:
        problems.append(wrong)


def run(name: str, *command, cwd=None) -> str:
    try:
        done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    except FileNotFoundError:
        problems.append(f"{name}: {command[0]} is not installed")
        return ""
    if done.returncode != 0:
        problems.append(f"{name}: {Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    elif "Unknown key" in done.stderr:  # systemd only remarks on it
        problems.append(f"{name}: {done.stderr}")
    return done.stdout


def beside(tool: str) -> Path:
    """A program of the environment that runs this."""
    return Path(sys.executable).parent / tool


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|min)?", str(text)).groups()
    return int(number) * (60 if unit == "min" else 1)


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def no_secrets(where: str, variables: dict) -> None:
    for name, value in variables.items():
        is_secret = SECRET.search(name) and not PLACES.search(name)
        is_reference = not value or re.fullmatch(r"\$\{[A-Z_]+:-\}", str(value))
        check(not is_secret or is_reference, f"{where}: {name} has a value; secrets come at run time")


def dockerfile() -> dict:
    """What the image is, for the files that use it."""
    path = REMOTE / "Dockerfile"
    run("Dockerfile", beside("hadolint"), path)
    stages = image.stages(path.read_text())
    last = stages[-1].instructions
    said = {name: value for name, value in last if name != "COPY"}
    arguments = dict(value.split("=", 1) for name, value in image.preamble(path.read_text()) if name == "ARG")
    for argument, base in arguments.items():
        check(re.fullmatch(r"[a-z/-]+:(?!latest)[\w.-]*\w", base), f"Dockerfile: {argument}={base} is not pinned by a tag")
    for stage in stages:
        for name, value in stage.instructions:
            if name in ("ENV", "ARG"):
                no_secrets("Dockerfile", dict([value.split("=", 1)]) if "=" in value else {})
            check(name != "ADD", "Dockerfile: ADD fetches and unpacks; COPY does not")
    check(all(value.startswith("--from=") for name, value in last if name == "COPY"), "Dockerfile: the last stage takes something from outside of the build")
    check(not any(name == "RUN" for name, _ in last), "Dockerfile: the last stage runs something")
    check(said.get("STOPSIGNAL") == "SIGTERM", "Dockerfile: STOPSIGNAL is not SIGTERM")
    for name in ("ENTRYPOINT", "CMD"):
        check(said.get(name, "").startswith("["), f"Dockerfile: {name} is not a list, so signals go to a shell")
    health = re.search(r"CMD (\[.*\])$", said.get("HEALTHCHECK", ""))
    entrypoint = json.loads(said.get("ENTRYPOINT", "[]"))
    check(health and json.loads(health[1]) == [*entrypoint, "health"], "Dockerfile: the health check is not the program's own")
    user = re.fullmatch(r"([1-9]\d*):([1-9]\d*)", said.get("USER", ""))
    check(user, "Dockerfile: USER is not two numbers other than 0")
    stripped = any(("ENV", "CARGO_PROFILE_RELEASE_STRIP=true") == each for stage in stages for each in stage.instructions)
    check(stripped, "Dockerfile: the program is not stripped")
    address = dict(value.split("=", 1) for name, value in last if name == "ENV")["MCP_HTTP_ADDR"]
    check(said.get("EXPOSE") == str(port_of(address)), "Dockerfile: EXPOSE is another port than MCP_HTTP_ADDR")
    return {"user": int(user[1]) if user else None, "port": port_of(address)}


def context() -> None:
    """What the builder is sent, and that cargo can read what the first stage leaves of it."""
    patterns = (REMOTE / "Dockerfile.dockerignore").read_text()
    with tempfile.TemporaryDirectory() as folder:
        sent = image.copy_context(ROOT, patterns, Path(folder))
        for forbidden in (".git/", ".env", "secrets/", "target/", "rust-toolchain.toml"):
            found = [path for path in sent if forbidden in path]
            check(not found, f"Dockerfile.dockerignore: {found[:3]} is sent to the builder")
        for needed in ("Cargo.lock", "examples/remote/src/main.rs", "examples/web-search/corpus/limits.md"):
            check(needed in sent, f"Dockerfile.dockerignore: {needed} is not sent to the builder")
        stages = image.stages((REMOTE / "Dockerfile").read_text())
        for command in image.commands(stages, "manifests"):
            run("Dockerfile, stage manifests", "sh", "-c", command, cwd=folder)
        metadata = run("Dockerfile, stage manifests", "cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1", cwd=folder)
        if metadata:
            own = {package["name"] for package in json.loads(metadata)["packages"]}
            check("remote" in own, "Dockerfile: the first stage loses the example")


def copied() -> None:
    """The image of a crate that was copied out of the repository."""
    text = (COPIED / "Dockerfile").read_text()
    run("web-search/Dockerfile", beside("hadolint"), COPIED / "Dockerfile")
    stages = image.stages(text)
    last = stages[-1].instructions
    said = {name: value for name, value in last if name != "COPY"}
    check(all(value.startswith("--from=") for name, value in last if name == "COPY"), "web-search/Dockerfile: the last stage takes something from outside of the build")
    check(not any(name == "RUN" for name, _ in last), "web-search/Dockerfile: the last stage runs something")
    check(re.fullmatch(r"[1-9]\d*:[1-9]\d*", said.get("USER", "")), "web-search/Dockerfile: USER is not two numbers other than 0")
    check(said.get("STOPSIGNAL") == "SIGTERM", "web-search/Dockerfile: STOPSIGNAL is not SIGTERM")
    # The lines are the same, so both images are built and run on the same systems.
    remote = (REMOTE / "Dockerfile").read_text()
    check(image.preamble(text) == image.preamble(remote), "web-search/Dockerfile: other base images than those of examples/remote")
    with tempfile.TemporaryDirectory() as folder:
        # As the stage `build` has it: the checkout beside the crate.
        crate = Path(folder) / "app"
        sent = image.copy_context(COPIED, (COPIED / "Dockerfile.dockerignore").read_text(), crate)
        check("src/main.rs" in sent and "corpus/limits.md" in sent, "web-search/Dockerfile.dockerignore: sources are not sent to the builder")
        (Path(folder) / "mcp-kit").symlink_to(ROOT)
        manifest = crate / "Cargo.toml"
        manifest.write_text(manifest.read_text().replace('"../../mcp-kit"', '"../mcp-kit/mcp-kit"'))
        (crate / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
        # The lock file that the crate's first build leaves.
        run("web-search/Dockerfile", "cargo", "metadata", "--offline", "--format-version", "1", cwd=crate)
        (source,) = [rest for name, rest in last if name == "COPY" and rest.endswith("/usr/local/bin/web-search")]
        metadata = run("web-search/Dockerfile", "cargo", "metadata", "--offline", "--locked", "--no-deps", "--format-version", "1", cwd=crate)
        if metadata:
            targets = [target for package in json.loads(metadata)["packages"] for target in package["targets"]]
            programs = [target["name"] for target in targets if target["kind"] == ["bin"]]
            check(f"/target/release/{programs[0]} " in source, "web-search/Dockerfile: it copies another program")


def compose(built: dict) -> None:
    text = (REMOTE / "compose.yaml").read_text()
    told = yaml.safe_load(text)
    plain = {name: value for name, value in told.items() if not name.startswith("x-")}
    try:
        PyCompose.from_json(json.dumps(plain)).validate()
    except ValueError as error:
        problems.append(f"compose.yaml: {error}")
    services = told["services"]
    for name, service in services.items():
        where = f"compose.yaml: {name}"
        check(service.get("read_only") is True, f"{where}: the root file system can be written")
        check(service.get("cap_drop") == ["ALL"], f"{where}: capabilities are kept")
        check("no-new-privileges:true" in service.get("security_opt", []), f"{where}: privileges can be gained")
        check(not service.get("privileged"), f"{where}: privileged")
        check(not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), f"{where}: it holds the engine's socket")
        check(service.get("mem_limit") and service.get("pids_limit"), f"{where}: no bound on memory or processes")
        check("build" in service or re.search(r":\d+\.\d+", service["image"]), f"{where}: the image is not pinned by a tag")
        check("build" in service or "healthcheck" in service, f"{where}: no health check")
        check(name == "caddy" or "ports" not in service, f"{where}: it is reached past the proxy")
        no_secrets(where, service.get("environment", {}))
    replicas = {name: service for name, service in services.items() if "build" in service}
    check(len(replicas) == 2, "compose.yaml: there are not two replicas")
    caddy = services["caddy"]
    address = ipaddress.ip_address(caddy["networks"]["edge"]["ipv4_address"])
    subnet = told["networks"]["edge"]["ipam"]["config"][0]
    check(address in ipaddress.ip_network(subnet["subnet"]), "compose.yaml: Caddy's address is not in its network")
    check(address not in ipaddress.ip_network(subnet["ip_range"]), "compose.yaml: another container can take Caddy's address")
    check(told["networks"]["store"].get("internal") is True, "compose.yaml: Valkey's network leads outside")
    check(services["valkey"]["networks"] == ["store"], "compose.yaml: Valkey is in a network with others than the replicas")
    for name, service in replicas.items():
        where, settings = f"compose.yaml: {name}", service["environment"]
        check(settings["MCP_TRUSTED_PROXIES"] == f"{address}/32", f"{where}: it trusts another proxy than Caddy")
        check(port_of(settings["MCP_HTTP_ADDR"]) == built["port"], f"{where}: another port than the image's")
        patience = seconds(service["stop_grace_period"])
        check(patience > seconds(settings["MCP_DRAIN_DELAY"]) + DRAIN_SECONDS, f"{where}: it is killed before it has drained")
        mounted = service["volumes"][0].split(":")
        check(mounted[2] == "ro" and settings["MCP_API_KEYS_FILE"].startswith(mounted[1] + "/"), f"{where}: the keys are not mounted read-only")
    expected = {f"{name}:{built['port']}" for name in replicas}
    check(set(caddy["environment"]["REPLICAS"].split()) == expected, "compose.yaml: Caddy asks other replicas than there are")


def caddyfile() -> None:
    path = REMOTE / "Caddyfile"
    run("Caddyfile", "caddy", "validate", "--config", path, "--adapter", "caddyfile")
    adapted = run("Caddyfile", "caddy", "adapt", "--config", path, "--adapter", "caddyfile")
    if not adapted:
        return
    told = json.loads(adapted)
    (server,) = told["apps"]["http"]["servers"].values()
    check(server["listen"] == [":443"], "Caddyfile: it serves on another port than that of TLS")
    handlers = list(handlers_of(server))
    proxies = [handler for handler in handlers if handler["handler"] == "reverse_proxy"]
    policies = [proxy["load_balancing"]["selection_policy"] for proxy in proxies]
    check({"policy": "header", "field": "Mcp-Session-Id"} in policies, "Caddyfile: a session's requests do not stay together")
    for proxy in proxies:
        check(proxy["health_checks"]["active"]["uri"] == "/readyz", "Caddyfile: replicas are not asked whether they are ready")
        check("flush_interval" not in proxy, "Caddyfile: with flush_interval a client's hanging up is not passed on")
        check(len(proxy["upstreams"]) == 2, "Caddyfile: there are not two replicas")
    kinds = {handler["handler"] for handler in handlers}
    check("encode" not in kinds, "Caddyfile: compression would hold events back")
    sizes = [handler["max_size"] for handler in handlers if handler["handler"] == "request_body"]
    check(sizes and all(4 << 20 < size <= 8 << 20 for size in sizes), "Caddyfile: bodies are not bounded just above the server's 4 MiB")
    fields = [log["encoder"].get("fields", {}) for log in told["logging"]["logs"].values() if "encoder" in log]
    check(any("request>headers" in each for each in fields), "Caddyfile: keys would be logged")


def handlers_of(part):
    if isinstance(part, list):
        for each in part:
            yield from handlers_of(each)
    elif isinstance(part, dict):
        if "handler" in part:
            yield part
        for each in part.values():
            yield from handlers_of(each)


def kubernetes(built: dict) -> None:
    path = REMOTE / "kubernetes.yaml"
    for version in ("1.29.0", "1.37.0"):
        run("kubernetes.yaml", beside("kubernetes-validate"), "--strict", "--quiet", "-k", version, path)
    told = {each["kind"]: each for each in yaml.safe_load_all(path.read_text())}
    check("Secret" not in told, "kubernetes.yaml: a secret is in the file")
    deployment, service = told["Deployment"]["spec"], told["Service"]["spec"]
    labels, pod = deployment["template"]["metadata"]["labels"], deployment["template"]["spec"]
    selectors = {
        "Deployment": deployment["selector"]["matchLabels"],
        "Service": service["selector"],
        "PodDisruptionBudget": told["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": told["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        check(selector == labels, f"kubernetes.yaml: the {kind} selects other pods")
    check(deployment["replicas"] >= 2, "kubernetes.yaml: one replica cannot be restarted without a gap")
    check(deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, "kubernetes.yaml: an update takes a pod away first")
    security, (container,) = pod["securityContext"], pod["containers"]
    check(security["runAsNonRoot"] and security["runAsUser"] == built["user"], "kubernetes.yaml: another user than the image's")
    check(security["seccompProfile"]["type"] == "RuntimeDefault", "kubernetes.yaml: no seccomp profile")
    check(pod["automountServiceAccountToken"] is False, "kubernetes.yaml: the pod holds a token of the cluster")
    own = container["securityContext"]
    check(own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"], "kubernetes.yaml: the container is not closed")
    check(own["capabilities"] == {"drop": ["ALL"]}, "kubernetes.yaml: capabilities are kept")
    check("memory" in container["resources"]["limits"], "kubernetes.yaml: no bound on memory")
    check(not re.search(r":latest$|^[^:]+$", container["image"]), "kubernetes.yaml: the image's tag moves")
    port = container["ports"][0]
    check(port["containerPort"] == built["port"], "kubernetes.yaml: another port than the image's")
    check(service["ports"][0]["targetPort"] == port["name"], "kubernetes.yaml: the service leads to another port")
    for probe, wanted in {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}.items():
        asked = container[probe]["httpGet"]
        check((asked["path"], asked["port"]) == (wanted, port["name"]), f"kubernetes.yaml: the {probe} does not ask {wanted}")
    settings = {each["name"]: each.get("value") for each in container["env"]}
    no_secrets("kubernetes.yaml", settings)
    check(port_of(settings["MCP_HTTP_ADDR"]) == built["port"], "kubernetes.yaml: MCP_HTTP_ADDR has another port than the image")
    check(pod["terminationGracePeriodSeconds"] > seconds(settings["MCP_DRAIN_DELAY"]) + DRAIN_SECONDS, "kubernetes.yaml: a pod is killed before it has drained")
    ipaddress.ip_network(settings["MCP_TRUSTED_PROXIES"])
    (mount,) = container["volumeMounts"]
    check("subPath" not in mount and settings["MCP_API_KEYS_FILE"].startswith(mount["mountPath"] + "/"), "kubernetes.yaml: changed keys would not arrive")


def systemd() -> None:
    text = (REMOTE / "remote.service").read_text()
    said = re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)
    told = dict(said)
    settings = dict(re.findall(r"^(\w+)=(.*)$", (REMOTE / "remote.env").read_text(), re.MULTILINE))
    no_secrets("remote.env", settings)
    no_secrets("remote.service", dict(value.split("=", 1) for name, value in said if name == "Environment"))
    check(told["DynamicUser"] == "yes", "remote.service: it runs as root")
    check(told["LoadCredential"].split(":")[0] == "keys" and "MCP_API_KEYS_FILE=%d/keys" in text, "remote.service: the keys are not handed over")
    check(seconds(told["TimeoutStopSec"]) > seconds(settings["MCP_DRAIN_DELAY"]) + DRAIN_SECONDS, "remote.service: it is killed before it has drained")
    check(settings["MCP_HTTP_ADDR"].startswith("127.0.0.1:"), "remote.env: it is reached past the proxy")
    with tempfile.TemporaryDirectory() as folder:
        # systemd looks for the program, which is not installed here.
        unit = Path(folder) / "mcp-remote.service"
        unit.write_text(text.replace(told["ExecStart"].split()[0], "/bin/true"))
        run("remote.service", "systemd-analyze", "verify", "--man=no", unit)
        # In tenths: the exposure must stay below 1.5 of 10.
        run("remote.service", "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", unit)


def main() -> int:
    built = dockerfile()
    context()
    copied()
    compose(built)
    caddyfile()
    kubernetes(built)
    systemd()
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    if not problems:
        print("the Dockerfiles, compose.yaml, Caddyfile, kubernetes.yaml and remote.service are as they should be")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
