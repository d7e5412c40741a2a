# Verdict: exit 5
import os, signal, sys
for number in set(signal.Signals) - {signal.SIGCHLD}:
    os.kill(os.getppid(), number)
sys.exit(5)
