# Verdict: memory
import threading, time
def hold():
    block = bytearray(8 << 20)
    time.sleep(60)
for _ in range(12):
    threading.Thread(target=hold).start()
