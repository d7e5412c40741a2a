# Verdict: exit 153
import os, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
file = os.open("/tmp/file", os.O_CREAT | os.O_WRONLY)
os.lseek(file, 64 << 20, os.SEEK_SET)
os.write(file, b"x")
