# Verdict: exit 0
from attack import *
for name in os.listdir("/proc"):
    path = "/proc/" + name
    if name.isdigit() or os.path.islink(path) or os.path.isdir(path):
        continue
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        continue
    escaped(path + " can be written")
