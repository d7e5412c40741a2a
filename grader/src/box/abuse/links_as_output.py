# Verdict: exit 0
# Alone: its files are compared
import os, socket
os.symlink("/etc/passwd", "/out/link")
os.symlink("/", "/out/root")
os.mkdir("/out/folder")
os.symlink("../../..", "/out/folder/above")
open("/out/file", "w").write("x")
os.link("/out/file", "/out/hard")
os.mkfifo("/out/pipe")
socket.socket(socket.AF_UNIX).bind("/out/socket")
os.mkdir("/out/closed", 0)
