# Verdict: exit 139
import ctypes
@ctypes.CFUNCTYPE(None)
def again():
    again()
import sys
sys.setrecursionlimit(10**9)
again()
