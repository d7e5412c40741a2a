# Verdict: exit 0
from attack import *
import fcntl
for name in os.listdir("/dev"):
    try:
        file = os.open("/dev/" + name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        continue
    must_raise("TIOCLINUX on " + name, fcntl.ioctl, file, 0x541C, b"\2")
