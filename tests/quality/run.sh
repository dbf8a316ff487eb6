#!/bin/sh
# Measures how well the default model detects: every series of the folders goes row by row through
# the model that users get, with one configuration, and the scorers beside the data judge it.
#   sh tests/quality/run.sh FOLDER...       for example .../bench-data/nab .../bench-data/tsb-m
# A folder holds data/ and labels.json; the scorers (../tools) and the published figures to
# compare with (../published_*.csv) lie beside it. The results stay in build/quality.
set -eu
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }

places=""
for folder; do
    [ -f "$folder/labels.json" ] || { echo "quality: no labels.json in $folder" >&2; exit 2; }
    places="$places$(cd "$folder" && pwd)
"
done
cd "$(dirname "$0")/../.."
sh runtime/setup.sh test
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
rm -rf build/quality
BLIP_QUALITY="$places" build/release/blip test --pattern=_quality --output=tests/bench/figures.lua \
    tests/quality/results_quality.lua

# Windows about a moment: NAB's score of the grade, with the best threshold, with the one that
# alerts have, and with one taken from the other categories.
nab() {
    echo "== $name: NAB score of the grade"
    for threshold in best 0.5; do
        set --
        if [ "$threshold" != best ]; then
            echo "{\"standard\":$threshold,\"reward_low_FP_rate\":$threshold,\"reward_low_FN_rate\":$threshold}" \
                >build/quality/threshold.json
            set -- --thresholds build/quality/threshold.json
        fi
        python3 "$tools/nab_score.py" --labels "$place/labels.json" --data "$place/data" \
            --results "build/quality/$name/grade" --detector "blip, $threshold" "$@"
    done
    python3 tests/quality/carried.py "$tools/nab_score.py" "$place" "build/quality/$name/grade"
}

# Labelled rows: the score ranks, the grade alerts.
ranges() {
    echo "== $name: range figures of the score, and of the grade at its threshold"
    python3 "$tools/range_scores.py" --labels "$place/$1" --data "$place/data" \
        --results "build/quality/$name/score" --detector "blip score" \
        --json "build/quality/$name/score.json"
    python3 "$tools/range_scores.py" --labels "$place/$1" --data "$place/data" \
        --results "build/quality/$name/grade" --detector "blip grade" --threshold 0.5
}

echo "$places" | while read -r place; do
    [ -n "$place" ] || continue
    name=$(basename "$place") tools=$(dirname "$place")/tools
    if [ -f "$place/labels_tsb_ad.json" ]; then
        nab
        ranges labels_tsb_ad.json
    else
        ranges labels.json
    fi
done

for published in "$(dirname "$(echo "$places" | head -n 1)")"/published_*.csv; do
    [ -f "$published" ] || continue
    echo "== beside the published figures: $(basename "$published" .csv)"
    python3 "$(dirname "$published")/tools/compare_published.py" --published "$published" \
        --name "blip" build/quality/*/score.json || true
done
