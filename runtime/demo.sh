#!/bin/sh
# Installs, builds and starts Blip, loads seven months of New York taxi rides through its REST API and
# shows what three detectors and a job find strange in it.
#   sh runtime/demo.sh            leaves the server running and says how to look further
#   sh runtime/demo.sh --exit     stops it at the end; exits 1 when a known event was missed
# PORT chooses the port (9200), DATA the folder of the data (build/demo, emptied first).
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
port=${PORT:-9200}
data=${DATA:-$top/build/demo}
url=http://127.0.0.1:$port
ad=$url/_plugins/_anomaly_detection
series=$top/detectors/demo/nyc_taxi.csv

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
die() {
    echo "demo: $*" >&2
    exit 1
}
# call METHOD URL [BODY]: the answer on standard output; stops the demo when the server refuses.
call() {
    curl -sS --fail-with-body -X "$1" "$2" -H 'content-type: application/json' ${3:+--data-binary "$3"}
}

case "${1:-}" in
"" | --exit) ;;
*) die "unknown option '$1' (usage: sh runtime/demo.sh [--exit])" ;;
esac

say "1. Install and build"
sh "$top/runtime/setup.sh"
cd "$top"
cmake --preset release >/dev/null
cmake --build --preset release | tail -n 1 | sed 's/^ninja: no work to do\.$/   build\/release\/blip is up to date/'

say "2. Start: blip serve --listen 127.0.0.1:$port"
curl -s -o /dev/null "$url/" && die "something answers on port $port already (choose another: PORT=9201 sh runtime/demo.sh)"
rm -rf "$data"
mkdir -p "$data"
build/release/blip serve --listen "127.0.0.1:$port" --data "$data" --detectors detectors/demo \
    >"$data/blip.log" 2>&1 &
server=$!
# The server goes when the demo fails, and at the end of a run with --exit.
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
tries=0
until curl -s -o /dev/null "$url/readyz"; do
    kill -0 $server 2>/dev/null || die "the server did not start: $(tail -n 3 "$data/blip.log")"
    tries=$((tries + 1))
    [ $tries -lt 100 ] || die "the server did not answer within 10 s"
    sleep 0.1
done
call GET "$url/" | jq -r '"   it answers on '"$url"' as \(.version.distribution) \(.version.number) would"'

say "3. Load: half hours of taxi rides through _bulk"
awk -F, 'NR > 1 {
    sub(" ", "T", $1)
    printf "{\"index\":{}}\n{\"timestamp\":\"%sZ\",\"value\":%s}\n", $1, $2
}' "$series" >"$data/taxi.ndjson"
call PUT "$url/nyc-taxi" '{"mappings":{"properties":{
    "timestamp":{"type":"date"},"value":{"type":"long"}}}}' >/dev/null
curl -sS --fail-with-body -X POST "$url/nyc-taxi/_bulk" -H 'content-type: application/x-ndjson' \
    --data-binary "@$data/taxi.ndjson" | jq -r '"   \(.items | length) documents in \(.took) ms, errors: \(.errors)"'

say "4. Analyse: the forest through the REST API, the ensemble and the seasonal model through detectors/demo/"
forest=$(call POST "$ad/detectors" '{
    "name": "taxi-forest", "description": "Rides each half hour", "time_field": "timestamp",
    "indices": ["nyc-taxi"],
    "detection_interval": {"period": {"interval": 30, "unit": "Minutes"}},
    "feature_attributes": [{"feature_name": "rides", "feature_enabled": true,
        "aggregation_query": {"rides": {"sum": {"field": "value"}}}}]}' | jq -r ._id)
call POST "$ad/detectors/$forest/_start" '{"start_time": 1404172800000, "end_time": 1422748800000}' >/dev/null
for script in taxi taxi-seasonal; do
    call POST "$url/_blip/detectors/$script/_start" '{"from": "2014-07-01", "to": "2015-02-01"}' >/dev/null
