# Verdict: exit 5
import os, signal, sys
for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN):
    os.kill(os.getppid(), number)
sys.exit(5)
