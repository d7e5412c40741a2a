# Verdict: exit 137
import sys
sys.exit(137)
