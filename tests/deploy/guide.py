"""Takes the command blocks out of the deployment guide: guide.py GUIDE FOLDER.

A block is for the nodes its first line names: ```sh db web. `end:a,b` and `begin:a,b` beside them are services that a reader who
takes this way instead of the one before would not have, or would have, running. Each block becomes FOLDER/NNN.sh; the order,
with nodes, services and headings, is FOLDER/order, one line for each block and for each heading's end.
"""
import re
import sys
from pathlib import Path

NODES = {"one", "db", "web", "standby"}


def fail(line, what):
    sys.exit(f"line {line} of the guide: {what}")


def blocks(text):
    """Yields (line, heading, info, lines) for blocks, and (line, heading, None, None) where a heading's part ends."""
    heading, block, info, began = "", None, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if block is not None:
            if line == "```":
                yield began, heading, info, block
                block = None
            else:
                block.append(line)
        elif line.startswith("```"):
            block, info, began = [], line[3:].strip(), number
        elif match := re.match(r"#{2,4} (.*)", line):
            if heading:
                yield number, heading, None, None
            chapter = match[1] if line.startswith("## ") else chapter
            heading = f"{chapter}: {match[1]}" if chapter != match[1] else chapter
    yield number, heading, None, None


def main(guide, folder):
    order, inside = [], 0
    for line, heading, info, lines in blocks(Path(guide).read_text()):
        if info is None:
            if inside:
                order.append(f"end||||{heading}")
            inside = 0
            continue
        language, *words = info.split() or [""]
        if language not in {"sh", "shell", "bash", "console"}:
            continue
        nodes = [word for word in words if word in NODES]
        services = dict(word.split(":") for word in words if ":" in word)
        if language != "sh" or not nodes or len(nodes) + len(services) != len(words) or services.keys() - {"end", "begin"}:
            fail(line, f"a command block has to be `sh` and say where it runs, not {info!r}")
        name = f"{len(order):03}"
        Path(folder, f"{name}.sh").write_text("\n".join(lines) + "\n")
        for node in nodes:
            order.append(f"{name}|{node}|{services.get('end', '')}|{services.get('begin', '')}|{heading}, line {line}")
        inside += 1
    Path(folder, "order").write_text("\n".join(order) + "\n")
    print(len(list(Path(folder).glob("*.sh"))), "blocks")


main(*sys.argv[1:])
