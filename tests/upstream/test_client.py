"""Calls that give a whole answer, and every way in which one does not come whole."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ingle.errors import (
    ConfigurationError,
    InvalidRequest,
    UpstreamCut,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.testing import (
    Answer,
    Fault,
    Framing,
    ScriptedUpstream,
    chat_answer,
    error,
    images,
    json_answer,
    models,
    page,
    redirect,
    silence,
)
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target
from ingle.upstream.wire import ChatCompletion, Images, ModelList

ONCE = Limits(tries=1, idle_s=0.2)
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


async def ask(client: Client, *answers: Answer, limits: Limits = ONCE) -> ChatCompletion:
    """The answer of a server that answers so."""
    async with ScriptedUpstream(*answers) as upstream:
        return await client.post(
            upstream.target(), "chat/completions", CHAT, into=ChatCompletion, limits=limits
        )


async def fault(client: Client, *answers: Answer, limits: Limits = ONCE) -> UpstreamError:
    """The error that comes of a server that answers so."""
    with pytest.raises(UpstreamError) as caught:
        await ask(client, *answers, limits=limits)
    return caught.value


# -- whole answers ---------------------------------------------------------------------------------


async def test_an_answer_is_typed_and_raw(client: Client) -> None:
    """A post gives the struct, and in `raw` all that the server said."""
    answer = await ask(client, chat_answer("Hello", "Hey"))
    assert [choice.message.content for choice in answer.choices] == ["Hello", "Hey"]
    assert answer.raw["object"] == "chat.completion"
    assert answer.raw["usage"]["total_tokens"] == 7


async def test_the_request_is_what_was_asked(client: Client) -> None:
    """Path, JSON body and key arrive; nothing asks for compression."""
    async with ScriptedUpstream(chat_answer("Hello")) as upstream:
        target = upstream.target("sk-key")
        await client.post(target, "chat/completions", CHAT, into=ChatCompletion)
        request = upstream.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.json == CHAT
    assert request.headers["authorization"] == "Bearer sk-key"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("ingle/")
    assert "cookie" not in request.headers


async def test_a_body_may_be_bytes_both_ways(client: Client) -> None:
    """Bytes go out as they are, and come back as they are with `into=bytes`."""
    async with ScriptedUpstream(json_answer({"a": 1})) as upstream:
        answer = await client.post(upstream.target(), "x", b'{"b": 2}', into=bytes)
        assert answer == b'{"a": 1}'
        assert upstream.requests[0].body == b'{"b": 2}'


async def test_models_and_images_have_their_types(client: Client) -> None:
    """The other endpoints' answers are typed too."""
    async with ScriptedUpstream(models("a", "b"), images("QUJD")) as upstream:
        listed = await client.get(upstream.target(), "models", into=ModelList)
        made = await client.post(upstream.target(), "images/generations", {}, into=Images)
    assert [model.id for model in listed.data] == ["a", "b"]
    assert [image.b64_json for image in made.data] == ["QUJD"]


async def test_connections_are_kept(client: Client) -> None:
    """Calls in turn use one connection."""
    async with ScriptedUpstream(chat_answer("Hello")) as upstream:
        for _ in range(3):
            await client.post(upstream.target(), "chat/completions", CHAT, into=ChatCompletion)
        assert upstream.connections == 1


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_framing_makes_no_difference(client: Client, framing: Framing, size: int) -> None:
    """However the body's end is told and however it is split, the answer is the same."""
    answer = chat_answer("Zoë 日本").framed(framing).in_pieces(size)
    assert (await ask(client, answer)).choices[0].message.content == "Zoë 日本"


async def test_a_large_request_arrives_whole(client: Client) -> None:
    """A body of megabytes, as with images in it, is sent in parts that make up the whole."""
    body = {"prompt": "x" * 3_000_000}
    async with ScriptedUpstream(chat_answer("Hello")) as upstream:
        await client.post(upstream.target(), "chat/completions", body, into=ChatCompletion)
        assert upstream.requests[0].json == body
        assert upstream.requests[0].headers["content-length"] == str(3_000_000 + 13)


async def test_a_byte_order_mark_is_no_fault(client: Client) -> None:
    """Servers on Windows may send one before the JSON."""
    body = b"\xef\xbb\xbf" + chat_answer("Hello").body
    assert (await ask(client, Answer((body,)))).choices[0].message.content == "Hello"


