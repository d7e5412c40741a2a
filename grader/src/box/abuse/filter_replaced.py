# Verdict: exit 0
from attack import *
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
allow = ctypes.create_string_buffer(bytes([6, 0, 0, 0, 0, 0, 0xFF, 0x7F]))
libc.prctl(22, 2, ctypes.byref(Program(1, ctypes.addressof(allow))), 0, 0)
must_fail("mount", b"none", b"/tmp", b"tmpfs", 0, None)
must_fail("unshare", 0x10000000)
