# Verdict: exit 0
from attack import *
for name in ("null", "zero", "random", "urandom", "full"):
    path = "/dev/" + name
    must_raise("mode of " + name, os.chmod, path, 0o600)
    must_raise("removal of " + name, os.unlink, path)
    must_raise("rename of " + name, os.rename, path, "/dev/other")
