# Verdict: exit 0
from attack import *
must_raise("writing", os.open, __file__, os.O_WRONLY | os.O_APPEND)
must_raise("a mode", os.chmod, __file__, 0o777)
must_raise("times", os.utime, __file__)
must_raise("a removal", os.unlink, __file__)
must_raise("a rename", os.rename, __file__, __file__ + "x")
must_raise("an attribute", os.setxattr, __file__, "user.x", b"y")
must_raise("a hidden file", os.open, "/abuse", os.O_TMPFILE | os.O_WRONLY)
must_raise("a folder", os.mkdir, "/abuse/folder")
