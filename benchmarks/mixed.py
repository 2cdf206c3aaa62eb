"""About a second of mixed work that does not crash; what `whole_process.py` runs."""

import sys

import workloads

LOOPS = 400


def main():
    results = []
    for _ in range(LOOPS):
        results.append([workload() for workload in workloads.NO_CRASH])
    assert all(result == results[0] for result in results)
    print(results[0], file=sys.stdout)


main()
