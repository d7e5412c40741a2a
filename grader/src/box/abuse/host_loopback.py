# Verdict: exit 0
from attack import *
import socket
for address in ("127.0.0.1", "localhost", "0.0.0.0"):
    must_raise("port of the machine on " + address, socket.create_connection, (address, int(PORT)), 1)
must_raise("port on ::1", lambda: socket.socket(socket.AF_INET6).connect(("::1", int(PORT))))
