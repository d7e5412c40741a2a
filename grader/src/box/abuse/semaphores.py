# Verdict: exit 0
# Limits: memory 134217728
# Alone: it uses all semaphores
from attack import *
made = 0
while made < 40000 and libc.semget(0, 10, 0o1600) >= 0:
    made += 1
if made == 40000:
    escaped("%d sets of semaphores" % made)
