"""The smallest server that speaks enough of OpenAI's API to be an engine: it answers "pong".

    python stub_server.py --port 8000 --model stub-model

It needs Python alone. Set STUB_API_KEY to have it ask for a key.
"""

from __future__ import annotations

import argparse
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--model", required=True)
arguments = parser.parse_args()
key = os.environ.get("STUB_API_KEY")


class Handler(BaseHTTPRequestHandler):
    """Answers one request after the other."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """`/health` and the list of models."""
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        elif self.path == "/v1/models":
            self.answer(200, {"object": "list", "data": [{"id": arguments.model}]})
        else:
            self.fail(404, "not found")

    def do_POST(self) -> None:
        """A chat's answer, whole or as a stream."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if key and self.headers["authorization"] != f"Bearer {key}":
            self.fail(401, "wrong key")
        elif self.path != "/v1/chat/completions":
            self.fail(404, "not found")
        elif request["model"] != arguments.model:
            self.fail(404, f"the model {request['model']!r} does not exist")
        elif request.get("stream"):
            self.stream()
        else:
            message = {"role": "assistant", "content": "pong"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.answer(200, {"object": "chat.completion", "choices": [choice], **COMMON})

    def stream(self) -> None:
        """Two events and the end."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for delta, reason in (({"role": "assistant", "content": "pong"}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"object": "chat.completion.chunk", "choices": [choice], **COMMON}
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def fail(self, status: int, message: str) -> None:
        """An error in OpenAI's form."""
        self.answer(status, {"error": {"message": message, "type": "invalid_request_error"}})

    def answer(self, status: int, body: object) -> None:
        """A whole answer."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


COMMON = {"id": "stub-1", "created": 0, "model": arguments.model}
ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()
