# Verdict: exit 6
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(-1, signal.SIGTERM)
sys.exit(6)
