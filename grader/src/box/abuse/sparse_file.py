# Verdict: exit 0
# Alone: it fills the box
from attack import *
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
must_raise("a file of a terabyte", os.truncate, os.open("/tmp/sparse", os.O_CREAT | os.O_RDWR), 1 << 40)
