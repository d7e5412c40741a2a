# Verdict: exit 0
import os
for at in range(40):
    with open("/out/sparse-%d" % at, "wb") as file:
        file.truncate(8 << 20)
