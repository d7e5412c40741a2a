# Verdict: exit 0
from attack import *
import fcntl, pty
controller, terminal = pty.openpty()
os.setsid() if os.getpid() != os.getsid(0) else None
for letter in b"id\n":
    must_raise("TIOCSTI", fcntl.ioctl, terminal, 0x5412, bytes([letter]))
