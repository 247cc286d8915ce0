"""The zip for arm64, unpacked and run here by qemu-user"""
import os
import struct
import subprocess

from harness import (ARM64_OUT, ARM64_ZIP, CONTRACT, CONTRACT_ANSWER, ZIP, Program, equal, free_port,
                     mapped_files, unpacked)
from runtime_api import RuntimeApi

QEMU = "qemu-aarch64"
MACHINE_ARM64 = 183  # EM_AARCH64
LARGEST = 50 * 1000 * 1000  # that AWS takes without a bucket


def setup():
    """the zip is unpacked"""
    return unpacked(ARM64_ZIP)


def files_of(root):
    return [os.path.join(at, name) for at, _, names in os.walk(root) for name in names]


def machine_of(path):
    with open(path, "rb") as file:
        return struct.unpack_from("<H", file.read(20), 18)[0]


def launch(root):
    """What the launcher asks the kernel for, which does not run arm64's programs by itself."""
    traced = subprocess.run([QEMU, "-strace", f"{root}/bootstrap"], capture_output=True, text=True)
    return [line for line in traced.stderr.splitlines() if "execve(" in line]


def test_machine(root):
    """all that it has is for arm64"""
    files = files_of(root)
    assert f"{root}/lib/libc.so.6" in files, files
    equal({machine_of(path) for path in files}, {MACHINE_ARM64}, "machines")


def test_size(_):
    """it is small enough to be uploaded as it is"""
    assert os.path.getsize(ARM64_ZIP) < LARGEST, os.path.getsize(ARM64_ZIP)


def test_launcher(root):
    """its bootstrap starts the program with the loader and the libraries beside it"""
    lines = launch(root)
    equal(len(lines), 1, "calls of execve")
    for word in ("lib/loader", "--library-path", "lib/ratings-stats"):
        assert word in lines[0], lines[0]


def test_answers(root):
    """its function answers, and has loaded nothing that the zip does not carry"""
    lib = f"{root}/lib"
    command = [QEMU, f"{lib}/loader", "--library-path", lib, f"{lib}/ratings-stats"]
    with RuntimeApi(free_port()) as api, \
            Program(command, {"AWS_LAMBDA_RUNTIME_API": api.address}) as program:
        equal(api.invoke(CONTRACT)[:2], ("response", CONTRACT_ANSWER))
        files = mapped_files(program.process.pid)
        assert f"{lib}/libc.so.6" in files, files
        foreign = [path for path in files if "aarch64-linux" in path and not path.startswith(root)]
        equal(foreign, [], "foreign files")


def test_template(_):
    """the template beside each zip is for its architecture"""
    for directory, name in ((ARM64_OUT, "arm64"), (os.path.dirname(ZIP), os.uname().machine)):
        with open(os.path.join(directory, "template.yaml"), encoding="utf-8") as file:
            assert f"Default: {name.replace('aarch64', 'arm64')}\n" in file.read(), directory
