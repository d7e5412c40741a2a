# Verdict: exit 0
from attack import *
for name in ("memfd_secret", "process_mrelease", "quotactl_fd", "listmount", "statmount", "lsm_list_modules", "process_madvise", "io_uring_setup", "io_uring_enter", "io_uring_register"):
    must_fail(name, 0, 0, 0, 0, 0)
