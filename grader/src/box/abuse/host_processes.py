# Verdict: exit 0
# Alone: it needs a box of its own
from attack import *
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
if len(pids) > 10 or int(HOST_PID) in pids and int(HOST_PID) > 20:
    escaped("processes of the machine: %r" % pids)
if int(HOST_PID) > 20:
    must_raise("a signal to the grader", os.kill, int(HOST_PID), 0)
