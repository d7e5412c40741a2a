# Verdict: exit 0
from attack import *
name = os.uname()
if name.nodename != "box":
    escaped("the machine's name: " + name.nodename)
import socket
if socket.gethostname() != "box":
    escaped("the machine's name")
