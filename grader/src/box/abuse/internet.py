# Verdict: exit 0
from attack import *
import socket
for address in (("1.1.1.1", 53), ("169.254.169.254", 80), ("10.0.0.1", 80)):
    must_raise("connection to " + address[0], socket.create_connection, address, 1)
must_raise("datagram", socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b"x", ("1.1.1.1", 53))
must_raise("name lookup", socket.getaddrinfo, "example.com", 80)
