# Verdict: exit 0
from attack import *
for folder in ("/", "/usr", "/usr/bin", "/usr/lib/python3", "/etc", "/bin", "/dev", "/proc", "/proc/sys/kernel", "/abuse", "/crowdai"):
    must_raise("a file in " + folder, open, folder + "/box-test", "w")
    must_raise("mode of " + folder, os.chmod, folder, 0o777) if folder not in ("/", "/dev") else None
must_raise("a program", open, "/usr/bin/env", "r+b")
must_raise("a removal", os.unlink, "/usr/bin/env")
must_raise("a rename", os.rename, "/usr", "/tmp/usr")
