# Verdict: exit 0
# Alone: it uses the user's signals
from attack import *
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
queued = 0
while queued < 1000000 and libc.sigqueue(os.getpid(), int(signal.SIGRTMIN), None) == 0:
    queued += 1
if queued == 1000000:
    escaped("%d signals" % queued)
