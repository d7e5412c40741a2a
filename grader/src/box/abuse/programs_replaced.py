# Verdict: exit 0
from attack import *
open("/tmp/tar", "w").close()
for program in ("/usr/bin/tar", "/usr/bin/find", "/bin/sh", "/usr/bin/python3"):
    must_raise("a rename over " + program, os.rename, "/tmp/tar", program)
    must_raise("a removal of " + program, os.unlink, program)
    must_raise("a link instead of " + program, os.symlink, "/tmp/tar", program)
    must_raise("a hard link of " + program, os.link, program, "/tmp/hard")
    must_raise("writing " + program, os.open, program, os.O_WRONLY)
    must_raise("truncating " + program, os.truncate, program, 0)
