# Verdict: exit 0
from attack import *
import signal, socket, struct
for number in (0, 1, 2):
    try:
        peer = socket.socket(fileno=os.dup(number))
        pid, user, _ = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    except OSError:
        continue
    if pid != 0:
        must_raise("a signal to the grader", os.kill, pid, 0)
    try:
        (handle,) = struct.unpack("i", peer.getsockopt(socket.SOL_SOCKET, 77, 4))
    except OSError:
        continue
    must_raise("a signal to the grader by its descriptor", signal.pidfd_send_signal, handle, 0)
    must_fail("pidfd_getfd", handle, 0, 0)
    must_fail("setns", handle, 0x20000)