async def test_a_choice_may_lack_its_finish_reason(client: Client) -> None:
    """Unlike a stream, a body shows by its end that it is whole."""
    answer = await ask(client, chat_answer("Hello", finish_reason=None))
    assert answer.choices[0].finish_reason is None


# -- answers that are not ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(), "an empty body came"),
        (page("<html><head><title>Sign in</title>"), "an HTML page ('Sign in') came"),
        (json_answer({}), "missing required field `choices`"),
        (json_answer({"choices": None}), "Expected `array`, got `null` - at `$.choices`"),
        (json_answer({"choices": []}), "Expected `array` of length >= 1 - at `$.choices`"),
        (json_answer({"choices": [{}]}), "missing required field `message` - at `$.choices[0]`"),
        (json_answer([1]), "Expected `object`, got `array`"),
        (Answer((b'{"choices": [',)), "is not valid JSON"),
        (Answer((b'{"choices": [], "x": "\xff"}',)), "is not valid JSON"),
        (Answer((b"[" * 100_000,)), "is not valid JSON"),
        (Answer((b"OK",)), "text that begins with 'OK' came"),
        (chat_answer("x" * 500).with_headers({"Content-Length": "40"}), "longer than the 40 bytes"),
        (Answer((b"HTTP/1.1 200 OK\r\nContent-Le",), framing="none"), "closed before an answer"),
        (Answer((b"SSH-2.0-OpenSSH_9.6\r\n",), framing="none"), "does not speak HTTP"),
        (chat_answer("Hi").with_headers({"Content-Encoding": "br"}), "compressed ('br')"),
        (chat_answer("Hi").with_headers({"Content-Encoding": "gzip"}), "gzip data is damaged"),
    ],
)
async def test_what_is_no_answer_is_told_so(client: Client, answer: Answer, says: str) -> None:
    """An answer with status 200 that is none is an error that says what came instead."""
    problem = await fault(client, answer)
    assert isinstance(problem, UpstreamInvalid | UpstreamUnreachable)
    assert says in problem.message
    assert problem.url.endswith("/v1/chat/completions")
    assert problem.url in problem.message


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("how", [Fault.HANG_UP, Fault.RESET])
async def test_a_body_that_breaks_off_is_cut(client: Client, framing: Framing, how: Fault) -> None:
    """A body shorter than announced is an error that holds what had come."""
    answer = chat_answer("Hello").framed(framing).in_pieces(20).cut_after(2, how)
    problem = await fault(client, answer)
    assert isinstance(problem, UpstreamCut)
    assert isinstance(problem.partial, bytes)
    assert problem.partial.startswith(b'{"id": "scripted-1"')
    assert len(problem.partial) == 40


async def test_a_body_without_length_that_is_reset_is_cut(client: Client) -> None:
    """Where closing tells the end, a reset is not taken for it."""
    answer = chat_answer("Hello").framed("close").in_pieces(20).cut_after(2, Fault.RESET)
    assert isinstance(await fault(client, answer), UpstreamCut)


async def test_an_error_with_status_200_is_an_error(client: Client) -> None:
    """A server that hides an error behind 200 is understood."""
    problem = await fault(client, json_answer({"error": {"message": "no slot", "code": 503}}))
    assert isinstance(problem, UpstreamRefused)
    assert (problem.status, problem.server_message) == (503, "no slot")


# -- errors of the server ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "No such model.", "param": "model"}}', "No such model."),
        (b'{"error": "No such model."}', "No such model."),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
        (b'{"object": "error", "message": "No such model."}', "No such model."),
        (b'{"reason": 7}', '{"reason":7}'),
        (b"<html><body><h1>404 Not Found</h1>", "404 Not Found"),
        (b"404 page\x1b[31m not\r\nfound", "404 page [31m not found"),
        (b"", None),
    ],
)
async def test_an_error_is_in_the_servers_own_words(
    client: Client, body: bytes, message: str | None
) -> None:
    """Whatever shape a server gives its errors, its message is found."""
    problem = await fault(client, Answer((body,), status=404))
    assert isinstance(problem, UpstreamRefused)
    assert (problem.status, problem.http_status) == (404, 404)
    assert problem.server_message == message
    assert (message or "no message").rstrip(".") in problem.message


