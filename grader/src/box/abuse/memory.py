# Verdict: memory
block = bytearray(256 << 20)
