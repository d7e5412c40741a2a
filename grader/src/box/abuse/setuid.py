# Verdict: exit 0
from attack import *
import shutil, subprocess
shutil.copy("/usr/bin/id", "/tmp/id")
os.chmod("/tmp/id", 0o6777)
if subprocess.run(["/tmp/id", "-u"], capture_output=True, text=True).stdout.strip() not in ("1000", ""):
    escaped("a setuid copy")
for user in (0, 65534, 1):
    must_raise("setuid", os.setuid, user)
    must_raise("setgid", os.setgid, user)
must_raise("setgroups", os.setgroups, [0])
