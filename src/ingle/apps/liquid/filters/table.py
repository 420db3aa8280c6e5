"""Every filter by its name: Liquid's own, and those that LLMStack adds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ingle.apps.liquid.filters import arithmetic, as_json, dates, encoding, lists, text
from ingle.apps.liquid.filters.rule import Rule

__all__ = ["FILTERS"]


def _default(_: object, value: object, *__: object) -> object:
    return value


FILTERS: Mapping[str, Rule] = MappingProxyType(
    {
        # `expressions.py` carries it out: it decides whether its argument is read at all.
        "default": Rule(_default, 0, 1, frozenset({"allow_false"})),
        "append": Rule(text.append, 1, 1),
        "capitalize": Rule(text.capitalize),
        "downcase": Rule(text.downcase),
        "lstrip": Rule(text.lstrip),
        "newline_to_br": Rule(text.newline_to_br),
        "prepend": Rule(text.prepend, 1, 1),
        "remove": Rule(text.remove, 1, 1),
        "remove_first": Rule(text.remove_first, 1, 1),
        "remove_last": Rule(text.remove_last, 1, 1),
        "replace": Rule(text.replace, 1, 2),
        "replace_first": Rule(text.replace_first, 1, 2),
        "replace_last": Rule(text.replace_last, 2, 2),
        "rstrip": Rule(text.rstrip),
        "safe": Rule(text.safe),
        "slice": Rule(text.slice_, 1, 2),
        "split": Rule(text.split, 1, 1),
        "squish": Rule(text.squish),
        "strip": Rule(text.strip),
        "strip_newlines": Rule(text.strip_newlines),
        "to_string": Rule(text.tostring),
        "tostring": Rule(text.tostring),
        "truncate": Rule(text.truncate, 0, 2),
        "truncatewords": Rule(text.truncatewords, 0, 2),
        "upcase": Rule(text.upcase),
        "base64_decode": Rule(encoding.base64_decode),
        "base64_encode": Rule(encoding.base64_encode),
        "base64_url_safe_decode": Rule(encoding.base64_url_safe_decode),
        "base64_url_safe_encode": Rule(encoding.base64_url_safe_encode),
        "escape": Rule(encoding.escape),
        "escape_once": Rule(encoding.escape_once),
        "escapejs": Rule(encoding.escapejs),
        "strip_html": Rule(encoding.strip_html),
        "url_decode": Rule(encoding.url_decode),
        "url_encode": Rule(encoding.url_encode),
        "urlencode": Rule(encoding.url_encode),
        "escape_unicode": Rule(as_json.escape_unicode),
        "json": Rule(as_json.json, 0, 1),
        "to_dict": Rule(as_json.todict),
        "to_json": Rule(as_json.tojson),
        "todict": Rule(as_json.todict),
        "tojson": Rule(as_json.tojson),
        "abs": Rule(arithmetic.abs_),
        "at_least": Rule(arithmetic.at_least, 1, 1),
        "at_most": Rule(arithmetic.at_most, 1, 1),
        "ceil": Rule(arithmetic.ceil),
        "divided_by": Rule(arithmetic.divided_by, 1, 1),
        "floor": Rule(arithmetic.floor),
        "minus": Rule(arithmetic.minus, 1, 1),
        "modulo": Rule(arithmetic.modulo, 1, 1),
        "plus": Rule(arithmetic.plus, 1, 1),
        "round": Rule(arithmetic.round_, 0, 1),
        "times": Rule(arithmetic.times, 1, 1),
        "compact": Rule(lists.compact, 0, 1),
        "concat": Rule(lists.concat, 1, 1),
        "find": Rule(lists.find, 1, 2),
        "find_index": Rule(lists.find_index, 1, 2),
        "first": Rule(lists.first),
        "has": Rule(lists.has, 1, 2),
        "join": Rule(lists.join, 0, 1),
        "last": Rule(lists.last),
        "map": Rule(lists.map_, 1, 1),
        "reject": Rule(lists.reject, 1, 2),
        "reverse": Rule(lists.reverse),
        "size": Rule(lists.size),
        "sort": Rule(lists.sort, 0, 1),
        "sort_natural": Rule(lists.sort_natural, 0, 1),
        "sum": Rule(lists.sum_, 0, 1),
        "uniq": Rule(lists.uniq, 0, 1),
        "where": Rule(lists.where, 1, 2),
        "date": Rule(dates.date, 1, 1),
    }
)
