# Verdict: exit 0
from attack import *
libc.prctl(15, b") R 1 1 1 (x", 0, 0, 0)
text = open("/proc/self/stat").read()
if int(text[text.rindex(")") + 2 :].split()[1]) != os.getppid():
    escaped("another parent")
