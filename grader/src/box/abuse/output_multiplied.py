# Verdict: exit 0
# Alone: its files are counted
import os
with open("/out/file", "wb") as file:
    file.write(b"x" * (4 << 20))
for at in range(500):
    os.link("/out/file", "/out/link-%d" % at)
