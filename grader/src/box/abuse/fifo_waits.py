# Verdict: wall
# Limits: wall 400
import os
os.mkfifo("/tmp/fifo")
open("/tmp/fifo")
