"""
The command that the service logs with its generated token.
"""

import re
import shlex
import time

import httpx

from tests.conftest import ServerProcess

COMMAND = re.compile(r"curl -X POST -H '[^']+' [^\s\"]+(?=[\s\"])")


def run_logged_curl(server: ServerProcess, *, mount: str = "") -> httpx.Response:
    """Send the request of the one command in the log; `mount` is the URL of the app, which the command may not know."""
    deadline = time.monotonic() + 20
    while not COMMAND.search(log := server.log) and time.monotonic() < deadline:
        time.sleep(0.02)  # a thread of the server writes the log
    (command,) = COMMAND.findall(log)
    _, _, method, _, header, url = shlex.split(command)
    if "with the path of the mount before /api" in log:
        url = mount + url[url.index("/api") :]
    name, _, value = header.partition(": ")
    return httpx.request(method, url, headers={name: value}, trust_env=False)
