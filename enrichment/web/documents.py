"""
The handlers that describe the service: to programs, and to people.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from enrichment.settings import Settings
from enrichment.web.bodies import EncodedJSON, encode
from enrichment.web.docs_page import PageFile, read_files
from enrichment.web.endpoint import Endpoint
from enrichment.web.llms import ROOT, llms_txt
from enrichment.web.openapi import document

SERVERS: Final = b'"servers":[{"url":"%s"}]'


class Documents:
    """The descriptions of an app with these routes and settings; each is made when it is first asked for, and kept."""

    def __init__(self, routes: Sequence[Endpoint], settings: Settings) -> None:
        self._routes = routes
        self._settings = settings
        self.is_on = settings.docs == "on"

    @cached_property
    def llms(self) -> str:
        """The text for language models, with `{root}` for the path of a mount."""
        return llms_txt(self._routes, self._settings)

    @cached_property
    def openapi(self) -> tuple[bytes, bytes]:
        """The OpenAPI document as JSON, before and after the description of its server."""
        before, _, after = encode(document(self._routes, self._settings)).partition(SERVERS % b"/")
        return before, after

    @cached_property
    def page_files(self) -> Mapping[str, PageFile]:
        """The files of the page for people, by name."""
        return read_files()


async def read_openapi(request: Request) -> Response:
    """
    Get this document: every route, parameter, header, body, answer and error, as OpenAPI 3.1.

    It is true for the settings of the process, and its server is the path below which the service is mounted.
    """
    documents = documents_of(request)
    before, after = await asyncio.to_thread(lambda: documents.openapi)
    server = quote(request.scope.get("root_path", "")).encode("ascii") or b"/"
    return EncodedJSON(b"".join((before, SERVERS % server, after)))


async def read_llms(request: Request) -> Response:
    """
    Get a page of text on how to call the service, for language models.

    It has every request, module and error code, and refers to the OpenAPI document for the rest.
    """
    text = documents_of(request).llms.replace(ROOT, quote(request.scope.get("root_path", "")))
    return PlainTextResponse(text, headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})


async def read_docs(request: Request) -> Response:
    """
    Get the page that describes the service to people, who can try it there.

    A link to it may name an operation, a schema or an error code, as in `/docs#operation-read_status`,
    `/docs#schema-JobStatus` and `/docs#problem-not_found`.
    """
    name = "/" if request.scope["path"].endswith("/") else ""
    return documents_of(request).page_files[name].response_to(request)


async def read_docs_file(request: Request) -> Response:
    """
    Get one of the files that the page for people consists of.

    They are its scripts and its style.
    """
    file = documents_of(request).page_files.get(request.path_params["file"])
    if file is None:
        raise HTTPException(404)
    return file.response_to(request)


def documents_of(request: Request) -> Documents:
    """Return the descriptions of the app that serves the request, or raise a 404 if they are switched off."""
    documents = cast("Documents", request.app.state.documents)
    if not documents.is_on:
        raise HTTPException(404)
    return documents
