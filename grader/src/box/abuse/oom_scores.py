# Verdict: exit 0
from attack import *
for pid in ("self", "1", str(os.getppid())):
    for score in (b"-1000", b"-1", b"-17"):
        must_raise("a lower score of " + pid, lambda: os.write(os.open("/proc/%s/oom_score_adj" % pid, os.O_WRONLY), score))
