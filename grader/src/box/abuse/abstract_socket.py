# Verdict: exit 0
from attack import *
import socket
must_raise("abstract socket of the machine", socket.socket(socket.AF_UNIX).connect, "\0" + ABSTRACT)
