# Verdict: exit 0
from attack import *
import shutil
shutil.copy("/bin/true", "/tmp/capable")
rights = bytes.fromhex("01000002ffffffff00000000ffffffff00000000")
must_raise("file capabilities", os.setxattr, "/tmp/capable", "security.capability", rights)
for name in ("trusted.overlay.opaque", "trusted.x"):
    must_raise(name, os.setxattr, "/tmp/capable", name, b"y")
