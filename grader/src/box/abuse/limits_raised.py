# Verdict: exit 0
from attack import *
import resource
for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_MEMLOCK"):
    limit = getattr(resource, name)
    hard = resource.getrlimit(limit)[1]
    must_raise(name, resource.setrlimit, limit, (hard + 1, hard + 1))
must_raise("real-time priority", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
