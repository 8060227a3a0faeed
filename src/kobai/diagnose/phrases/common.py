"""Phrases that all parts of kobai share."""
from __future__ import annotations

COMMON: dict[str, str] = {
    # ---- must be ...
    "a positive number": "正の数",
    "a number of at least {low}": "{low} 以上の数",
    "a number above {low}": "{low} より大きい数",
    "a number of at most {high}": "{high} 以下の数",
    "a number between {low} and {high}": "{low} 以上 {high} 以下の数",
    "a whole number": "整数",
    "a positive whole number": "正の整数",
    "a whole number of at least {low}": "{low} 以上の整数",
    "a whole number between {low} and {high}": "{low} 以上 {high} 以下の整数",
    "a number": "数",
    "True or False": "True か False",
    "a tensor": "テンソル",
    "a tensor or None": "テンソルか None",
    "a list or tuple of tensors": "テンソルのリストかタプル",
    "a list or tuple of whole numbers": "整数のリストかタプル",
    "a function": "関数",
    "a text": "文字列",
    "a dict": "辞書",
    "a module": "モジュール",
    "floating point numbers": "浮動小数点数",
    "floating point or complex numbers": "浮動小数点数か複素数",
    "complex numbers": "複素数",
    "whole numbers": "整数",
    "whole numbers of type int64": "int64 の整数",
    "numbers that are not complex": "複素数以外の数",
    "3": "3",
    # ---- need ...
    "{n}": "{n}",
    "{n} or {m}": "{n} または {m}",
    "{n}, {m} or {k}": "{n}、{m} または {k}",
    "at least {n}": "{n} 以上",
    "at most {n}": "{n} 以下",
    # ---- both must ...
    "both must have the same shape": "同じ形でなければなりません",
    "both must have the same number of elements": "要素の数が同じでなければなりません",
}
