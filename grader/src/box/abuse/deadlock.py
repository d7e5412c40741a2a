# Verdict: wall
# Limits: wall 400
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