done
for detector in "$forest" taxi taxi-seasonal; do
    tries=0
    while :; do
        case $detector in
        taxi*) state=$(call GET "$url/_blip/detectors/$detector" | jq -r '.analysis.state // empty') ;;
        *) state=$(call GET "$ad/detectors/$detector?task=true" | jq -r '.historical_analysis_task.state // empty') ;;
        esac
        case $state in FINISHED) break ;; FAILED | STOPPED) die "analysis of $detector: $state" ;; esac
        tries=$((tries + 1))
        [ $tries -lt 300 ] || die "analysis of $detector is still ${state:-waiting} after 60 s"
        sleep 0.2
    done
done

# The ten highest grades of a detector, one line each.
top_ten() {
    call POST "$ad/detectors/results/_search" '{"size": 10, "sort": [{"anomaly_grade": "desc"}],
        "query": {"bool": {"filter": [{"term": {"detector_id": "'"$1"'"}},
            {"range": {"anomaly_grade": {"gt": 0}}}]}}}' |
        jq -r '.hits.hits[]._source | [(.data_start_time / 1000 | strftime("%Y-%m-%d %H:%M")),
            (.anomaly_grade * 100 | round / 100), (.feature_data[0].data | round),
            (.expected_values[0].value_list[0].data // 0 | round)] | @tsv' |
        awk -F'\t' '{printf "%s  %4.2f  %6d  %6d\n", $1, $2, $3, $4}'
}
top_ten "$forest" >"$data/forest.txt"
top_ten taxi >"$data/ensemble.txt"

say "5. The ten highest grades of each"
printf '   %-41s   %s\n' "forest, shingle of 4 hours (REST)" "ensemble (detectors/demo/taxi.lua)"
printf '   %-16s  %-5s %6s  %6s      %-16s  %-5s  %6s  %6s\n' time grade rides expect time grade rides expect
paste -d'|' "$data/forest.txt" "$data/ensemble.txt" | awk -F'|' '{printf "   %-38s      %s\n", $1, $2}'

# An event is found when one of the ten lies inside its labelled window.
found() {
    count=0
    for window in "2014-10-30 15:30/2014-11-03 22:30/marathon and the end of summer time" \
        "2014-11-25 12:00/2014-11-29 19:00/Thanksgiving" "2014-12-23 11:30/2014-12-27 18:30/Christmas" \
        "2014-12-29 21:30/2015-01-03 04:30/New Year" "2015-01-24 20:30/2015-01-29 03:30/snow storm"; do
        if awk -v from="${window%%/*}" -v rest="${window#*/}" '
            BEGIN { split(rest, part, "/") }
            { time = substr($0, 1, 16); if (time >= from && time <= part[1]) hit = 1 }
            END { exit !hit }' "$1"; then
            count=$((count + 1))
        else
            echo "   not among the ten of $2: ${window##*/}"
        fi
    done
    echo "   $2: $count of 5 known events"
    [ $count = 5 ]
}
say "6. Known events (labels of the Numenta Anomaly Benchmark)"
found "$data/forest.txt" forest || true
missed=0
found "$data/ensemble.txt" ensemble || missed=1

say "7. The same rides through a job of the Elastic API: high_mean and low_mean over half hours"
ml=$url/_ml
call PUT "$ml/anomaly_detectors/taxi-job" '{
    "analysis_config": {"bucket_span": "30m", "detectors": [
        {"function": "high_mean", "field_name": "value"}, {"function": "low_mean", "field_name": "value"}]},
    "data_description": {"time_field": "timestamp"}, "model_plot_config": {"enabled": true},
    "datafeed_config": {"datafeed_id": "taxi-feed", "indices": ["nyc-taxi"]}}' >/dev/null
call POST "$ml/anomaly_detectors/taxi-job/_open" >/dev/null
call POST "$ml/datafeeds/taxi-feed/_start" '{"start": "2014-07-01T00:00:00Z", "end": "2015-02-01T00:00:00Z"}' >/dev/null
tries=0
until [ "$(call GET "$ml/anomaly_detectors/taxi-job/_stats" | jq -r '.jobs[0].state')" = closed ]; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || die "the datafeed does not end within 60 s"
    sleep 0.2
