"""
The command that the service logs with its generated token.
"""

import re
import shlex

import httpx


def run_logged_curl(log: str, *, mount: str = "") -> httpx.Response:
    """Send the request of the one command in the log; `mount` is the URL that the command may leave open."""
    (command,) = re.findall(r"curl -X POST -H '[^']+' (?:<URL of the mount>)?[^\s\"]+", log)
    _, _, method, _, header, url = shlex.split(command.replace("<URL of the mount>", mount))
    name, _, value = header.partition(": ")
    return httpx.request(method, url, headers={name: value}, trust_env=False)
