# Verdict: cpu
# Limits: cpu 300
while True:
    pass
