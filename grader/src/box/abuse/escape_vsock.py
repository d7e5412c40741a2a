# Verdict: exit 0
from attack import *
import socket
must_raise("vsock", socket.socket, 40, socket.SOCK_STREAM)
must_raise("vsock datagrams", socket.socket, 40, socket.SOCK_DGRAM)
must_raise("/dev/vsock", open, "/dev/vsock", "rb")
