# Verdict: exit 0
# Alone: it counts terminals
from attack import *
import pty
if set(os.listdir("/dev/pts")) - {"ptmx"}:
    escaped("terminals: " + " ".join(os.listdir("/dev/pts")))
pty.openpty()
for number in range(1, 20):
    must_raise("terminal %d" % number, os.open, "/dev/pts/%d" % number, os.O_RDWR | os.O_NOCTTY)
