"""A program of its own: reads X and y of a MATLAB file with scipy, and writes them as numpy files.

A damaged MATLAB file can crash scipy's reader (a segmentation fault), or make it ask for any amount of memory. So
`fat_fpga.datasets.matlab` runs this in a child process with limits: the user gets one line.

``read_matlab.py FILE FOLDER BYTES``: writes ``X.npy`` and ``y.npy`` into FOLDER, those that FILE has, taking no more
than BYTES of memory; prints the names of the arrays in FILE, or what is wrong, and leaves with 0 or 2.
"""

import sys
from pathlib import Path


def main(file: str, folder: str, memory: str) -> int:
    import numpy as np
    from scipy.io import loadmat, whosmat

    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError):  # no such limits on this system, or lower ones than that already
        pass
    try:
        with Path(file).open("rb") as source:
            names = [name for name, _, _ in whosmat(source)]
            source.seek(0)
            content = loadmat(source, variable_names=("X", "y"))
        for name in ("X", "y"):
            if isinstance(content.get(name), np.ndarray):
                np.save(Path(folder) / f"{name}.npy", content[name], allow_pickle=False)
    except Exception as error:  # a damaged file can raise nearly anything
        print(" ".join(str(error).split()) or type(error).__name__)
        return 2
    print(" ".join(sorted(names)))
    return 0


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose modules are none of the interpreter's
    sys.exit(main(*sys.argv[1:]))
