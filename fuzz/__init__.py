"""Coverage-guided fuzzing of the connections, with atheris.

    python -m fuzz smtp_server --seconds 300      look for inputs that break a rule
    python -m fuzz smtp_server --replay FILE      run one input again, without atheris
    python -m fuzz --list                         the targets

A target is a module with a function ``run(data)`` that raises when a rule is broken, and
``SEEDS``, which says what of the recorded dialogues it begins with. The first octets of an input
are decisions (how the rest is cut, what the application answers), so that the fuzzer finds those
too. What it finds is written to the folder ``--findings``; it becomes a test once mended.
"""
