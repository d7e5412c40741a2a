# Verdict: exit 0
from attack import *
timer = ctypes.c_int()
for clock in (8, 9):
    must_fail("timer_create", clock, None, ctypes.byref(timer))
