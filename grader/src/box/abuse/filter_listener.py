# Verdict: exit 0
from attack import *
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
notify = ctypes.create_string_buffer(bytes([6, 0, 0, 0, 0, 0, 0xC0, 0x7F]))
must_fail("seccomp", 1, 1 << 3 | 1 << 0, ctypes.byref(Program(0, ctypes.addressof(notify))))
must_fail("unshare", 0x10000000)
