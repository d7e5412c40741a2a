# Verdict: exit 0
# Alone: it watches many files
from attack import *
fd = libc.inotify_init()
made = 0
for folder, _, names in os.walk("/usr"):
    for name in names[:200]:
        if libc.inotify_add_watch(fd, os.path.join(folder, name).encode(), 1) >= 0:
            made += 1
    if made > 20000:
        break
