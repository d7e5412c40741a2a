# Verdict: exit 0
# Alone: its files are compared
import os
for mode in (0o7777, 0o000, 0o4111, 0o2070):
    name = "/out/mode-%o" % mode
    open(name, "w").write("x")
    os.chmod(name, mode)
