# Verdict: exit 0
from attack import *
import socket
for address in ("10.0.0.1", "172.17.0.1", "172.16.0.1", "192.168.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "8.8.8.8"):
    must_raise(address, socket.create_connection, (address, 443), 1)
    must_raise("datagram to " + address, socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b"x", (address, 53))
