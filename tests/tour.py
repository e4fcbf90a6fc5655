"""
The commands of the README and of docs/tour.md, run as a person would paste them; `python -m tests.tour` writes their
answers into these files. Those of the runs with live sources are only compared, with stubs as the services.

Time passes five times faster than there: simulated delays are shorter, and `sleep` is a shim. So is `curl`, since the
service is on another port and not every machine has that program, and `jq`, on the library of that name.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.conftest import ROOT, server_process

README: Final = ROOT / "README.md"
TOUR: Final = ROOT / "docs" / "tour.md"
BLOCK: Final = re.compile(r"```sh\n(?P<commands>(?:(?!```).)*?)```\n\n```json\n(?P<answers>.*?)```\n", re.DOTALL)
SETUP: Final = re.compile(r"```sh\n(TOKEN=.*?)```", re.DOTALL)
LIVE: Final = re.compile(r"```console\n(\$ .*?SOURCES=live .*?)```", re.DOTALL)
SPEED: Final = 5
SEPARATOR: Final = "\x1e"

SHIMS: Final = {
    "curl": """
import re, sys, httpx
arguments, method, headers, data, url = sys.argv[1:], "GET", {}, None, ""
while arguments:
    word = arguments.pop(0)
    if word == "-X":
        method = arguments.pop(0)
    elif word == "-H":
        name, _, value = arguments.pop(0).partition(": ")
        headers[name] = value
    elif word == "-d":
        data = arguments.pop(0)
        data = sys.stdin.read() if data == "@-" else data
    elif word != "-s":
        url = word
url = re.sub("^localhost:8000", "http://127.0.0.1:PORT", url)
response = httpx.request(method, url, headers=headers, content=data, trust_env=False)
sys.stdout.write(response.text)
""",
    "jq": """
import sys, jq, json
*options, program = [word for word in sys.argv[1:] if not word.endswith(".json")]
files = [word for word in sys.argv[1:] if word.endswith(".json")]
text = open(files[0]).read() if files else sys.stdin.read()
for value in jq.compile(program).input_text(text):
    print(value if "-r" in options else json.dumps(value, separators=(",", ":"), ensure_ascii=False))
""",
    "sleep": f"""
import sys, time
time.sleep(float(sys.argv[1]) / {SPEED})
""",
}

FAST: Final = {"SIMULATED_LOOKUP_SECONDS": str(15 / SPEED), "SIMULATED_MODULE_SECONDS": str(3 / SPEED)}


def shown() -> list[str]:
    """Return the answers that the two files show, a text for each block."""
    return [match["answers"].strip("\n") for path in (README, TOUR) for match in BLOCK.finditer(path.read_text())]


def run() -> list[str]:
    """Run all commands of the two files that have answers, and return these, a text for each block."""
    in_readme, in_tour = ([match["commands"] for match in BLOCK.finditer(path.read_text())] for path in (README, TOUR))
    setup = SETUP.findall(TOUR.read_text())[0]
    answers = _run([setup, *in_tour], API_TOKENS="demo", SIMULATED_FAILURES="m05_competitors")[1:]
    return _run(in_readme) + answers


def _run(blocks: list[str], **environ: str) -> list[str]:
    """Run the blocks in one shell against a service of their own."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as log:
        command = "uvicorn service:app --http enrichment.web.server:LimitedProtocol --port $PORT --workers 1"
        with server_process(command, Path(log), **FAST, **environ) as server:
            server.wait_until_healthy()
            write_shims(folder, server.url)
            script = f"; printf '{SEPARATOR}'\n".join(block.rstrip("\n") for block in blocks)
            done = subprocess.run(
                ["sh", "-e", "-c", script],
                cwd=folder,
                env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
    assert done.returncode == 0, done.stderr
    return [_lines(answer) for answer in done.stdout.split(SEPARATOR)]


def live_run(path: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The settings of a file's run with live sources, and its commands after the start, each with its answer."""
    (found,) = LIVE.findall(path.read_text())
    _, start, *rest = [part.partition("\n") for part in f"\n{found}".split("\n$ ")[1:]]
    return dict(re.findall(r"([A-Z_]+)=(\S+)", start[0])), [
        (command, answer.strip("\n")) for command, _, answer in rest
    ]


async def run_live(commands: list[str], url: str) -> list[str]:
    """Run commands against a service that is running, and return their answers."""
    with tempfile.TemporaryDirectory() as folder:
        write_shims(folder, url)
        done = await asyncio.create_subprocess_exec(
            *("sh", "-e", "-c", f"; printf '{SEPARATOR}'\n".join(commands)),
            cwd=folder,
            env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
        )
        output, _ = await done.communicate()
    return [answer.strip("\n") for answer in output.decode().split(SEPARATOR)]


def write_shims(folder: str, url: str) -> None:
    """Make the programs that stand in for others, for a service at this URL."""
    for name, code in SHIMS.items():
        path = Path(folder, name)
        path.write_text(f"#!{sys.executable}\n{code.replace('PORT', url.rpartition(':')[2])}")
        path.chmod(0o755)


def _lines(answer: str) -> str:
    """One line for each answer, whether it ended with a line feed or not."""
    return re.sub(r"\}(?=[\{\[])", "}\n", answer).strip("\n")


def stable(answers: str) -> str:
    """The answers without ids, times and durations."""
    text = re.sub(r"_\d{14}_[a-z0-9]{8}", "_ID", answers)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", "UUID", text)
    return re.sub(r'("(?:duration_seconds|duration_ms|ttl_remaining_seconds)"):[\d.]+', r"\1:N", text)


def main() -> None:
    """Write the answers into the two files."""
    answers = iter(run())

    def with_answers(match: re.Match[str]) -> str:
        return f"```sh\n{match['commands']}```\n\n```json\n{next(answers)}\n```\n"

    for path in (README, TOUR):
        path.write_text(BLOCK.sub(with_answers, path.read_text()))


if __name__ == "__main__":
    main()
