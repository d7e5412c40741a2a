# Verdict: exit 0
# Alone: it needs a box of its own
from attack import *
rt = ctypes.CDLL("librt.so.1", use_errno=True)
if rt.mq_open(b"/box", os.O_CREAT | os.O_RDWR, 0o600, None) >= 0:
    escaped("a message queue")
