# Verdict: exit 0
from attack import *
for pid in filter(str.isdigit, os.listdir("/proc")):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        must_raise("the program of process " + pid, os.open, "/proc/%s/exe" % pid, flags)
