# Verdict: exit 0
import os
os.write(1, bytes(range(256)) * 100 + os.urandom(10000))
