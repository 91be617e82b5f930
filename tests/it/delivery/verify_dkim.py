"""Verifies the DKIM signature of the message on standard input: SELECTOR DOMAIN PUBLIC_KEY_BASE64."""

import sys

import dkim

selector, domain, key = sys.argv[1:]
asked = []


def txt(name, timeout=5):
    asked.append(name.decode().rstrip("."))
    return b"v=DKIM1; k=rsa; p=" + key.encode()


valid = dkim.verify(sys.stdin.buffer.read(), dnsfunc=txt)
print("valid" if valid else "invalid", *asked)
