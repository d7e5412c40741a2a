# Verdict: exit 0
from attack import *
names = set(os.listdir("/proc/self/fd")) - {"0", "1", "2"}
for name in names:
    if os.path.exists("/proc/self/fd/" + name):
        escaped("descriptor " + name + " " + os.readlink("/proc/self/fd/" + name))
