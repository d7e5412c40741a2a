# Verdict: exit 0
from attack import *
open("/tmp/owned", "w").close()
for user in (0, 1, 65534):
    must_raise("owner %d" % user, os.chown, "/tmp/owned", user, -1)
    must_raise("group %d" % user, os.chown, "/tmp/owned", -1, user)
must_raise("owner of a system file", os.chown, "/usr/bin/env", 1000, 1000)
