# Verdict: exit 0
from attack import *
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline"):
        try:
            text = open("/proc/%s/%s" % (pid, name), "rb").read()
        except OSError:
            continue
        if name == "environ" and WORD.encode() in text:
            escaped("environment of the grader in process " + pid)
        if b"--ro-bind" in text:
            escaped("options of the box in process " + pid)
if set(os.environ) - {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "TMPDIR", "OLDPWD", "_"}:
    escaped("variables: " + " ".join(os.environ))
