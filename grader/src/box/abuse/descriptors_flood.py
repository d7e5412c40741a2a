# Verdict: exit 0
from attack import *
count = 0
try:
    while count < 10000:
        os.open("/dev/null", os.O_RDONLY)
        count += 1
except OSError:
    pass
if count > 4096:
    escaped("%d descriptors" % count)
