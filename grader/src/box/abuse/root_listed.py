# Verdict: exit 0
from attack import *
known = set("abuse bin dev etc lib lib32 lib64 libx32 out proc sbin tmp usr job".split())
if not set(os.listdir("/")) <= known:
    escaped("in /: " + " ".join(set(os.listdir("/")) - known))
if not set(os.listdir("/etc")) <= set("R alternatives fonts group hosts ld.so.cache nsswitch.conf passwd".split()):
    escaped("in /etc: " + " ".join(os.listdir("/etc")))
