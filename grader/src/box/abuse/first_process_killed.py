# Verdict: exit 0
# Alone: it needs a box of its own
from attack import *
import signal
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV):
    try:
        os.kill(1, number)
    except OSError:
        pass
print(os.getpid())
