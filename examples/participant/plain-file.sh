#!/bin/sh
# Downloads the data of a challenge, makes a CSV file of predictions and submits it.
set -eu

# How the client is started. `npx` fetches it when it is not installed.
crowdai=${CROWDAI:-npx crowdai}

$crowdai data csv-scorer

# The prediction: 2.9 thousand per square meter.
awk -F, 'NR == 1 { print "id,price" } NR > 1 { print $1 "," 2.9 * $2 }' csv-scorer/test.csv >predictions.csv

$crowdai submit predictions.csv -c csv-scorer -m "2.9 per square meter"
$crowdai leaderboard csv-scorer
