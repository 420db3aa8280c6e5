"""`/api/session`: the sign-in of the web page. Programs send their key with each request instead."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ingle.errors import NotAuthenticated
from ingle.runtime import Runtime
from ingle.server.border import is_loopback
from ingle.server.exchange import Exchange
from ingle.server.web_session import cookie_without_key, new_cookie
from ingle.storage.secrets import Secrets

__all__ = ["routes"]


class SessionDescription(BaseModel):
    """Who the page is used by."""

    needs_key: bool = Field(description="Whether this Ingle asks callers for a key.")
    is_signed_in: bool = Field(description="Whether a valid key came along.")
    key_name: str | None = Field(description="What that key is called.")
    key_has_limits: bool = Field(
        description="Such a key uses models and apps, and manages nothing."
    )


class SignInRequest(BaseModel):
    """The key to begin a session with."""

    model_config = ConfigDict(extra="forbid")

    key: SecretStr


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room; anyone may call them."""
    router = APIRouter(prefix="/session", tags=["session"])
    needs_key = not is_loopback(runtime.settings.host)
    secrets = Secrets(runtime.settings.home)

    @router.get("")
    async def show_session(request: Request) -> SessionDescription:
        """Whether a key is asked for, and whose key came along."""
        exchange: Exchange = request.scope["ingle"]
        key = exchange.caller.key
        return SessionDescription(
            needs_key=needs_key,
            is_signed_in=key is not None,
            key_name=key.name if key else None,
            key_has_limits=key is not None and key.limits.is_any,
        )

    @router.post("", status_code=204)
    async def sign_in(wanted: SignInRequest, request: Request, response: Response) -> None:
        """Keep a key in a cookie that is sent to this Ingle alone and that no script can read."""
        text = wanted.key.get_secret_value()
        if await run_in_threadpool(runtime.api_keys.verify, text) is None:
            raise NotAuthenticated(
                "This is not a key of this Ingle, or it was revoked. `ingle keys list` shows which "
                "there are; `ingle keys create` makes one."
            )
        cookie = await run_in_threadpool(new_cookie, text, secrets, is_secure=_is_secure(request))
        response.headers["set-cookie"] = cookie

    @router.delete("", status_code=204)
    async def sign_out(request: Request, response: Response) -> None:
        """Forget the cookie."""
        response.headers["set-cookie"] = cookie_without_key(is_secure=_is_secure(request))

    return router


def _is_secure(request: Request) -> bool:
    """Whether the page is shown over https, by this server or by a proxy before it."""
    return request.headers.get("origin", str(request.url)).startswith("https:")
