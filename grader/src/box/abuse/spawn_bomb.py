# Verdict: wall or memory
# Limits: wall 600
import os
while True:
    try:
        os.posix_spawn("/bin/true", ["true"], {})
    except OSError:
        pass
