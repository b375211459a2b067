"""Pages before any collection: which one, the token, the API in short."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from similia.serve.context import Here
from similia.serve.guard import WRONG_TOKEN_DELAY
from similia.serve.render import address, page

router = APIRouter()


def place_to_go(wanted: str) -> str:
    """A place on this server to go to after logging in; the start page if ``wanted`` is anywhere else.

    Examples:
        >>> place_to_go("/c/papers/?q=a"), place_to_go("//evil.example"), place_to_go("https://evil.example")
        ('/c/papers/?q=a', '/', '/')
    """
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if plain and wanted.isprintable() and "\\" not in wanted else "/"


@router.get("/")
def start(request: Request, here: Here) -> Response:
    """The collection if there is one, else all of them."""
    if len(here.shelf) == 1:
        return RedirectResponse(address(next(iter(here.shelf))), 307)
    shown = [{"name": name, "count": len(here.shelf[name])} for name in here.shelf]
    return page(request, "start.html", {"shown": shown})


@router.get("/login")
def login(request: Request, here: Here, next: Annotated[str, Query(max_length=8_000)] = "/") -> Response:
    """Ask for the token."""
    if here.settings.token is None:
        return RedirectResponse("/", 303)
    return page(request, "login.html", {"next": place_to_go(next), "wrong": False})


@router.post("/login")
async def logged_in(
    request: Request,
    here: Here,
    token: Annotated[str, Form(max_length=1_000)] = "",
    next: Annotated[str, Form(max_length=8_000)] = "/",
) -> Response:
    """Take the token, and remember it in a cookie that scripts and other sites cannot use."""
    settings = here.settings
    if settings.token is not None and not settings.is_token(token.strip()):
        await asyncio.sleep(WRONG_TOKEN_DELAY)
        return page(request, "login.html", {"next": place_to_go(next), "wrong": True}, status=401)
    response = RedirectResponse(place_to_go(next), 303)
    if settings.token is not None:
        response.set_cookie(
            settings.cookie_name,
            settings.cookie_value,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/",
        )
    return response


@router.post("/logout")
def logged_out(here: Here) -> Response:
    """Forget the token."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(here.settings.cookie_name, path="/", httponly=True, samesite="strict")
    return response


@router.get("/api")
def api(request: Request, here: Here) -> Response:
    """The API in short, made from its OpenAPI document."""
    document = request.app.openapi()
    routes = [
        {
            "method": method.upper(),
            "path": path,
            "summary": said.get("summary", ""),
            "parameters": [
                {
                    "name": one["name"],
                    "in": one["in"],
                    "required": one.get("required", False),
                    "description": one.get("description", ""),
                }
                for one in said.get("parameters", [])
            ],
        }
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
    only = next(iter(here.shelf)) if len(here.shelf) == 1 else None
    return page(
        request,
        "api.html",
        {"collection": only, "place": "api", "routes": routes, "origin": f"http://{request.url.netloc}"},
    )
