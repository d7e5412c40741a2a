# Verdict: exit 0
from attack import *
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), 5)
peer = server.accept()[0]
client.send(b"x")
if peer.recv(1) != b"x":
    escaped("no connection inside")
must_raise("a route", lambda: client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1))