async def test_a_message_is_short_and_holds_no_key(client: Client) -> None:
    """The server's words are cut to a few hundred characters, and the key is taken out."""
    answer = error(401, "Incorrect API key provided: sk-secret. " + "Really. " * 1000)
    async with ScriptedUpstream(answer) as upstream:
        with pytest.raises(UpstreamRefused) as caught:
            await client.get(upstream.target("sk-secret"), "models", into=ModelList)
    problem = caught.value
    assert "Incorrect API key provided: [API key]." in problem.message
    assert "Check the API key of scripted." in problem.message
    assert "sk-secret" not in repr(problem) + str(problem.server_message)
    assert len(problem.message) < 700
    assert (problem.status, problem.http_status) == (401, 502)


async def test_the_field_that_is_wrong_is_named(client: Client) -> None:
    """What the server says about a field goes on."""
    problem = await fault(client, error(400, "too hot", param="temperature"))
    assert problem.param == "temperature"


async def test_a_url_is_shown_without_its_query(client: Client) -> None:
    """A query may hold a secret."""
    async with ScriptedUpstream(error(404, "no such file")) as upstream:
        with pytest.raises(UpstreamRefused) as caught:
            await client.get(upstream.target(), "files?token=secret", into=bytes)
        assert upstream.requests[0].path == "/v1/files?token=secret"
    assert caught.value.url == f"{upstream.url}/v1/files?…"
    assert "secret" not in caught.value.message


# -- no answer at all -------------------------------------------------------------------------------


async def test_a_server_that_is_not_there(client: Client) -> None:
    """A refused connection is an error that says where nothing was found."""
    async with ScriptedUpstream() as upstream:
        target = upstream.target()
    with pytest.raises(UpstreamUnreachable, match="refused") as caught:
        await client.get(target, "models", into=ModelList, limits=ONCE)
    assert caught.value.url == f"{upstream.url}/v1/models"


async def test_a_host_that_is_not_known(client: Client) -> None:
    """A name that leads nowhere is an error that says so."""
    target = Target("http://nowhere.invalid/v1")
    with pytest.raises(UpstreamUnreachable, match=r"'nowhere\.invalid' is not known"):
        await client.get(target, "models", into=ModelList, limits=ONCE)


async def test_a_server_without_tls(client: Client) -> None:
    """A failed handshake is an error with its cause, and is not tried again."""
    async with ScriptedUpstream() as upstream:
        target = Target(upstream.url.replace("http:", "https:"))
        with pytest.raises(UpstreamUnreachable, match="no secure connection") as caught:
            await client.get(target, "models", into=ModelList)
        assert upstream.connections == 1
    assert isinstance(caught.value.__cause__, Exception)


@pytest.mark.parametrize("answer", [silence(), chat_answer("Hi").cut_after(0, Fault.STALL)])
async def test_silence_ends_with_the_idle_limit(client: Client, answer: Answer) -> None:
    """A server that says nothing, before its first byte or after, is not waited for."""
    problem = await fault(client, answer)
    assert isinstance(problem, UpstreamTimeout)
    assert "silent for 0.2 s" in problem.message


async def test_a_byte_now_and_then_ends_with_the_total_limit(client: Client) -> None:
    """What comes too slowly to ever end is not waited for either."""
    answer = chat_answer("x" * 10_000).in_pieces(1).trickled(0.02)
    problem = await fault(client, answer, limits=Limits(total_s=0.2, idle_s=0.1))
    assert isinstance(problem, UpstreamTimeout)
    assert "within 0.2 s" in problem.message


# -- bounds -----------------------------------------------------------------------------------------


async def test_a_body_is_bounded(client: Client) -> None:
    """A body beyond the limit is an error, whether its length was announced or not."""
    for answer in (chat_answer("x" * 5000), chat_answer("x" * 5000).framed("chunked")):
        problem = await fault(client, answer, limits=Limits(body_bytes=1000))
        assert isinstance(problem, UpstreamInvalid)
        assert "longer than 1000 bytes" in problem.message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compression_that_nobody_asked_for_is_unfolded(client: Client, encoding: str) -> None:
    """Gzip and zlib are understood, split anywhere."""
    plain = chat_answer("Hello").body
    folded = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    answer = Answer((folded,)).with_headers({"Content-Encoding": encoding}).in_pieces(3)
    assert (await ask(client, answer)).choices[0].message.content == "Hello"


