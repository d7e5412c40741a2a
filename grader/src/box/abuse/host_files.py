# Verdict: exit 0
from attack import *
for path in (CANARY, "/proc/1/root" + CANARY, "/proc/1/cwd/.." + CANARY, "/proc/self/root/.." + CANARY, "/etc/shadow", "/root", "/home", "/var", "/run"):
    must_raise(path, os.stat, path)
if "root" in open("/etc/passwd").read():
    escaped("users of the machine")
