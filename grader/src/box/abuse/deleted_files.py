# Verdict: exit 0
from attack import *
files, written = [], 0
try:
    while written < 64 << 20:
        file = open("/tmp/block", "wb", buffering=0)
        os.unlink("/tmp/block")
        files.append(file)
        written += file.write(b"x" * (1 << 20))
except OSError:
    pass
if written > 8 << 20:
    escaped("%d bytes in deleted files" % written)
