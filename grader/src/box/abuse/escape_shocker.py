# Verdict: exit 0
from attack import *
handle = (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(8, "little") + bytes(112)
for folder in (b"/", b"/usr", b"/tmp", b"/etc"):
    file = os.open(folder, os.O_RDONLY)
    must_fail("open_by_handle_at", file, handle, 0)
    must_fail("name_to_handle_at", file, b"", handle, bytes(8), 0x1000)
