"""Holds connections open and says nothing: ADDRESS PORT COUNT. Prints how many were greeted, ends with its input."""

import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
crowd = [socket.create_connection((address, port)) for _ in range(count)]
print(sum(one.recv(100).startswith(b"220 ") for one in crowd), flush=True)
sys.stdin.read()
