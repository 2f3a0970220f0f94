"""``python -m fuzz``: see the package's docstring."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
DIALOGUES = HERE.parent / "tests" / "dialogues"
HELPERS = {"__main__", "decisions"}
TARGETS = sorted({module.name for module in pkgutil.iter_modules([str(HERE)])} - HELPERS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("target", nargs="?", choices=TARGETS)
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--seconds", type=int, default=60, help="how long to look")
    parser.add_argument("--replay", type=Path, help="run this input, and nothing else")
    parser.add_argument("--findings", default="", help="folder for inputs that break a rule")
    options = parser.parse_args()
    if options.list or not options.target:
        print("\n".join(TARGETS))
    elif options.replay:
        load(options.target)[0](options.replay.read_bytes())
        print("nothing broken")
    else:
        search(options.target, options.seconds, options.findings)


def load(target: str) -> tuple[Callable[[bytes], None], str, str]:
    """A target's function, which sides of the dialogues are its seeds, and its dictionary."""
    module = importlib.import_module(f"fuzz.{target}")
    return module.run, module.SEEDS, getattr(module, "DICTIONARY", "")


def search(target: str, seconds: int, findings: str) -> None:
    """Let atheris look for an input that breaks a rule."""
    try:
        import atheris
    except ImportError:
        sys.exit("python -m fuzz needs atheris: pip install '.[fuzz]'")
    with atheris.instrument_imports(include=["smtpproto"]):
        run, sides, dictionary = load(target)
    with tempfile.TemporaryDirectory() as corpus:
        protocol = target.partition("_")[0]
        for number, seed in enumerate(seeds(sides, protocol)):
            (Path(corpus) / f"{number:04}").write_bytes(seed)
        flags = [corpus, f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10"]
        if dictionary:
            flags.append(f"-dict={HERE / dictionary}.dict")
        if findings:
            flags.append(f"-artifact_prefix={findings.rstrip('/')}/")
        atheris.Setup([target, *flags], run)
        atheris.Fuzz()


def seeds(sides: str, protocol: str) -> list[bytes]:
    """One side of each recorded dialogue, under a few heads."""
    found = []
    for path in sorted(DIALOGUES.glob("*.txt")):
        if protocol in ("smtp", "pop3") and path.name.startswith("pop3") != (protocol == "pop3"):
            continue
        text = path.read_bytes()
        for side in sides:
            lines = re.findall(rb"(?m)^%c: (.*)$" % side.encode(), text)
            octets = b"".join(line + b"\r\n" for line in lines)
            for head in (bytes(16), bytes(range(16)), b"\2" * 16):
                found.append(head + octets)
    return found


if __name__ == "__main__":
    main()
