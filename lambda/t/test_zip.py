"""The zip, unpacked and run here"""
import os
import subprocess
import zipfile

from harness import (BOOTSTRAP, CONTRACT, CONTRACT_ANSWER, OUT, TOP, ZIP, Program, equal, free_port,
                     mapped_files, unpacked)
from runtime_api import RuntimeApi

LARGEST = 50 * 1000 * 1000  # that AWS takes without a bucket


def setup():
    """the zip is unpacked"""
    return unpacked(ZIP)


def test_entries(_):
    """it has an executable bootstrap, names in order and fixed times"""
    with zipfile.ZipFile(ZIP) as archive:
        equal(archive.namelist(), sorted(archive.namelist()), "names")
        equal({entry.date_time for entry in archive.infolist()}, {(1980, 1, 1, 0, 0, 0)}, "times")
        equal(archive.getinfo("bootstrap").external_attr >> 16, 0o100755, "mode")


def test_size(_):
    """it is small enough to be uploaded as it is"""
    assert os.path.getsize(ZIP) < LARGEST, os.path.getsize(ZIP)


def test_reproducible(root):
    """packed twice it is the same, byte for byte"""
    again = os.path.join(root, "again.zip")
    subprocess.check_call([f"{TOP}/lambda/package", BOOTSTRAP, f"{OUT}/launcher", again])
    with open(ZIP, "rb") as first, open(again, "rb") as second:
        assert first.read() == second.read(), "the bytes differ"


def test_runs_on_its_own(root):
    """its function answers, and has loaded nothing that the zip does not carry"""
    with RuntimeApi(free_port()) as api, \
            Program([f"{root}/bootstrap"], {"AWS_LAMBDA_RUNTIME_API": api.address}) as program:
        equal(api.invoke(CONTRACT)[:2], ("response", CONTRACT_ANSWER))
        files = mapped_files(program.process.pid)
        assert f"{root}/lib/libc.so.6" in files, files
        equal([path for path in files if not path.startswith(f"{root}/")], [], "foreign files")
