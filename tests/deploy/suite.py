#!/usr/bin/env python3
"""Asks the same of a site through several doors and front servers: suite.py [--token TOKEN] [--large PATH] NAME=URL NAME=URL…

The first URL is the measure, usually the site's own server; what the others answer is compared with it: status, headers,
every byte. Says `ok` or `FAIL` for each. Besides the standard library it needs nothing.
"""

import argparse
import base64
import http.client
import re
import socket
import ssl
import sys
import urllib.parse

HOST = "patchwork.example.com"
# Of the connection, not of the answer; or of the server in front.
HOP = {"connection", "date", "keep-alive", "server", "transfer-encoding", "upgrade", "via"}
COOKIE = "csrftoken=" + "abcdefgh" * 4
PATCH = "patch/aWq%2F7Tz9%2BLk2%2FxB4@kwame.example.org/"


class Site:
    def __init__(self, name, url, prefix):
        parts = urllib.parse.urlsplit(url)
        self.name, self.url = name, url
        self.scheme, self.host, self.port = parts.scheme, parts.hostname, parts.port
        self.prefix = prefix

    def connect(self):
        if self.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=60, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def ask(self, request, connection=None):
        own = connection or self.connect()
        method, path, headers, body = request
        own.putrequest(method, self.prefix + path, skip_host=True, skip_accept_encoding=True)
        own.putheader("Host", HOST)
        own.putheader("Cookie", COOKIE)
        for name, value in headers.items():
            own.putheader(name, value)
        if isinstance(body, list):
            own.putheader("Transfer-Encoding", "chunked")
            own.endheaders()
            for piece in body + [b""]:
                own.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            if body is not None:
                own.putheader("Content-Length", str(len(body)))
            own.endheaders(body)
        answer = own.getresponse()
        content = answer.read()
        if connection is None:
            own.close()
        return answer.status, answer.getheaders(), content


def seen(answer):
    """What has to be the same: status, headers, body; the scheme is the front server's affair."""
    status, headers, body = answer
    kept = []
    for name, value in headers:
        name = name.lower()
        # Apache leaves the type out of an answer without a body.
        if name in HOP or (status == 304 and name == "content-type"):
            continue
        value = re.sub(r"; Secure", "", value).replace("https://" + HOST, "http://" + HOST)
        # One line with commas is as good as several (RFC 9110, section 5.3).
        values = re.split(r",\s*", value) if name == "vary" else [value]
        kept += [(name, value) for value in values]
    body = body.replace(b"https://" + HOST.encode(), b"http://" + HOST.encode())
    return status, sorted(kept), body


def difference(measure, other, free):
    (status, headers, body), (status2, headers2, body2) = measure, other
    if status != status2:
        return f"status {status2} instead of {status}: {body2[:200]!r}"
    lost, more = set(headers) - set(headers2), set(headers2) - set(headers)
    if any(header[0] not in free for header in lost | more):
        return f"headers: lost {sorted(lost)}, more {sorted(more)}"
    if body != body2:
        at = next((i for i, (a, b) in enumerate(zip(body, body2)) if a != b), min(len(body), len(body2)))
        return f"body differs at {at}: {body2[at:at + 80]!r} instead of {body[at:at + 80]!r}"
    return None


def requests(token, large):
    basic = "Basic " + base64.b64encode(b"mara:low-tide-at-noon").decode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    json = {"Content-Type": "application/json", "Accept": "application/json"}
    mebibyte = b"username=" + b"x" * (1 << 20)
    yield "the list", ("GET", "/project/tidepool/list/", {}, None)
    yield "a query", ("GET", "/project/tidepool/list/?q=a%26b+c&order=-date&x=%2F&y=%C3%A9", {}, None)
    yield "an encoded slash", ("GET", "/project/tidepool/" + PATCH, {}, None)
    yield "a slash encoded twice", ("GET", "/project/tidepool/" + PATCH.replace("%", "%25"), {}, None)
    yield "a plain slash", ("GET", "/project/tidepool/" + urllib.parse.unquote(PATCH).replace("+", "%2B"), {}, None)
    yield "two slashes", ("GET", "/project//tidepool//list/", {}, None)
    yield "nothing there", ("GET", "/project/tidepool/nothing-here/", {}, None)
    yield "the API, with its links", ("GET", "/api/patches/?per_page=5&page=2", {}, None)
    yield "a long answer of the API", ("GET", "/api/patches/?per_page=250", {}, None)
    yield "Basic", ("GET", "/api/users/", {"Authorization": basic}, None)
    yield "Basic with a wrong password", ("GET", "/api/users/", {"Authorization": basic[:-4]}, None)
    if token:
        yield "Token", ("GET", "/api/users/", {"Authorization": "Token " + token}, None)
    yield "nobody", ("GET", "/api/users/", {}, None)
    yield "a form of 1 MiB", ("POST", "/user/login/", form, mebibyte)
    yield "an empty form", ("POST", "/user/login/", form, b"")
    yield "a body in pieces", ("POST", "/api/bundles/", json, [b'{"name": ', b'"x"}'])
    yield "a form that names a method", ("POST", "/user/login/", form, b"_method=delete&username=x")
    yield "HEAD", ("HEAD", "/project/tidepool/list/", {}, None)
    yield "HEAD of the API", ("HEAD", "/api/patches/", {}, None)
    yield "a language and a type", ("GET", "/api/", {"Accept": "text/html", "Accept-Language": "de"}, None)
    if large:
        yield "a large mbox", ("GET", large, {}, None)


