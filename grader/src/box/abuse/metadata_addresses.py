# Verdict: exit 0
from attack import *
import socket
for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::a9fe:a9fe%1"):
    must_raise(address, socket.create_connection, (address, 80), 1)
