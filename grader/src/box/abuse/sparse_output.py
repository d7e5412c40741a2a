# Verdict: exit 0
# Alone: its files are compared
import os
for at in range(40):
    with open("/out/sparse-%d" % at, "wb") as file:
        file.truncate(8 << 20)