done

# The ten days with the highest scores: their worst bucket each.
call GET "$ml/anomaly_detectors/taxi-job/results/buckets" \
    '{"sort": "anomaly_score", "desc": true, "anomaly_score": 1, "page": {"size": 10000}}' |
    jq -r '.buckets[] | [(.timestamp / 1000 | strftime("%Y-%m-%d %H:%M")), .anomaly_score] | @tsv' |
    awk -F'\t' '!seen[substr($1, 1, 10)]++ { printf "%s  %5.1f\n", $1, $2 }' | head -n 10 >"$data/job.txt"
printf '   %-16s  %5s\n' "worst half hour" score
sed 's/^/   /' "$data/job.txt"
found "$data/job.txt" job || missed=1

# The same engine in a script: the ten days with the highest grades.
call POST "$ad/detectors/results/_search" '{"size": 10000, "sort": [{"anomaly_grade": "desc"}],
    "query": {"bool": {"filter": [{"term": {"detector_id": "taxi-seasonal"}},
        {"range": {"anomaly_grade": {"gt": 0}}}]}}}' |
    jq -r '.hits.hits[]._source.data_start_time / 1000 | strftime("%Y-%m-%d %H:%M")' |
    awk '!seen[substr($0, 1, 10)]++' | head -n 10 >"$data/seasonal.txt"
found "$data/seasonal.txt" "the same engine in detectors/demo/taxi_seasonal.lua" || true

# How far the model's median, and the same half hour a week before, are from what came: medians over
# the last two months.
call POST "$url/.ml-anomalies-taxi-job/_search" '{"size": 10000, "query": {"bool": {"filter": [
    {"term": {"result_type": "model_plot"}}, {"term": {"detector_index": 0}},
    {"range": {"timestamp": {"gte": "2014-12-01"}}}]}}}' |
    jq -r '.hits.hits[]._source | [(.timestamp / 1000), .actual, .model_median] | @tsv' >"$data/plot.tsv"
jq -r 'select(.timestamp) | [(.timestamp | fromdateiso8601), .value] | @tsv' "$data/taxi.ndjson" >"$data/rides.tsv"
median_error() { sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "none" }'; }
model=$(awk -F'\t' '{ d = $2 - $3; printf "%d\n", d < 0 ? -d : d }' "$data/plot.tsv" | median_error)
week=$(awk -F'\t' 'NR == FNR { v[$1] = $2; next } { d = $2 - v[$1 - 604800]; printf "%d\n", d < 0 ? -d : d }' \
    "$data/rides.tsv" "$data/plot.tsv" | median_error)
echo "   median error of what the job expects: $model rides; of the same half hour a week before: $week"

if [ "${1:-}" = --exit ]; then
    kill $server
    wait $server || die "the server did not stop in order: $(tail -n 3 "$data/blip.log")"
    trap - EXIT
    say "The server has stopped; its log is in ${data#"$top"/}/blip.log"
    exit $missed
fi

trap - EXIT
say "Look further"
cat <<EOF
   What was strange, by score:
     curl -s '$ad/detectors/results/_search?pretty' -H 'content-type: application/json' -d '
       {"size": 3, "sort": [{"anomaly_score": "desc"}], "query": {"term": {"detector_id": "taxi"}}}'
   Rides by day:
     curl -s '$url/nyc-taxi/_search?pretty' -H 'content-type: application/json' -d '
       {"size": 0, "aggs": {"days": {"date_histogram": {"field": "timestamp", "calendar_interval": "day"},
        "aggs": {"rides": {"sum": {"field": "value"}}}}}}'
   The same file without a server:
     build/release/blip scan detectors/demo/nyc_taxi.csv
   The server runs as process $server; stop it with: kill $server
EOF
exit $missed
