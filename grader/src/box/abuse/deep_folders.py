# Verdict: exit 0
# Alone: its files are compared
import os
os.chdir("/out")
for _ in range(500):
    os.mkdir("deep")
    os.chdir("deep")
open("file", "w").write("x")
