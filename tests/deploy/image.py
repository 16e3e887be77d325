"""Builds what a Dockerfile builds, without a container engine.

Usage: image.py FOLDER [STAGE]

Copies what the Dockerfile of examples/remote would be sent to `FOLDER`, as its
.dockerignore says, and runs the RUN commands of `STAGE` and of the stages that
it is made of, with this machine's cargo in place of the image's. Without a stage
it only lists the stages. It knows as much of Dockerfiles as that one needs.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMOTE = ROOT / "examples" / "remote"


@dataclass
class Stage:
    """One FROM: its name, what it begins with, and its instructions."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and rest of each line; continued lines are joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.strip().split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(name.upper(), rest) for name, rest in found]


def preamble(text: str) -> list[tuple[str, str]]:
    """What stands before the first FROM."""
    before = []
    for name, rest in instructions(text):
        if name == "FROM":
            break
        before.append((name, rest))
    return before


def stages(text: str) -> list[Stage]:
    found: list[Stage] = []
    for name, rest in instructions(text):
        if name == "FROM":
            base, *alias = re.split(r"\s+AS\s+", rest, flags=re.IGNORECASE)
            found.append(Stage(alias[0] if alias else "", base))
        elif found:
            found[-1].instructions.append((name, rest))
    return found


def commands(all_stages: list[Stage], name: str) -> list[str]:
    """The RUN commands of a stage itself."""
    (stage,) = [stage for stage in all_stages if stage.name == name]
    return [rest for instruction, rest in stage.instructions if instruction == "RUN"]


def is_sent(path: str, patterns: list[str]) -> bool:
    """Whether a path is in the build context; the last pattern that fits decides."""
    sent = True
    for pattern in patterns:
        admits = pattern.startswith("!")
        if matches(path, pattern.removeprefix("!")):
            sent = admits
    return sent


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern fits a path or a folder above it."""
    expression = re.escape(pattern.strip("/"))
    expression = expression.replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.match(f"{expression}(/|$)", path) is not None


def copy_context(root: Path, ignore: str, to: Path) -> list[str]:
    """Copies what the builder is sent; returns the paths."""
    patterns = [line.strip() for line in ignore.splitlines() if line.strip() and not line.startswith("#")]
    sent = []
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        # No pattern admits anything of these, and they are large.
        folders[:] = [name for name in folders if name not in (".git", "target")]
        for name in files:
            path = (here / name).as_posix()
            if is_sent(path, patterns):
                sent.append(path)
                (to / here).mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / path, to / path)
    return sent


def build(folder: Path, name: str) -> None:
    """Does what the builder does for a stage, in `folder`."""
    all_stages = stages((REMOTE / "Dockerfile").read_text())
    known = {stage.name: stage for stage in all_stages}
    ignore = (REMOTE / "Dockerfile.dockerignore").read_text()

    def into(stage: Stage) -> Path:
        here = folder / stage.name
        if here.exists():
            return here
        if stage.base in known:
            # The stage goes on where the other ends.
            shutil.copytree(into(known[stage.base]), here, symlinks=True)
        else:
            here.mkdir(parents=True)
        # Nothing of this machine's folders: the target folder belongs to the stage.
        environment = {**os.environ, "CARGO_TARGET_DIR": str(here / "target")}
        for instruction, rest in chain(stage):
            if instruction == "ENV":
                variable, value = rest.split("=", 1)
                environment[variable] = value
        for instruction, rest in stage.instructions:
            print(f"[{stage.name}] {instruction} {rest}", flush=True)
            if instruction == "RUN":
                subprocess.run(["sh", "-c", rest], cwd=here, env=environment, check=True)
            elif instruction == "COPY" and rest.startswith("--from="):
                source, *_ = rest.removeprefix("--from=").split()
                shutil.copytree(into(known[source]), here, dirs_exist_ok=True)
            elif instruction == "COPY":
                copy_context(ROOT, ignore, here)
        return here

    def chain(stage: Stage) -> list[tuple[str, str]]:
        before = chain(known[stage.base]) if stage.base in known else []
        return before + stage.instructions

    into(known[name])


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    if len(sys.argv) == 2:
        for stage in stages((REMOTE / "Dockerfile").read_text()):
            print(stage.name or "(the image)", "from", stage.base)
        return 0
    build(Path(sys.argv[1]).resolve(), sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
