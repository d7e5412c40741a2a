#!/bin/sh
# Submits predictions in a CI job, and fails the job when the score is not good enough.
# CROWDAI_BROKER and CROWDAI_API_KEY come from the job's settings.
set -eu

crowdai=${CROWDAI:-npx --yes crowdai}
min_score=${MIN_SCORE:-0.5}

# Standard output is exactly one JSON document, also when the submission fails.
status=0
$crowdai submit --json "$(cat predictions.json)" -c json-persistent --min-score "$min_score" \
  --format json >result.json || status=$?

case $status in
0) echo "The score is at least $min_score." ;;
7) echo "The score is below $min_score, see result.json." ;;
8) echo "Grading takes longer than this job waits." ;;
*) echo "The submission failed with exit code $status, see result.json." ;;
esac
exit $status
