# Verdict: memory
import fcntl, os
while True:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        fcntl.fcntl(writer, 1031, 1 << 20)
    except OSError:
        pass
    try:
        while True:
            os.write(writer, b"x" * 65536)
    except BlockingIOError:
        pass
