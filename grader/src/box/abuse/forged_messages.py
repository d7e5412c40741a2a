# Verdict: exit 3
from attack import *
for pid in (1, os.getppid()):
    for name in ("3", "4"):
        must_raise("messages of process %d" % pid, lambda: os.write(os.open("/proc/%d/fd/%s" % (pid, name), os.O_WRONLY), b"exit 0\n"))
sys.exit(3)
