"""
The command that the service logs with its generated token.
"""

import re
import shlex

import httpx


def run_logged_curl(log: str, *, mount: str = "") -> httpx.Response:
    """Send the request of the one command in the log; `mount` is the URL of the app, which the command may not know."""
    (command,) = re.findall(r"curl -X POST -H '[^']+' [^\s\"]+", log)
    _, _, method, _, header, url = shlex.split(command)
    if "with the path of the mount before /api" in log:
        url = mount + url[url.index("/api") :]
    name, _, value = header.partition(": ")
    return httpx.request(method, url, headers={name: value}, trust_env=False)
