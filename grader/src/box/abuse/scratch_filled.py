# Verdict: exit 0
# Alone: it fills the box
from attack import *
for folder in ("/tmp", "/out", "/dev/shm"):
    written = 0
    try:
        with open(folder + "/block", "wb", buffering=0) as file:
            while written < 64 << 20:
                written += file.write(b"x" * 65536)
    except OSError:
        pass
    if written > 8 << 20:
        escaped("%d bytes in %s" % (written, folder))