async def test_a_body_that_unfolds_to_too_much_is_stopped(client: Client) -> None:
    """A hundred kilobytes that would be a hundred megabytes are stopped at the limit."""
    bomb = Answer((gzip.compress(b" " * 100_000_000, 1),)).with_headers(
        {"Content-Encoding": "gzip"}
    )
    problem = await fault(client, bomb, limits=Limits(body_bytes=3_000_000))
    assert isinstance(problem, UpstreamInvalid)
    assert "longer than 3000000 bytes" in problem.message


async def test_compressed_data_that_breaks_off_is_cut(client: Client) -> None:
    """Compressed data knows its own end."""
    folded = gzip.compress(chat_answer("Hello").body)
    answer = Answer((folded[:-10],)).with_headers({"Content-Encoding": "gzip"})
    assert isinstance(await fault(client, answer), UpstreamCut)


# -- redirects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_within_the_server_is_followed_once(client: Client, status: int) -> None:
    """A POST goes on to another path of the same server, body and key with it."""
    async with ScriptedUpstream(redirect("/api/chat", status=status), json_answer({})) as upstream:
        await client.post(upstream.target("sk-key"), "chat/completions", CHAT, into=bytes)
        assert [request.path for request in upstream.requests] == [
            "/v1/chat/completions",
            "/api/chat",
        ]
        assert upstream.requests[1].json == CHAT
        assert upstream.requests[1].headers["authorization"] == "Bearer sk-key"


async def test_a_get_is_redirected_by_any_status(client: Client) -> None:
    """For a GET nothing but the address changes."""
    async with ScriptedUpstream(redirect("models/", status=301), models("a")) as upstream:
        listed = await client.get(upstream.target(), "models", into=ModelList)
        assert upstream.requests[1].path == "/v1/models/"
    assert listed.data[0].id == "a"


async def test_a_redirect_to_another_server_is_not_followed(client: Client) -> None:
    """Neither the request nor the key goes to another host, port or scheme."""
    async with ScriptedUpstream(chat_answer("Stolen")) as other:
        async with ScriptedUpstream(redirect(f"{other.url}/v1/models?t=1")) as upstream:
            with pytest.raises(UpstreamRefused) as caught:
                await client.get(upstream.target("sk-key"), "models", into=ModelList)
        assert other.requests == []
    assert (
        f"redirects (status 307) to {other.url}/v1/models?…, another server" in caught.value.message
    )
    assert caught.value.status == 307


@pytest.mark.parametrize(
    "answers",
    [
        (redirect("/a"), redirect("/b"), chat_answer("Hi")),
        (redirect("/a", status=302), chat_answer("Hi")),
        (redirect("https://127.0.0.1/", status=308),),
        (redirect("http://[", status=308),),
    ],
)
async def test_other_redirects_are_errors(client: Client, answers: tuple[Answer, ...]) -> None:
    """A second redirect, and one that would turn a POST into a GET, are not followed."""
    problem = await fault(client, *answers)
    assert isinstance(problem, UpstreamRefused)
    assert "redirects" in problem.message


# -- what cannot be sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"x": "\ud800"}, {"x": object()}, {("a",): 1}])
async def test_a_body_that_is_no_json_is_not_sent(client: Client, body: dict[str, object]) -> None:
    """What cannot be written as JSON is an error before anything is sent."""
    async with ScriptedUpstream() as upstream:
        with pytest.raises(InvalidRequest, match="cannot be written as JSON"):
            await client.post(upstream.target(), "x", body, into=bytes)
        assert upstream.requests == []


async def test_a_key_that_no_header_can_carry_is_not_sent(client: Client) -> None:
    """A key with a line break could smuggle headers; it is refused without being shown."""
    target = Target("http://127.0.0.1:1/v1", "sk-secret\r\nX-Evil: 1")
    with pytest.raises(ConfigurationError) as caught:
        await client.get(target, "models", into=bytes)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["ftp://h", "http://", "h:80", "http://h:x", "http://["])
async def test_a_url_that_leads_nowhere_is_told_so(client: Client, base_url: str) -> None:
    """A target that was not normalised is an error of the configuration."""
    with pytest.raises(ConfigurationError, match="is not the URL of a server"):
        await client.get(Target(base_url), "models", into=bytes)


async def test_a_client_works_while_it_is_open(client: Client) -> None:
    """A client that was not entered, or is closed, says so."""
    with pytest.raises(RuntimeError, match="inside `async with"):
        await Client().get(Target("http://127.0.0.1:1"), "models", into=bytes)