def static(site):
    page = site.ask(("GET", "/project/tidepool/list/", {}, None))[2].decode()
    return re.search(r'href="([^"]+\.css)"', page).group(1)[len(site.prefix):]


def not_modified(site):
    """Asks for a style sheet twice; the second time with its tag."""
    path = static(site)
    first = site.ask(("GET", path, {}, None))
    tag = dict((name.lower(), value) for name, value in first[1]).get("etag")
    if not tag:
        path = "/project/tidepool/list/"
        first = site.ask(("GET", path, {}, None))
        tag = dict((name.lower(), value) for name, value in first[1]).get("etag")
    second = site.ask(("GET", path, {"If-None-Match": tag or "*"}, None))
    return first, second


def api_not_modified(site):
    """Asks the API for the same twice; the second time with the tag of the first answer."""
    path = "/api/patches/?per_page=5"
    tag = dict((name.lower(), value) for name, value in site.ask(("GET", path, {}, None))[1]).get("etag", "")
    return site.ask(("GET", path, {"If-None-Match": tag}, None))


def keep_alive(site):
    connection = site.connect()
    connection.connect()
    before = connection.sock.getsockname()
    answers = [site.ask(("GET", "/api/", {}, None), connection) for _ in range(3)]
    same = connection.sock is not None and connection.sock.getsockname() == before
    connection.close()
    return answers, same


def abort(site, large):
    """Leaves in the middle: of the headers, of a body, of a long answer; the next request is served."""
    if site.scheme == "https":
        return
    host = f"Host: {HOST}\r\n"
    for said in (
        f"GET {site.prefix}/ HT",
        f"POST {site.prefix}/user/login/ HTTP/1.1\r\n{host}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nusername=",
        f"GET {site.prefix}{large or '/api/patches/?per_page=250'} HTTP/1.1\r\n{host}\r\n",
    ):
        with socket.create_connection((site.host, site.port), timeout=10) as connection:
            connection.sendall(said.encode())
            if "HTTP/1.1\r\n" in said and said.startswith("GET"):
                connection.recv(10)


def compare(measure, site, token, large):
    faults, count = [], 0
    # A length is a courtesy where the body comes in pieces. Links with https have another tag.
    free = {"content-length"} if measure.scheme == site.scheme else {"content-length", "etag"}
    for name, request in requests(token, large):
        count += 1
        found = difference(seen(measure.ask(request)), seen(site.ask(request)), free)
        if found:
            faults.append(f"{name}: {found}")
    for there, here in zip(not_modified(measure), not_modified(site)):
        count += 1
        found = difference(seen(there), seen(here), free)
        if found:
            faults.append(f"304: {found}")
    if not_modified(site)[1][0] != 304 or not_modified(site)[1][2]:
        faults.append("304: a known file comes again")
    status, _, body = api_not_modified(site)
    count += 2
    if status != 304 or body:
        faults.append(f"304: a known answer of the API comes again: {status}")
    answers, same = keep_alive(site)
    count += len(answers)
    if not same or {answer[0] for answer in answers} != {200}:
        faults.append("the connection is not kept open")
    abort(site, large)
    count += 4
    if site.ask(("GET", "/api/", {}, None))[0] != 200:
        faults.append("no answer after clients that left")
    return count, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--token")
    parser.add_argument("--large")
    parser.add_argument("--prefix", default="")
    parser.add_argument("sites", nargs="+")
    arguments = parser.parse_args()
    measure, *others = [Site(*text.split("=", 1), arguments.prefix) for text in arguments.sites]
    # A token remembers its first use, and the first use of anything else may leave something behind too.
    for _, request in requests(arguments.token, arguments.large):
        measure.ask(request)
    failed = False
    for site in others:
        count, faults = compare(measure, site, arguments.token, arguments.large)
        for fault in faults:
            print(f"FAIL {site.name}: {fault}")
        if not faults:
            print(f"ok {site.name}: {count} requests are answered as by {measure.name}, to the byte")
        failed = failed or bool(faults)
    sys.exit(failed)


if __name__ == "__main__":
    main()
