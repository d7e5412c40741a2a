# Verdict: exit 0
from attack import *
import socket
for protocol in range(1, 33):
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        must_raise("netlink %d" % protocol, socket.socket, socket.AF_NETLINK, kind, protocol)
