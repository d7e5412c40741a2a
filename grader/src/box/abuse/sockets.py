# Verdict: exit 0
from attack import *
import socket
for family, kind, protocol in ((2, 3, 1), (10, 3, 58), (2, 10, 0), (17, 3, 0), (17, 2, 0), (40, 1, 0), (38, 5, 0), (31, 3, 1), (44, 3, 0), (16, 3, 9), (16, 3, 15), (16, 3, 4), (21, 5, 0), (29, 3, 1)):
    must_raise("socket %d %d %d" % (family, kind, protocol), socket.socket, family, kind, protocol)
