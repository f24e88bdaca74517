"""Windows paths, seen from WSL and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield_llamacpp import wsl
from jackfield_llamacpp.wsl import Platform, is_wsl, mount_root, to_windows, to_wsl, translate

DRIVES = st.sampled_from("abcdefghijklmnopqrstuvwxyz")
# What a Windows name may hold; a dot or blank at its end would be dropped by Windows itself.
NAMES = st.text("abcXYZ019 äß漢._-", min_size=1, max_size=12).filter(
    lambda name: name.strip(" .") == name
)
PARTS = st.lists(NAMES, max_size=5)
ROOTS = st.sampled_from(["/mnt/", "/", "/windir/"])
WSL2 = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c8) (gcc 11.2.0)"
WSL1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)"
DEBIAN = "Linux version 6.1.0-28-amd64 (debian-kernel@lists.debian.org)"


@given(drive=DRIVES, parts=PARTS, root=ROOTS)
def test_a_windows_path_survives_the_way_to_wsl_and_back(
    drive: str, parts: list[str], root: str
) -> None:
    path = f"{drive.upper()}:\\" + "\\".join(parts)
    assert to_windows(to_wsl(path, root), root) == path


@given(drive=DRIVES, parts=PARTS)
def test_slashes_of_both_kinds_mean_the_same(drive: str, parts: list[str]) -> None:
    with_slashes = f"{drive}:/" + "/".join(parts)
    with_backslashes = f"{drive.upper()}:\\" + "\\".join(parts)
    assert to_wsl(with_slashes) == to_wsl(with_backslashes) == f"/mnt/{drive}/" + "/".join(parts)


@given(path=st.text(st.characters(exclude_characters=":\\"), max_size=30))
def test_a_path_without_drive_or_backslash_is_left_alone_under_wsl(path: str) -> None:
    assert to_wsl(path) == path or path.startswith("//wsl")


@pytest.mark.parametrize(
    ("windows", "linux"),
    [
        (r"D:\models\organized\qwen.gguf", "/mnt/d/models/organized/qwen.gguf"),
        (r"\\?\C:\long\path.gguf", "/mnt/c/long/path.gguf"),
        (r"\\wsl$\Debian\home\me\m.gguf", "/home/me/m.gguf"),
        (r"\\wsl.localhost\Ubuntu-24.04\models", "/models"),
        (r"\\?\UNC\wsl.localhost\Debian\home\me", "/home/me"),
        (r"\\server\share\m.gguf", r"\\server\share\m.gguf"),
        ("C:", "/mnt/c/"),
        ("model.gguf", "model.gguf"),
        ("/home/me/m.gguf", "/home/me/m.gguf"),
        ("C:relative.gguf", "C:relative.gguf"),
    ],
)
def test_known_spellings(windows: str, linux: str) -> None:
    assert to_wsl(windows) == linux


@pytest.mark.parametrize(
    ("linux", "windows"),
    [
        ("/mnt/d/models/x.gguf", r"D:\models\x.gguf"),
        ("/mnt/c", "C:\\"),
        ("/mnt/c/../d/x.gguf", r"D:\x.gguf"),
        ("/mnt/c/models/d:/x.gguf", r"C:\models\d:\x.gguf"),
        ("/mnt/data/x.gguf", "/mnt/data/x.gguf"),
        ("/home/me", "/home/me"),
    ],
)
def test_only_drives_below_the_mount_root_become_windows_paths(linux: str, windows: str) -> None:
    assert to_windows(linux) == windows


@pytest.mark.parametrize("kernel", [WSL1, WSL2])
def test_the_kernels_of_wsl_are_recognised(kernel: str) -> None:
    assert is_wsl(kernel, {})


def test_a_plain_linux_is_no_wsl_unless_its_environment_says_so() -> None:
    assert not is_wsl(DEBIAN, {})
    assert is_wsl(DEBIAN, {"WSL_DISTRO_NAME": "Debian"})


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", "/mnt/"),
        ("[automount]\nroot = /windir/\n", "/windir/"),
        ("[automount]\nroot=/\n", "/"),
        ('[automount]\nenabled=true\nroot = "/drives"\n', "/drives/"),
        ("[network]\nhostname=x\n", "/mnt/"),
        ("no section\n", "/mnt/"),
        ("[automount]\nroot = nowhere\n", "/mnt/"),
    ],
)
def test_the_mount_root_comes_from_wsl_conf(text: str, root: str) -> None:
    assert mount_root(text) == root


@given(text=st.text(max_size=80))
def test_any_wsl_conf_gives_a_usable_root(text: str) -> None:
    root = mount_root(text)
    assert root.startswith("/")
    assert root.endswith("/")


def test_a_path_is_translated_to_the_side_it_is_used_on() -> None:
    assert translate(r"D:\m.gguf", Platform(wsl=True)) == "/mnt/d/m.gguf"
    assert translate("/mnt/d/m.gguf", Platform(windows=True)) == r"D:\m.gguf"
    assert translate(r"D:\m.gguf", Platform()) == r"D:\m.gguf"


def test_the_platform_here_is_one_of_them_at_most() -> None:
    platform = wsl.here()
    assert not (platform.wsl and platform.windows)
