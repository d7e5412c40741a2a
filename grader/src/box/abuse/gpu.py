# Verdict: exit 0
from attack import *
for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "dri/card0", "dri/renderD128", "kfd", "accel/accel0"):
    must_raise("/dev/" + name, os.open, "/dev/" + name, os.O_RDONLY)
