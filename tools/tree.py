"""The files of a guest as a root directory on this machine's own kernel: another engine, no emulation.

The guest's disk is mounted read-only below an overlay, in a mount namespace that ends with the
command that runs there. /proc, /sys, /dev and /tmp are this machine's, and so is the folder in which
private engines live: an overlay can be no layer of another one, and the next run's sweep looks there.
A folder of programs is at PROGRAMS there.
Source: pivot_root(2), mount_namespaces(7), overlayfs.rst.
"""

from __future__ import annotations

from pathlib import Path

from fixtures.engine.home import HOME

PROGRAMS = Path("/usr/local/lib/isolation-labs/programs")

_SCRIPT = f"""\
set -e
disk=$1 work=$2 project=$3 programs=$4
shift 4
mkdir -p "$work/disk" "$work/upper" "$work/work" "$work/root" {HOME}
mount -o loop,ro "$disk" "$work/disk"
mount -t overlay overlay \\
    -o "lowerdir=$work/disk,upperdir=$work/upper,workdir=$work/work" "$work/root"
cd "$work/root"
mkdir -p ".{HOME}" ".$project" mnt
for each in proc sys dev; do mount --rbind "/$each" "$each"; done
mount --bind /tmp tmp
mount --bind {HOME} ".{HOME}"
mount --bind "$project" ".$project"
if [ "$programs" ]; then
    mkdir -p .{PROGRAMS}
    mount --bind "$programs" .{PROGRAMS}
fi
mount -t tmpfs -o mode=755 run run
pivot_root . mnt
umount --lazy /mnt
cd "$project"
exec "$@"
"""


def command(
    disk: Path, work: Path, project: Path, *argv: str, programs: Path | None = None
) -> list[str]:
    """The command that runs `argv` in the folder `project`, with the root directory of that disk.

    What it writes elsewhere goes to the empty folder `work`.
    """
    enter = ["unshare", "--mount", "--propagation=private", "bash", "-c", _SCRIPT, "tree"]
    return [*enter, str(disk), str(work), str(project), str(programs or ""), *argv]
