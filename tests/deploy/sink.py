#!/usr/bin/python3
"""A mail server that keeps what it gets: sink.py FOLDER PORT [--starttls CERT KEY] [--login NAME PASSWORD].

Each mail is a file FOLDER/NUMBER.eml, and a line of FOLDER/mails tells its envelope and whether TLS and a login came before it.
While there is a file FOLDER/refuse it answers 451 to the data, FOLDER/reject 550 to the recipient; FOLDER/slow: a second late.
"""
import argparse
import asyncio
import itertools
import json
import os
import ssl
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder")
parser.add_argument("port", type=int)
parser.add_argument("--starttls", nargs=2, metavar=("CERT", "KEY"))
parser.add_argument("--login", nargs=2, metavar=("NAME", "PASSWORD"))
arguments = parser.parse_args()
numbers = itertools.count(1)


def told(name):
    return os.path.exists(os.path.join(arguments.folder, name))


def login(server, session, envelope, mechanism, data):
    given = [data.login.decode(), data.password.decode()]
    return AuthResult(success=given == arguments.login, handled=False)


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if told("reject"):
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if told("slow"):
            await asyncio.sleep(1)
        if told("refuse"):
            return "451 4.3.0 later"
        name = os.path.join(arguments.folder, f"{next(numbers):05}.eml")
        with open(name + ".part", "wb") as out:
            out.write(envelope.original_content)
        os.rename(name + ".part", name)
        line = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None, "login": session.authenticated}
        with open(os.path.join(arguments.folder, "mails"), "a") as out:
            out.write(json.dumps(line) + "\n")
        return "250 ok"


options = {}
if arguments.starttls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*arguments.starttls)
    options.update(tls_context=context, require_starttls=True)
if arguments.login:
    options.update(authenticator=login, auth_required=True, auth_require_tls=bool(arguments.starttls))
Controller(Sink(), hostname="127.0.0.1", port=arguments.port, **options).start()
while True:
    time.sleep(3600)
