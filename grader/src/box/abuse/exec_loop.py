# Verdict: wall
# Limits: wall 500
import os, sys
os.execv(sys.executable, [sys.executable, "-S", "-E", __file__])
