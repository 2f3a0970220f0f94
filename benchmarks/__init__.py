"""The package against its peers, side by side in one run on one machine.

    python -m benchmarks                          every workload; the table of ratios
    python -m benchmarks pop3-retr startup        these workloads
    python -m benchmarks --list                   the workloads
    python -m benchmarks --quick                  each once, small, to see that it works
    python -m benchmarks --plot FILE.svg          draw the ratios too
    python -m benchmarks --markdown               the table as the README has it
    python -m benchmarks --fetch                  first install the package of the same name aside

The peers come with the extra: ``pip install '.[bench]'``. A workload is a generator of rows that
takes an Effort; `measure` holds all timing and statistics, `report` the table, `chart` the
drawing, `peers` the code that makes other libraries do the same work.
"""
