# Verdict: exit 0
from attack import *
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try:
            file = os.open(os.path.join(folder, name), os.O_RDWR)
            os.pwrite(file, os.pread(file, 100, 0), 0)
        except OSError:
            continue
        escaped("%s/%s can be written" % (folder, name))
