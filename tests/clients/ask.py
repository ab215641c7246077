"""Prints what a path of the site answers: ask.py PATH [KEY...]; keys lead into the JSON, `*` into each of a list."""

import json
import os
import sys
import urllib.request


def walk(value, keys):
    if not keys:
        yield value
    elif keys[0] == "*":
        for one in value:
            yield from walk(one, keys[1:])
    else:
        key = int(keys[0]) if isinstance(value, list) else keys[0]
        yield from walk(value[key], keys[1:])


request = urllib.request.Request(
    os.environ["URL"] + sys.argv[1],
    headers={"Authorization": "Token " + os.environ["TOKEN"]},
)
with urllib.request.urlopen(request) as answer:
    text = answer.read().decode()
if len(sys.argv) == 2:
    print(text)
else:
    for found in walk(json.loads(text), sys.argv[2:]):
        print(found if isinstance(found, str) else json.dumps(found))
