# Verdict: exit 0
# Alone: it needs a box of its own
from attack import *
import threading, time
count = 0
try:
    while count < 100:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    pass
if count > 24:
    escaped("%d threads" % count)
os._exit(0)
