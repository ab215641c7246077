#!/usr/bin/env python3
"""Bad input and much of it: bad.py SOCKET URL speaks broken FastCGI to a socket, and broken HTTP to a URL's server.

bad.py --parallel N URL asks N times at once; bad.py --while SECONDS URL asks again and again, and counts.
"""

import argparse
import http.client
import os
import socket
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request


def record(kind, content=b"", number=1, version=1, length=None):
    length = len(content) if length is None else length
    return struct.pack(">BBHHBB", version, kind, number, length, 0, 0) + content


def pair(name, value):
    return bytes([len(name), len(value)]) + name + value


BEGIN = record(1, struct.pack(">HB5x", 1, 0))


def request(*pairs):
    return BEGIN + record(4, b"".join(pair(*it) for it in pairs)) + record(4)


GET = request((b"REQUEST_METHOD", b"GET"), (b"REQUEST_URI", b"/api/"))


def post(length):
    return request(
        (b"REQUEST_METHOD", b"POST"), (b"REQUEST_URI", b"/user/login/"), (b"CONTENT_LENGTH", length),
        (b"CONTENT_TYPE", b"application/x-www-form-urlencoded"),
    )


def say(address, said, close=False):
    """Sends, and returns what comes until the other side closes or says nothing for a while."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    answer = b""
    with socket.socket(family) as connection:
        connection.settimeout(3)
        connection.connect(address)
        try:
            connection.sendall(said)
            if close:
                return answer
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass
    return answer


def broken(path, url):
    parts = urllib.parse.urlsplit(url)
    server = (parts.hostname, parts.port)
    for name, said, expected in (
        ("a wrong version", record(1, b"\0" * 8, version=9), b""),
        ("noise", os.urandom(4096), b""),
        ("HTTP spoken to FastCGI", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b""),
        ("a record cut short", GET[:-20], b""),
        ("a name longer than its record", BEGIN + record(4, b"\x7f\x7fabc") + record(4) + record(5), None),
        ("a record of a request that was never begun", record(5, b"x", number=7), b""),
        ("a body shorter than CONTENT_LENGTH", post(b"500") + record(5, b"username=x") + record(5), b" 400 "),
        ("a body longer than CONTENT_LENGTH", post(b"3") + record(5, b"a=b&c=d") + record(5), None),
        ("a CONTENT_LENGTH that is no number", post(b"many") + record(5), b" 400 "),
        ("a CONTENT_LENGTH below zero", post(b"-1") + record(5), b" 400 "),
        ("an upload that breaks off", post(b"500") + record(5, b"username=x"), b""),
    ):
        answer = say(path, said)
        if expected is not None and (expected not in answer or not expected and b"Status: 200" in answer):
            sys.exit(f"FAIL {name}: {answer[:200]!r}")
        answer = say(path, GET + record(5))
        if b"Status: 200" not in answer:
            sys.exit(f"FAIL after {name}: {answer[:200]!r}")
    print("ok broken FastCGI: 11 kinds, each time the next request is served")
    for name, said, close in (
        ("noise", os.urandom(4096), False),
        ("a body shorter than Content-Length", b"POST /user/login/ HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nx=y", False),
        ("two lengths", b"POST /api/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", False),
        ("a length and pieces", b"POST /api/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        ("a header without end", b"GET /api/ HTTP/1.1\r\nX: " + b"x" * (1 << 20), True),
        ("who leaves at once", b"GET /api/ HTTP/1.1\r\nHost: a\r\n\r\n", True),
    ):
        answer = say(server, said, close)
        if b" 200 OK" in answer and "pieces" not in name:
            sys.exit(f"FAIL {name}: {answer[:200]!r}")
        if urllib.request.urlopen(f"{url}/api/", timeout=10).status != 200:
            sys.exit(f"FAIL after {name}")
    print("ok broken HTTP: 6 kinds, each time the next request is served")


def ask(url, found):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            body = answer.read()
            found.append((answer.status, len(body)))
    except (OSError, http.client.HTTPException) as error:
        found.append((str(error), 0))


def parallel(count, url):
    found = []
    threads = [threading.Thread(target=ask, args=(url, found)) for _ in range(count)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = set(found)
    if len(found) != count or len(kinds) != 1 or next(iter(kinds))[0] != 200:
        sys.exit(f"FAIL {count} at once: {sorted(kinds, key=str)[:5]}")
    print(f"ok {count} requests at once to {urllib.parse.urlsplit(url).netloc}: all served in {time.monotonic() - began:.1f} s")


def again(seconds, url):
    end, found = time.monotonic() + seconds, []

    def work():
        while time.monotonic() < end:
            ask(url, found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bad = [it for it in found if it[0] != 200]
    print(f"{len(found)} requests, {len(bad)} not answered {bad[:2] if bad else ''}".strip())
    sys.exit(bool(bad))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parallel", type=int)
    parser.add_argument("--while", type=float, dest="seconds")
    parser.add_argument("words", nargs="+")
    arguments = parser.parse_args()
    if arguments.parallel:
        parallel(arguments.parallel, arguments.words[0])
    elif arguments.seconds:
        again(arguments.seconds, arguments.words[0])
    else:
        broken(*arguments.words)


if __name__ == "__main__":
    main()
