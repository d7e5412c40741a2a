# Verdict: exit 0
# Alone: its files are compared
import os
os.symlink("/etc", "/out/etc")
os.symlink("/proc/1/root", "/out/root")
os.symlink("..", "/out/up")
os.makedirs("/out/box")
os.symlink("../../../../../../../../../etc/passwd", "/out/box/run")
