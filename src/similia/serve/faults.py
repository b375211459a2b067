"""Errors as answers: JSON for the API, a page for people, one sentence in both."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from similia.errors import SimiliaError
from similia.serve.answers import discreet, headers_of, refusal, status_of
from similia.serve.render import page

TITLES = {
    400: "That cannot be done",
    401: "A token is needed",
    403: "Not from there",
    404: "Not found",
    405: "Not possible here",
    413: "Too large",
    422: "That cannot be understood",
    500: "Something went wrong",
    503: "Busy",
    507: "The disk is full",
}


def answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The error ``sentence`` in the form that the asking side reads: JSON below ``/api``, else a page."""
    if request.url.path.startswith("/api/"):
        return refusal(status, sentence, headers)
    title = TITLES.get(status, "That did not work")
    return page(request, "error.html", {"title": title, "sentence": sentence}, status=status, headers=headers)


def in_one_sentence(error: RequestValidationError) -> str:
    """What is wrong with a request, without repeating what it sent."""
    faults = error.errors()
    first = faults[0]
    place = " ".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "the body"
    message = str(first["msg"])
    message = message.removeprefix("Value error, ")
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place[:80]}: {message[:1].lower()}{message[1:]}{more}"


def install(app: FastAPI) -> None:
    """Make ``app`` answer its errors this way."""

    def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, SimiliaError)
        folders = request.app.state.context.shelf.folders
        return answer(request, status_of(error), discreet(str(error), folders), headers_of(error))

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, 422, in_one_sentence(error))

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentence = "there is nothing at this address" if error.detail == "Not Found" else str(error.detail)
        return answer(request, error.status_code, sentence, error.headers)

    app.add_exception_handler(SimiliaError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
