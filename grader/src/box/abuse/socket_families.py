# Verdict: exit 0
from attack import *
import socket
for family in range(46):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        if family in (2, 10) and kind in (1, 2, 4, 5, 6) or family == 1 and kind in (1, 2, 3, 5) or family == 16 and kind in (2, 3):
            continue
        must_raise("socket %d %d" % (family, kind), lambda: socket.socket(family, kind).close())
