# Verdict: exit 0
from attack import *
must_raise("a folder", os.mkdir, "/new")
must_raise("a link", os.symlink, "/tmp", "/new")
must_raise("a file", open, "/new", "w")
must_raise("a file in /etc", open, "/etc/profile", "w")
must_raise("a file in /dev", open, "/dev/new", "w")
must_raise("a removal in /dev", os.unlink, "/dev/null")
must_raise("a pipe", os.mkfifo, "/dev/pipe")
