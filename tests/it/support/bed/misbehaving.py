"""The bed's servers that misbehave, each at an address of its own: LOG. Each command that one hears is a line of the log:
NAME, COMMAND. All of them take mail in clear from who insists; what is taken is a line of its own: NAME, TAKEN, RECIPIENT."""

import asyncio
import sys

LOG = open(sys.argv[1], "w", buffering=1)
LONGEST = 64 * 1024 * 1024


def note(*words):
    print(*words, file=LOG)


async def close(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def hang(reader, writer):
    """Waits for the end of the other side."""
    while await reader.read(65536):
        pass


async def garbage(reader, writer):
    """Answers the ClientHello with what is no TLS."""
    await reader.read(65536)
    writer.write(b"this is no TLS\r\n" * 8)
    await writer.drain()
    await hang(reader, writer)


async def eof(reader, writer):
    """Reads the ClientHello and closes."""
    await reader.read(65536)


AFTER_220 = {"hang": hang, "garbage": garbage, "eof": eof, "inject": hang}


async def session(name, reader, writer):
    """A plain dialogue that offers STARTTLS, and what `name` does behind it."""
    recipient = ""
    writer.write(b"220 mx.%s.test ESMTP\r\n" % name.encode())
    while line := await reader.readline():
        text = line.decode("latin-1").rstrip("\r\n")
        verb = text.split(" ")[0].upper()
        note(name, verb)
        if verb == "EHLO":
            writer.write(b"250-mx.%s.test\r\n250-STARTTLS\r\n250 8BITMIME\r\n" % name.encode())
        elif verb == "STARTTLS":
            writer.write(b"220 2.0.0 go\r\n" + (b"250 injected\r\n" if name == "inject" else b""))
            await writer.drain()
            return await AFTER_220[name](reader, writer)
        elif verb == "DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            note(name, "TAKEN", recipient)
            writer.write(b"250 2.0.0 taken\r\n")
        elif verb == "QUIT":
            writer.write(b"221 2.0.0 bye\r\n")
            return await writer.drain()
        else:
            if verb == "RCPT":
                recipient = text[text.find("<") + 1 : text.rfind(">")]
            writer.write(b"250 2.0.0 yes\r\n")
        await writer.drain()


async def pipe(reader, writer, change):
    while data := await reader.read(65536):
        writer.write(change(data))
        await writer.drain()
    writer.close()


async def strip(reader, writer):
    """A man in the middle before the good server: nobody hears that it offers STARTTLS."""
    note("strip", "CONNECTED")
    good_reader, good_writer = await asyncio.open_connection("127.0.0.2", 25, local_addr=("127.0.0.10", 0))
    without = lambda data: data.replace(b"250-STARTTLS\r\n", b"")
    await asyncio.gather(pipe(reader, good_writer, bytes), pipe(good_reader, writer, without))


def served(name):
    async def serve(reader, writer):
        try:
            await (strip(reader, writer) if name == "strip" else session(name, reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        await close(writer)

    return serve


async def main():
    for name, number in [("strip", 10), ("hang", 11), ("garbage", 12), ("eof", 13), ("inject", 16)]:
        await asyncio.start_server(served(name), f"127.0.0.{number}", 25, limit=LONGEST, backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())
