# Verdict: exit 0
from attack import *
import threading
def attack():
    must_fail("unshare", 0x10000000)
    must_fail("mount", b"none", b"/tmp", b"tmpfs", 0, None)
    must_fail("bpf", 0, None, 0)
threads = [threading.Thread(target=attack) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
