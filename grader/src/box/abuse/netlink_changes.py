# Verdict: exit 0
from attack import *
import socket, struct
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
link.bind((0, 0))
def ask(kind, body):
    link.send(struct.pack("IHHII", 16 + len(body), kind, 0x605, 1, 0) + body)
    answer = link.recv(65536)
    if struct.unpack_from("H", answer, 4)[0] != 2 or struct.unpack_from("i", answer, 16)[0] == 0:
        escaped("network change %d" % kind)
ask(16, struct.pack("BxHiII", 0, 0, 0, 1, 1) + b"\x0a\0\x03\0dummy\0\0\0")
ask(20, struct.pack("BBBBi", 2, 8, 0, 0, 1) + struct.pack("HH4B", 8, 2, 10, 0, 0, 2))
ask(24, struct.pack("BBBBBBBBI", 2, 0, 0, 0, 254, 3, 0, 1, 0) + struct.pack("HHI", 8, 4, 1))
