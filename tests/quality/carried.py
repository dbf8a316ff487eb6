"""NAB's score with thresholds that were chosen elsewhere: each category of files is judged at the
threshold that is best on the other categories.

    carried.py NAB_SCORE.py FOLDER RESULTS
"""
import csv
import json
import os
import subprocess
import sys
import tempfile


def run(scorer, labels, results, *more):
    """Runs the scorer over a table of labels; returns what it printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(labels, file)
        file.flush()
        command = [sys.executable, scorer, "--labels", file.name, "--results", results, *more]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def best_thresholds(scorer, labels, results, folder):
    path = os.path.join(folder, "thresholds.json")
    run(scorer, labels, results, "--save-thresholds", path)
    with open(path, encoding="utf-8") as file:
        (best,) = json.load(file).values()  # of the one detector
    return {profile: found["threshold"] for profile, found in best.items()}


def alarms(source, target, threshold):
    """Rewrites a file of grades as 1 where the threshold is reached and 0 elsewhere."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, newline="", encoding="utf-8") as lines, \
            open(target, "w", newline="", encoding="utf-8") as out:
        out.write("timestamp,anomaly_score\n")
        for row in csv.DictReader(lines):
            alarm = threshold is not None and float(row["anomaly_score"]) >= threshold
            out.write(f"{row['timestamp']},{int(alarm)}\n")


def main(scorer, folder, results):
    with open(os.path.join(folder, "labels.json"), encoding="utf-8") as file:
        labels = json.load(file)
    categories = sorted({path.split("/")[0] for path in labels})
    with tempfile.TemporaryDirectory() as scratch:
        profiles = None
        for category in categories:
            others = {path: windows for path, windows in labels.items()
                      if path.split("/")[0] != category}
            best = best_thresholds(scorer, others, results, scratch)
            profiles = list(best)
            for profile, threshold in best.items():
                for path in set(labels) - set(others):
                    alarms(os.path.join(results, path),
                           os.path.join(scratch, profile, path), threshold)
        fixed = os.path.join(scratch, "fixed.json")
        with open(fixed, "w", encoding="utf-8") as file:
            json.dump({profile: 0.5 for profile in profiles}, file)
        print("each category at the threshold that is best on the others")
        for profile in profiles:
            table = run(scorer, labels, os.path.join(scratch, profile), "--thresholds", fixed,
                        "--detector", "carried")
            names, figures = (line.split() for line in table.strip().split("\n")[:2])
            print(f"{profile:24} {figures[names.index(profile)]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
