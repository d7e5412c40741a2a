# Verdict: exit 0
from attack import *
import stat
if os.path.realpath("/proc/self/cwd") != "/tmp":
    escaped("the working folder is " + os.path.realpath("/proc/self/cwd"))
for name in os.listdir("/proc/self/fd"):
    try:
        if stat.S_ISDIR(os.stat("/proc/self/fd/" + name).st_mode) and "/proc" not in os.readlink("/proc/self/fd/" + name):
            escaped("an open folder: " + os.readlink("/proc/self/fd/" + name))
    except OSError:
        pass
    must_raise("a way up", os.stat, "/proc/self/fd/%s/../../../../etc/shadow" % name)
