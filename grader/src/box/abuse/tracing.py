# Verdict: exit 0
from attack import *
must_fail("ptrace", 0, 0, None, None)
must_fail("ptrace", 16, os.getppid(), None, None)
must_fail("process_vm_readv", os.getppid(), None, 0, None, 0, 0)
must_fail("process_vm_writev", os.getppid(), None, 0, None, 0, 0)
must_fail("pidfd_getfd", call("pidfd_open", os.getppid(), 0), 4, 0)
must_fail("kcmp", os.getpid(), os.getppid(), 0, 0, 0)
