# Verdict: exit 255
import os
os._exit(255)
