# Verdict: exit 0
# Alone: its files are counted
for at in range(1500):
    open("/out/%d" % at, "w").close()
