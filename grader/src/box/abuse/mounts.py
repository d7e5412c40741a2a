# Verdict: exit 0
from attack import *
must_fail("mount", b"none", b"/tmp", b"tmpfs", 0, None)
must_fail("mount", b"/usr", b"/tmp", None, 4096, None)
must_fail("mount", None, b"/", None, 32 | 4096, None)
must_fail("umount2", b"/usr", 2)
must_fail("pivot_root", b"/tmp", b"/tmp")
must_fail("chroot", b"/tmp")
must_fail("fsopen", b"tmpfs", 0)
must_fail("open_tree", -100, b"/usr", 1)
must_fail("move_mount", -100, b"/usr", -100, b"/tmp", 0)
must_fail("mount_setattr", -100, b"/usr", 0, b"\0" * 32, 32)
must_fail("fspick", -100, b"/", 0)
