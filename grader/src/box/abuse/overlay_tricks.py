# Verdict: exit 0
from attack import *
import stat
must_raise("a whiteout", os.mknod, "/usr/bin/env2", stat.S_IFCHR, 0)
must_raise("a whiteout in scratch", os.mknod, "/tmp/whiteout", stat.S_IFCHR | 0o666, os.makedev(1, 3))
must_raise("an opaque folder", os.setxattr, "/usr", "user.overlay.opaque", b"y")
must_fail("mount", b"overlay", b"/tmp", b"overlay", 0, b"lowerdir=/usr:/etc")
