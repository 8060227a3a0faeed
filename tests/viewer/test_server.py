"""The viewer's server: who gets in, what the pages may load, live news, and the end of it."""
import http.client
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from kobai.viewer import page
from kobai.viewer.changes import changes
from kobai.viewer.server import Server

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028<!--"
GRAPH = {"title": HOSTILE, "nodes": [{"id": 0, "name": HOSTILE}]}


@pytest.fixture
def server():
    server = Server(GRAPH)
    yield server
    server.close()


def get(server, path="/", **headers):
    """(status, headers, text) of one request; `Host` is the server's own unless given."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def cookie_of(server):
    status, headers, _ = get(server, server.url.partition(str(server.port))[2])
    assert status == 303 and headers["Location"] == "/"
    return headers["Set-Cookie"].partition(";")[0]


def test_the_token_becomes_a_cookie_that_opens_the_page(server):
    _, headers, _ = get(server, f"/?token={server.token}")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(headers["Set-Cookie"].split("; "))
    status, headers, text = get(server, "/", Cookie=cookie_of(server))
    assert status == 200 and '<div id="app">' in text
    assert server.token not in text  # what the page's script sees gives nothing away


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/graph.json", "/events", "/graph.json?token=%s"])
@pytest.mark.parametrize("cookie", ["", "kobai=x", "{}=wrong", "{}=", ";;=\x01"])
def test_nobody_gets_in_without_token(server, path, cookie):
    path = path.replace("%s", server.token)  # the token opens the page, not what the page loads
    status, headers, text = get(server, path, Cookie=cookie.format(server.cookie))
    assert status == 403 and "Set-Cookie" not in headers and "nodes" not in text


@pytest.mark.parametrize("path", ["/", "/graph.json", "/events"])
@pytest.mark.parametrize("foreign", [
    {"Host": "evil.example"}, {"Host": "evil.example:{port}"}, {"Host": "127.0.0.1"}, {"Host": ""},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1:{port}"}, {"Origin": "http://localhost:{port}"},
])
def test_foreign_host_or_origin_is_refused_even_with_the_cookie(server, path, foreign):
    headers = {k: v.format(port=server.port) for k, v in foreign.items()}
    status, _, text = get(server, path, Cookie=cookie_of(server), **headers)
    assert status == 403 and "nodes" not in text
    status, headers, _ = get(server, f"/?token={server.token}", **headers)
    assert status == 403 and "Set-Cookie" not in headers


def test_own_names_and_origin_are_accepted(server):
    for name in (f"127.0.0.1:{server.port}", f"localhost:{server.port}"):
        status, _, text = get(server, "/graph.json", Host=name, Origin=f"http://{name}", Cookie=cookie_of(server))
        assert status == 200 and json.loads(text) == GRAPH | {"edition": 0}


def test_a_visit_from_another_sites_link_enters_in_two_steps(server):
    """The cookie is Strict, so a redirect that another site began would not send it."""
    status, headers, text = get(server, f"/?token={server.token}", Sec_Fetch_Site="cross-site")
    assert status == 200 and "Set-Cookie" in headers and 'content="0;url=/"' in text


def test_the_policy_allows_this_pages_script_and_nothing_else(server):
    cookie = cookie_of(server)
    _, headers, text = get(server, "/", Cookie=cookie)
    policy = headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]{16,})' 'wasm-unsafe-eval';", policy)[1]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy
    assert re.findall(r"<script[^>]*nonce=\"([^\"]*)\"", text) == [nonce] * len(re.findall(r"<script", text))
    _, again, _ = get(server, "/", Cookie=cookie)
    assert nonce not in again["Content-Security-Policy"], "a nonce is used once"
    for path in ("/", "/graph.json", "/nothing"):
        _, headers, _ = get(server, path, Cookie=cookie)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in headers


def test_the_page_may_do_the_same_when_served_and_when_saved(server):
    def rules(policy):
        found = dict(rule.split(" ", 1) for rule in policy.split("; "))
        return {k: re.sub("'(nonce|sha256)-[^']*'", "", v) for k, v in found.items() if k not in ("connect-src", "frame-ancestors")}

    _, headers, _ = get(server, "/", Cookie=cookie_of(server))
    saved = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.html(GRAPH))[1]
    assert rules(headers["Content-Security-Policy"]) == rules(saved)


def test_names_in_the_graph_cannot_leave_their_element(server):
    _, _, text = get(server, "/", Cookie=cookie_of(server))
    assert "<img" not in text and text.count("</script>") == text.count("<script")
    data = re.search(r'<script type="application/json" id="graph"[^>]*>(.*?)</script>', text, re.S)[1]
    assert json.loads(data)["nodes"][0]["name"] == HOSTILE
    _, headers, _ = get(server, "/graph.json", Cookie=cookie_of(server))
    assert headers["Content-Type"].startswith("application/json")


def test_what_is_not_there(server):
    assert get(server, "/../../etc/passwd", Cookie=cookie_of(server))[0] == 404
    assert get(server, "/graph.json/", Cookie=cookie_of(server))[0] == 404


def apply(old, change):
    """What web/src/changes.ts does."""
    if isinstance(change, list):
        return change[0]
    out = dict(old) if isinstance(old, dict) else [*old[:change["#"]], *[None] * (change["#"] - len(old))]
    for key, part in change.items():
        if key != "#":
            place = key if isinstance(old, dict) else int(key)
            before = old.get(key) if isinstance(old, dict) else old[place] if place < len(old) else None
            out[place] = apply(before, part)
    return out


def without_none(value):
    """The page takes None as missing."""
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not None}
    return [without_none(v) for v in value] if isinstance(value, list) else value


def test_changes_make_the_new_out_of_the_old():
    old = {"a": 1, "gone": "x", "steps": [{"n": 1, "v": [1, 2]}, {"n": 2, "v": [3]}], "edges": [[0, 1]], "none": []}
    for new in ({**old, "a": 2}, {**old, "steps": [{"n": 1, "v": [1, 2]}]}, {"a": 1}, old,
                {**old, "steps": [*old["steps"], {"n": 3, "v": [4]}], "edges": []}, {**old, "none": [{"a": 1}]}):
        change = changes(old, new)
        assert (change is None) == (new == old)
        assert without_none(apply(old, json.loads(json.dumps(change or {})))) == new
    assert changes(old, {**old, "steps": [*old["steps"], {"n": 3}]}) == {"steps": {"#": 3, "2": [{"n": 3}]}}


def test_a_page_that_has_a_version_gets_what_changed_since(server):
    cookie = cookie_of(server)
    text = get(server, "/", Cookie=cookie)[2]
    first = json.loads(re.search(r'id="graph"[^>]*>(.*?)</script>', text)[1])
    assert first["edition"] == 0
    steps = [{"step": i, "values": [{"data": [float(i)]}]} for i in range(100)]
    have = first
    for edition in (1, 2, 3):
        server.publish({**GRAPH, "training": {"steps": steps[:90 + edition]}})
        answer = get(server, f"/graph.json?have={have['edition']}", Cookie=cookie)[2]
        news = json.loads(answer)
        assert news["edition"] == edition and news["have"] == edition - 1
        assert edition == 1 or len(answer) < 200, "the steps that the page has are not sent again"
        have = without_none(apply(have, news["changes"])) | {"edition": edition}
    assert len(have["training"]["steps"]) == 93 and have["title"] == HOSTILE
    for unknown in ("", "77", "x", "-1", "9" * 50):
        assert "changes" not in json.loads(get(server, f"/graph.json?have={unknown}", Cookie=cookie)[2])
    assert json.loads(get(server, "/graph.json?have=3", Cookie=cookie)[2])["changes"] == {}


def test_events_tell_of_each_new_graph(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/events", headers={"Cookie": cookie_of(server)})
    stream = connection.getresponse()
    assert stream.status == 200 and stream.headers["Content-Type"] == "text/event-stream"
    assert stream.readline() == b": still here\n"
    stream.readline()
    for version in (1, 2):
        server.publish({"title": f"step {version}", "nodes": []})
        assert [stream.readline() for _ in range(3)] == [b"event: graph\n", b"data: %d\n" % version, b"\n"]
        _, _, text = get(server, "/graph.json", Cookie=cookie_of(server))
        assert json.loads(text)["title"] == f"step {version}"
    server.close()
    assert stream.read() == b"", "the stream ends with the server"
    connection.close()


def test_pages_that_went_away_leave_no_thread(server, monkeypatch):
    monkeypatch.setattr("kobai.viewer.server.HEARTBEAT", 0.05)
    monkeypatch.setattr(Server.news, "__defaults__", (0.05,))
    before = threading.active_count()
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/events", headers={"Cookie": cookie_of(server)})
        connection.getresponse()
        connection.sock.close() if connection.sock else None
        connection.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_close_frees_the_port_and_ends_the_thread():
    before = set(threading.enumerate())
    server = Server(GRAPH)
    server.close()
    assert {t for t in threading.enumerate() if t.name == "kobai view"} <= before
    with pytest.raises(ConnectionRefusedError):
        get(server)


def test_only_loopback_is_bound(server):
    assert server._http.socket.getsockname()[0] == "127.0.0.1"


def test_two_servers_do_not_share_cookies_tokens_or_ports(server):
    other = Server(GRAPH)
    try:
        assert get(other, "/", Cookie=cookie_of(server))[0] == 403
        assert other.token != server.token and other.port != server.port
    finally:
        other.close()


def test_the_server_ends_with_the_program():
    """Neither the listening thread nor a page that is still connected keeps Python alive."""
    program = """
        import http.client
        from kobai.viewer.server import Server
        server = Server({"title": "", "nodes": []})
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/events", headers={"Cookie": f"{server.cookie}={server.token}"})
        print(connection.getresponse().status)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(Path(page.__file__).parents[3])})
    assert done.returncode == 0 and done.stdout == "200\n" and done.stderr == ""


def test_a_saved_page_has_a_policy_of_its_own():
    text = page.html(GRAPH)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy and "sha256-" in policy
    assert "<img" not in text
