# Verdict: exit 0
# Alone: its files are compared
import os
os.chdir("/out")
for at in range(8):
    os.mkdir("y" * 200)
    os.chdir("y" * 200)
    open("z" * 255, "w").write("x")
