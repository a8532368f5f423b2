#!/usr/bin/env python3
"""Prints a C program that prints the layout of every struct and the value of every
constant of the ABI headers in a folder. The headers keep a regular form; what is not
understood is an error, so that nothing is left out silently."""

import re
import sys
from pathlib import Path

STRUCT = re.compile(r"^struct (\w+) \{(.*?)^\};", re.M | re.S)
ENUM = re.compile(r"\benum \{(.*?)\}", re.S)
DEFINE = re.compile(r"^#define (LENS_\w+) +(\S.*)$", re.M)
FUNCTION = re.compile(r"\(\*(\w+)\)\s*\(")
NAME = re.compile(r"^\**(\w+)(\[\w+\])*$")


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def member_names(declaration):
    function = FUNCTION.search(declaration)
    if function:
        return [function.group(1)]
    names = []
    first, *others = [part.strip() for part in declaration.split(",")]
    for part in [first.split()[-1]] + others:
        match = NAME.match(part.replace(" ", ""))
        if not match:
            sys.exit(f"layout.py: cannot read the member `{declaration}`")
        names.append(match.group(1))
    return names


def constants(text):
    for body in ENUM.findall(text):
        for item in body.split(","):
            if item.strip():
                yield item.split("=")[0].strip()
    for name, value in DEFINE.findall(text):
        if re.fullmatch(r"[\w() +|\\<]+", value) and not name.endswith("_H"):
            yield name


def main(folder):
    print("#include <stdio.h>\n#include <lens/plugin.h>\nint main(void)\n{")
    for header in sorted(Path(folder, "lens").glob("*.h")):
        text = without_comments(header.read_text()).replace("\\\n", " ")
        for struct, body in STRUCT.findall(text):
            print(f'printf("struct {struct} %zu\\n", sizeof(struct {struct}));')
            for declaration in body.split(";"):
                for name in member_names(" ".join(declaration.split())) \
                        if declaration.strip() else []:
                    at = f"offsetof(struct {struct}, {name})"
                    size = f"sizeof(((struct {struct} *)0)->{name})"
                    print(f'printf("  {name} %zu %zu\\n", {at}, {size});')
        for name in constants(text):
            if name not in ("LENS_PLUGIN_HEAD", "LENS_EXPORT"):
                print(f'printf("{name} %lld\\n", (long long)({name}));')
    print("return 0;\n}")


main(sys.argv[1])
