"""Drives the official client for the tests: a call a line comes in as JSON, an answer a line goes out as JSON.

Called with scheme and host of the server and with a key. Of the client nothing is changed but scheme and host: its path
(/api/1.3), its headers and its suffixes stay its own.
"""

import base64
import hashlib
import importlib.metadata
import json
import sys
from urllib.parse import urlsplit, urlunsplit

import mailchimp_transactional
import requests
from mailchimp_transactional.api_client import ApiClientError


def check_unmodified():
    """Compares every file of the package with the digest that it was published with."""
    for file in importlib.metadata.distribution("mailchimp-transactional").files:
        if file.hash is None:
            continue
        digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            raise SystemExit(f"{file} was changed after it was installed")


def client(server, key):
    made = mailchimp_transactional.Client(key)
    ours, own = urlsplit(server), urlsplit(made.api_client.host)
    made.api_client.host = urlunsplit((ours.scheme, ours.netloc, own.path, own.query, own.fragment))
    return made


def answer(made, category, method, body):
    try:
        result = getattr(getattr(made, category), method)(body)
    except ApiClientError as error:
        return {"error": {"status": error.status_code, "body": error.text}}
    if isinstance(result, requests.Response):
        # What the client does not unpack: empty lists, and answers that are not JSON.
        return {"response": {"status": result.status_code, "text": result.text}}
    return {"ok": result}


def main():
    check_unmodified()
    made = client(sys.argv[1], sys.argv[2])
    print(json.dumps({"path": urlsplit(made.api_client.host).path}), flush=True)
    for line in sys.stdin:
        category, method, body = json.loads(line)
        print(json.dumps(answer(made, category, method, body)), flush=True)


main()
