"""Verifies each DKIM signature of the message on standard input, and prints one line for each in the order of the message.

DOMAIN, then SELECTOR=TYPE:PUBLIC_KEY_BASE64 for each key that the DNS holds.
"""

import sys

import dkim

domain, *keys = sys.argv[1:]
records = {}
for key in keys:
    selector, record = key.split("=", 1)
    kind, public = record.split(":", 1)
    records[f"{selector}._domainkey.{domain}"] = f"v=DKIM1; k={kind}; p={public}".encode()


def txt(name, timeout=5):
    return records.get(name.decode().rstrip("."), b"")


message = sys.stdin.buffer.read()
signed = dkim.DKIM(message)
count = sum(name.lower() == b"dkim-signature" for name, _ in signed.headers)
for at in range(count):
    one = dkim.DKIM(message)
    try:
        valid = one.verify(idx=at, dnsfunc=txt)
    except dkim.DKIMException:
        valid = False
    fields = one.signature_fields
    print("valid" if valid else "invalid", fields[b"a"].decode(), fields[b"s"].decode())
