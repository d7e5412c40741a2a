# Verdict: exit 0
from attack import *
import fcntl, signal
pid = int(HOST_PID)
if pid > 1000 and not os.path.exists("/proc/%d" % pid):
    for target in (pid, -pid):
        must_raise("a signal", os.kill, target, 0)
    must_raise("its group", os.getpgid, pid)
    must_raise("its session", os.getsid, pid)
    must_raise("its priority", os.setpriority, os.PRIO_PROCESS, pid, 5)
    must_raise("its processors", os.sched_setaffinity, pid, {0})
    must_raise("its descriptor", os.pidfd_open, pid)
    must_fail("prlimit64", pid, 7, None, bytes(16))
