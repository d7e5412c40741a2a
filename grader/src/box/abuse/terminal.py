# Verdict: exit 0
from attack import *
import fcntl, pty
must_raise("controlling terminal", open, "/dev/tty")
controller, terminal = pty.openpty()
must_raise("TIOCSTI", fcntl.ioctl, terminal, 0x5412, b"x")
must_raise("TIOCLINUX", fcntl.ioctl, terminal, 0x541C, b"\3")
