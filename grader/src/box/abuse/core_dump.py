# Verdict: exit 134
import os
os.abort()
