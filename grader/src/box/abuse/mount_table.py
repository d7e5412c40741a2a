# Verdict: exit 0
from attack import *
text = open("/proc/self/mountinfo").read()
for word in ("/src/box", "abuse/", os.path.basename(CANARY) + " ", "submission", "/etc/hosts", "/home/"):
    if word in text:
        escaped("mounts tell of " + word)
for line in text.splitlines():
    fields = line.split()
    if "rw" in fields[5].split(",") and fields[4] not in ("/tmp", "/out", "/dev/shm", "/dev/pts", "/proc") and not fields[4].startswith("/dev/"):
        escaped("a mount that can be written: " + line)
    if "nosuid" not in fields[5]:
        escaped("a mount with setuid programs: " + line)
