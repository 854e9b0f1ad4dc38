"""Vectors of Heroku's three sign-on tokens, computed with hashlib by Heroku's article on add-on single sign-on.

    python3 sso_vectors.py > ../it/heroku/sso_vectors.json

A test compares the output with this file, and the tokens with those of the routers.
"""

import hashlib
import json

COUNT = 20
FIRST = 1_772_000_000
USERS = ("c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64", "user-1@users.heroku.com", "7", "a b", "büro")
EMAILS = (
    "ada@example.org",
    "ada+ops@example.org",
    "ada ops@example.org",
    "ADA@EXAMPLE.ORG",
    "büro@exämple.org",
    "a&b=c%41@example.org",
    "x:y@example.org",
    "\u6771\u4eac@example.jp",
    "\U0001f3ee@example.org",
    "o'hara\"<>@example.org",
)


def digits(number, length):
    return hashlib.md5(str(number).encode()).hexdigest()[:length]


def fields(number):
    key = digits(number, 32)
    uuid = "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))
    salt = (digits(f"salt {number}", 32), f"salt:{number}", "rock salt", "s\u00e4lz" * (number + 1))[number % 4]
    return {
        "resource_id": uuid,
        "id": (str(number), uuid, f"widget-{number}", f"dep{number}@example.org")[number % 4],
        "user_id": USERS[number % len(USERS)],
        "email": EMAILS[number % len(EMAILS)],
        "timestamp": ("" if number % 5 else "0") + str(FIRST + number * 86_399),
        "salt": salt,
    }


def token(algorithm, *parts):
    return hashlib.new(algorithm, ":".join(parts).encode()).hexdigest()


def vectors():
    for number in range(COUNT):
        of = fields(number)
        resource, salt, timestamp = of["resource_id"], of["salt"], of["timestamp"]
        yield {
            **of,
            "token": token("sha1", of["id"], salt, timestamp),
            "resource_token": token("sha1", resource, salt, timestamp),
            "user_scoped_resource_token": token("sha256", resource, salt, timestamp, of["user_id"], of["email"]),
        }


print(json.dumps(list(vectors()), indent=2))
