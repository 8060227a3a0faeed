"""The page of the viewer: one HTML file with the program, the style and the graph in it.

``viewer.js`` and ``viewer.css`` are built from ``web/`` at the root of the repository (``npm run build``).
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files

DANGEROUS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def html(description: dict, *, live: bool = False, lang: str = "en", nonce: str = "") -> str:
    """The page that shows what `model.describe` returned; it needs nothing else, neither files nor network.

    Args:
        live: the page asks a server for news: it listens to the event stream ``events`` and, at each event
            called ``graph``, loads ``graph.json?have=<edition>`` (both relative to the page's address; `changes.py`).
        lang: "en" or "ja", the language at first; the reader can switch.
        nonce: of the server's Content-Security-Policy. It must allow ``script-src 'nonce-…'
            'wasm-unsafe-eval'; style-src 'nonce-…'; img-src data: blob:; worker-src blob:; connect-src 'self'``.
            Without a nonce the page carries a policy of its own, with the hashes of what it contains.

    >>> page = html({"title": "</script>", "nodes": []})
    >>> "</script>\\"" in page, "http-equiv" in page
    (False, True)
    """
    script, style = _asset("viewer.js"), _asset("viewer.css")
    data = embedded(compact({**description, "live": live, "lang": lang}))
    mark = f' nonce="{escape(nonce)}"' if nonce else ""
    policy = "" if nonce else _policy(script, style, live)
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n{policy}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(str(description.get('title') or 'kobai'))}</title>\n"
        f"<style{mark}>{style}</style>\n</head>\n<body>\n<div id=\"app\"></div>\n"
        f'<script type="application/json" id="graph"{mark}>{data}</script>\n'
        f"<script{mark}>{script}</script>\n</body>\n</html>\n"
    )


def compact(value):
    """The same without what is empty: the page takes a missing field as None, "", [], 0 or False.

    >>> compact({"name": "w", "source": None, "settings": [], "grad": {"data": [0, None]}})
    {'name': 'w', 'grad': {'data': [0, None]}}
    """
    if isinstance(value, dict):
        return {k: compact(v) for k, v in value.items() if v or isinstance(v, (int, float)) and v is not False}
    return [compact(v) for v in value] if isinstance(value, list) else value


def embedded(value) -> str:
    """JSON that can stand inside ``<script>``: no text in it can end the element or break a line.

    >>> embedded({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # ASCII: no U+2028, no lone surrogates
    for character, code in DANGEROUS.items():
        text = text.replace(character, code)
    return text


@cache
def _asset(name: str) -> str:
    """A built file; nothing in it ends the element that it is put into."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def _policy(script: str, style: str, live: bool) -> str:
    """The Content-Security-Policy of a page that no server sends: what it contains, by hash, and nothing else."""
    connect = "'self'" if live else "'none'"
    rules = (
        f"default-src 'none'; script-src {_hash(script)} 'wasm-unsafe-eval'; style-src {_hash(style)}; "
        f"img-src data: blob:; worker-src blob:; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'


@cache
def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
