"""The local server of the viewer: one page, its graph as JSON, and an event whenever the graph changes.

Only this computer reaches it (loopback, a random port), and only who knows the token: the first visit turns it
into a cookie that no script can read and no other site can send. A request under another Host (a name that was
made to point here) or from another Origin is refused. What the page may load is said by a policy with a fresh
nonce. The threads are daemons: the server ends with the program.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

from . import page
from .changes import changes

LOOPBACK = "127.0.0.1"
KEPT = 3  # versions of the graph that are kept, so that a page that has one of them gets only the changes
HEARTBEAT = 15.0  # seconds; a write now and then is how one hears that a page was closed
POLICY = (
    "default-src 'none'; script-src 'nonce-{0}' 'wasm-unsafe-eval'; style-src 'nonce-{0}'; img-src data: blob:; "
    "worker-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the first address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# A visit that another site's link led to does not send the cookie it was just given; one from here does.
ENTRANCE = '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>kobai</title>'


class Server:
    """Shows one description to the pages that know its `url`, and tells them when there is a new one.

    >>> server = Server({"title": "example", "nodes": []})
    >>> server.url.startswith("http://127.0.0.1:")
    True
    >>> server.close()
    """

    def __init__(self, description: dict, lang: str = "en"):
        self.lang = lang
        self.token = secrets.token_urlsafe(24)
        self.shown = threading.Event()  # a page was sent: it holds the graph and outlives the server
        self._changed = threading.Condition()
        self._version, self._description, self._closed = 0, description, False
        self._sent: dict[int, dict] = {}  # the last versions that pages have got
        self._http = _Listener((LOOPBACK, 0), _Answer)
        self._http.viewer = self
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), name="kobai view", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address with the token: whoever has it sees the page."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which the server answers."""
        return f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies do not know ports, so each server has its own."""
        return f"kobai-{self.port}"

    @property
    def description(self) -> dict:
        with self._changed:
            return self._description

    def publish(self, description: dict) -> None:
        """Replace what is shown; open pages load it."""
        with self._changed:
            self._version, self._description = self._version + 1, description
            self._changed.notify_all()

    def page(self, nonce: str) -> str:
        """The whole page with the graph as it is now."""
        version, graph = self._latest()
        return page.html(graph | {"edition": version}, live=True, lang=self.lang, nonce=nonce)

    def graph(self, have: int | None) -> dict:
        """The graph as it is now, as changes of version `have` if that is still known."""
        version, graph = self._latest()
        old = None if have is None else self._sent.get(have)
        if old is None or have is None:
            return graph | {"edition": version}
        return {"edition": version, "have": have, "changes": changes(old, graph) or {}}

    def _latest(self) -> tuple[int, dict]:
        with self._changed:
            version, description = self._version, self._description
        graph = self._sent.get(version)
        if graph is None:
            graph = page.compact(description)
            with self._changed:
                self._sent[version] = graph
                for old in sorted(self._sent)[:-KEPT]:
                    del self._sent[old]
        return version, graph

    def news(self, known: int, seconds: float = HEARTBEAT) -> int | None:
        """Wait until there is something newer than version `known`; the version, or None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._version != known, seconds)
            return None if self._closed else self._version

    def close(self) -> None:
        """Stop answering and let go of the port."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _Listener(ThreadingHTTPServer):
    """One thread for each connection, none of which holds up the end of the program."""

    daemon_threads = True
    block_on_close = False
    viewer: Server

    def server_bind(self) -> None:
        """Bind without asking for the machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request, client_address) -> None:
        """A page that went away in the middle of an answer is nothing to report."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Answer(BaseHTTPRequestHandler):
    """One request."""

    server: _Listener
    timeout = 30  # seconds for a request to arrive
    server_version, sys_version = "kobai", ""

    def do_GET(self) -> None:
        viewer, address = self.server.viewer, urlsplit(self.path)
        if not self._is_from_here():
            self._send(403, "text/plain", b"kobai: this page is for this computer's own browser")
        elif address.path == "/" and self._has_token(address.query):
            self._enter()
        elif not self._has_cookie():
            self._send(403, "text/plain", b"kobai: open the address that the program printed; it holds a token")
        elif address.path == "/":
            nonce = secrets.token_urlsafe(16)
            self._send(200, "text/html", viewer.page(nonce).encode(), POLICY.format(nonce))
            viewer.shown.set()
        elif address.path == "/graph.json":
            have = parse_qs(address.query).get("have", [""])[0]
            graph = viewer.graph(int(have) if have.isdecimal() and len(have) < 10 else None)
            self._send(200, "application/json", json.dumps(graph, allow_nan=False).encode())
        elif address.path == "/events":
            self._stream()
        else:
            self._send(404, "text/plain", b"kobai: there is no such page")

    def _is_from_here(self) -> bool:
        """Whether the request is for this server by its own name, and not made by a page of another."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        return host in self.server.viewer.hosts and origin in (None, f"http://{host}")

    def _has_token(self, query: str) -> bool:
        given = parse_qs(query).get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self.server.viewer.token.encode())

    def _has_cookie(self) -> bool:
        viewer = self.server.viewer
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(viewer.cookie)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(found.value.encode(), viewer.token.encode())

    def _enter(self) -> None:
        """Turn the token into the cookie and go on without it in the address."""
        viewer = self.server.viewer
        cookie = f"{viewer.cookie}={viewer.token}; HttpOnly; SameSite=Strict; Path=/"
        if self.headers.get("Sec-Fetch-Site") == "cross-site":
            self._send(200, "text/html", ENTRANCE.encode(), **{"Set-Cookie": cookie})
        else:
            self._send(303, "text/plain", b"", **{"Set-Cookie": cookie, "Location": "/"})

    def _stream(self) -> None:
        """Server-sent events: `graph` with the number of the version, as long as the page listens."""
        self._head(200, "text/event-stream")
        self.end_headers()
        self.close_connection = True
        known = version = 0
        while version is not None:
            fresh = version != known
            known = version
            self.wfile.write(f"event: graph\ndata: {version}\n\n".encode() if fresh else b": still here\n\n")
            self.wfile.flush()
            version = self.server.viewer.news(known)

    def _send(self, status: int, kind: str, body: bytes, policy: str = "default-src 'none'", **more: str) -> None:
        self._head(status, kind, policy)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self, status: int, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind if kind == "text/event-stream" else f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            self.send_header(name, value)

    def log_message(self, format, *args) -> None:
        """Nothing: the terminal belongs to the program."""
