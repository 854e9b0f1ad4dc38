"""Preprocessor of mdBook: a link to a file outside docs/ leads to the file in the repository."""

import json
import re
import sys

FORGE = "https://github.com/maitre-rs/maitre/blob/main/"


def replace(value):
    if isinstance(value, dict):
        return {key: replace(inner) if key != "content" else rewrite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [replace(inner) for inner in value]
    return value


def rewrite(text):
    return re.sub(r"\]\(\.\./", "](" + FORGE, text)


if sys.argv[1:2] == ["supports"]:
    sys.exit(0)
context, book = json.load(sys.stdin)
json.dump(replace(book), sys.stdout)
