# Verdict: exit 0
# Alone: it starts with empty folders
from attack import *
for folder in ("/tmp", "/out", "/dev/shm"):
    if os.listdir(folder):
        escaped("%s contains %s" % (folder, os.listdir(folder)))
for kind in ("shm", "msg", "sem"):
    if len(contents("/proc/sysvipc/" + kind).splitlines()) > 1:
        escaped("shared memory of others")
