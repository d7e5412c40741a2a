# Verdict: exit 0
from attack import *
import socket
for address in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "localhost", "0177.0.0.1", "2130706433", "0x7f.1"):
    must_raise(address, socket.create_connection, (address, int(PORT)), 1)
