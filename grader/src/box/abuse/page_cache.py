# Verdict: exit 0
# Alone: it fills the memory with cached files
from attack import *
read = 0
for folder, _, names in os.walk("/usr/lib"):
    for name in names:
        path = os.path.join(folder, name)
        if read < 70 << 20 and os.path.isfile(path) and not os.path.islink(path):
            try:
                read += len(open(path, "rb").read(8 << 20))
            except OSError:
                pass
