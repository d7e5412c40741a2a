# Verdict: exit 0
from attack import *
block = ctypes.create_string_buffer(b"x" * 4096)
entry = b""
if os.path.exists("/proc/self/pagemap"):
    file = os.open("/proc/self/pagemap", os.O_RDONLY)
    entry = os.pread(file, 8, ctypes.addressof(block) // 4096 * 8)
if int.from_bytes(entry, "little") & (1 << 55) - 1:
    escaped("the place of memory in the machine")
for name in ("kpagecount", "kpageflags", "kpagecgroup", "pagetypeinfo", "slabinfo"):
    must_raise(name, open, "/proc/" + name, "rb")
