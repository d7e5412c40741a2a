# Verdict: exit 0
from attack import *
import select
polls = [select.epoll()]
try:
    for depth in range(20):
        polls.append(select.epoll())
        polls[-1].register(polls[-2].fileno())
    escaped("20 nested polls")
except OSError:
    pass
