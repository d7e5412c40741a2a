# Verdict: exit 0
from attack import *
import socket
for name in ("broker", "redis", "metadata.google.internal", "host.docker.internal", "example.com", "kubernetes.default.svc"):
    must_raise(name, socket.getaddrinfo, name, 80)
