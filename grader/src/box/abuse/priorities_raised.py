# Verdict: exit 0
from attack import *
must_raise("nice", os.nice, -5)
must_raise("a lower score for the kernel's killer", lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"))
