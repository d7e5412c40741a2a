# Verdict: exit 0
# Alone: it uses the user's timers
from attack import *
made = 0
timer = ctypes.c_int()
while made < 300000 and call("timer_create", 1, None, ctypes.byref(timer)) >= 0:
    made += 1
if made == 300000:
    escaped("%d timers" % made)
